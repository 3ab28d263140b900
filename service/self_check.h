#ifndef USHER_SERVICE_SELF_CHECK_H_
#define USHER_SERVICE_SELF_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/cancellation.h"

namespace usher::daemon {

// Calls the service at `address` as a client would: a new connection, a call
// that is answered at once, and one that needs a pool thread and the database.
// Fails if anything of it is not answered within `timeout`, or once `cancel` is
// cancelled.
absl::Status CheckService(const std::string& address, absl::Duration timeout,
                          const CancellationToken& cancel);

// When a service that is to give a sign of life at least once in `watchdog`
// checks itself.
struct CheckTimes {
  // Between a good check and the next; what a check may take; between one that
  // failed and the next.
  absl::Duration pause;
  absl::Duration timeout;
  absl::Duration retry;
};

// So that after a good check one may fail by its timeout and the next one, if
// it is good, is still in time, wherever in its own timeout it ends.
CheckTimes CheckTimesFor(absl::Duration watchdog);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_SELF_CHECK_H_
