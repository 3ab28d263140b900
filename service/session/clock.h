#ifndef USHER_SERVICE_SESSION_CLOCK_H_
#define USHER_SERVICE_SESSION_CLOCK_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace usher::session {

// Where "now" comes from, so that a test can move it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const { return absl::Now(); }
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_CLOCK_H_
