#ifndef USHER_SERVICE_SELF_CHECK_H_
#define USHER_SERVICE_SELF_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace usher::daemon {

// Calls the service at `address` as a client would: a new connection, a call
// that is answered at once, and one that needs a pool thread and the database.
// Fails if anything of it is not answered within `timeout`.
absl::Status CheckService(const std::string& address, absl::Duration timeout);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_SELF_CHECK_H_
