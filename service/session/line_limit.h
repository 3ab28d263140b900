#ifndef USHER_SERVICE_SESSION_LINE_LIMIT_H_
#define USHER_SERVICE_SESSION_LINE_LIMIT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace usher::session {

// How many lines callers may cause in the log, each and all together: the log
// is of a limited size, and whoever could fill it could rotate everything else
// out of it. Thread-safe.
class LineLimit {
 public:
  struct Limits {
    int lines_per_caller = 0;
    int lines = 0;  // of all callers together
    absl::Duration period;
  };
  // `write` puts a line of the limit's own into the log; it must not call back.
  LineLimit(const Limits& limits,
            std::function<void(const std::string& line)> write);
  // Says what was left out.
  ~LineLimit();
  LineLimit(const LineLimit&) = delete;
  LineLimit& operator=(const LineLimit&) = delete;

  // Whether a line that `who` causes may be written. The first that may not is
  // said; with the first line that anybody causes when the period is over, how
  // many there were. A clock that is set back ends a period, too.
  bool Admit(const std::string& who, absl::Time now);

 private:
  struct Period {
    absl::Time end;
    int lines = 0;
    int64_t left_out = 0;
  };

  // One more line in `period`. False, and said once, beyond `max`.
  bool Count(const std::string& who, int max, Period& period)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SayLeftOut(const std::string& who, const Period& period)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOver(const Period& period, absl::Time now) const;
  // Ends the periods that are over.
  void Sweep(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  const std::function<void(const std::string& line)> write_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Period> periods_ ABSL_GUARDED_BY(mutex_);
  // Of all together; what a caller's own count leaves out is not in it.
  Period together_ ABSL_GUARDED_BY(mutex_);
  // When there is something to sweep, and when that was looked for last.
  absl::Time next_sweep_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time last_sweep_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_LINE_LIMIT_H_
