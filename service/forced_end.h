#ifndef USHER_SERVICE_FORCED_END_H_
#define USHER_SERVICE_FORCED_END_H_

#include <functional>
#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "common/cancellation.h"

namespace usher::daemon {

// Bounds a stop, whatever the service is doing when it is asked to: starting,
// serving or stopping.
class ForcedEnd {
 public:
  // Calls `end`, on a thread of its own, when this still exists `longest` after
  // `stop` was cancelled.
  ForcedEnd(const CancellationToken& stop, absl::Duration longest,
            std::function<void()> end);
  // In time. Waits for an `end` that has begun.
  ~ForcedEnd();
  ForcedEnd(const ForcedEnd&) = delete;
  ForcedEnd& operator=(const ForcedEnd&) = delete;

 private:
  struct State;

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace usher::daemon

#endif  // USHER_SERVICE_FORCED_END_H_
