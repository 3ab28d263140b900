#ifndef USHER_SERVICE_SESSION_TIMERS_H_
#define USHER_SERVICE_SESSION_TIMERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace usher::session {

// Runs things later, on one thread that sleeps until the next is due.
// Thread-safe.
class Timers {
 public:
  Timers();
  ~Timers();
  // Drops what is not yet due, waits for what is running, and takes nothing
  // more. Not from an action.
  void Stop();

  // Runs `action` once, after `delay`. It must not block. Returns an id for
  // Cancel(), never 0.
  uint64_t After(absl::Duration delay, std::function<void()> action);
  // Drops an action; it may be running at this moment.
  void Cancel(uint64_t id);

 private:
  void Loop();

  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> actions_
      ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, absl::Time> due_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_TIMERS_H_
