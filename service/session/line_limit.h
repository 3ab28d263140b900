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

// How many lines one caller may cause in the log: the log is of a limited size,
// and whoever could fill it could rotate everything else out of it.
// Thread-safe.
class LineLimit {
 public:
  // `lines` in each `period` for each caller. `write` puts a line of the
  // limit's own into the log; it must not call back.
  LineLimit(int lines, absl::Duration period,
            std::function<void(const std::string& line)> write);
  // Says what was left out.
  ~LineLimit();
  LineLimit(const LineLimit&) = delete;
  LineLimit& operator=(const LineLimit&) = delete;

  // Whether a line that `who` causes may be written. The first that may not is
  // said, and when the period is over, how many there were.
  bool Admit(const std::string& who, absl::Time now);

 private:
  struct Period {
    absl::Time end;
    int lines = 0;
    int64_t left_out = 0;
  };

  void SayLeftOut(const std::string& who, const Period& period)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the periods that are over.
  void Sweep(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int lines_;
  const absl::Duration period_;
  const std::function<void(const std::string& line)> write_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Period> periods_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_sweep_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_LINE_LIMIT_H_
