#ifndef USHER_SERVICE_SESSION_THREAD_POOL_H_
#define USHER_SERVICE_SESSION_THREAD_POOL_H_

#include <deque>
#include <functional>
#include <list>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "service/session/authority.h"

namespace usher::session {

// A fixed number of threads for work that blocks. Callers take turns, however
// much each of them has asked for; what one caller asked for is begun in that
// order. The queue is bounded by the limits on calls and jobs, not by the pool.
// Thread-safe.
class ThreadPool {
 public:
  // `threads` for everybody's work, and `for_administrators` more that take
  // only that of administrators and of the service itself: long work of others
  // does not hold it up.
  explicit ThreadPool(int threads, int for_administrators = 0);
  // Runs everything that is queued, then ends the threads.
  ~ThreadPool();

  // Work of the service itself.
  void Post(std::function<void()> work);
  void Post(const Caller& caller, std::function<void()> work);
  // Runs `work` on the pool and waits for it. Not from a thread of this pool.
  void Run(const std::function<void()>& work);
  // Waits until everything posted so far, and all that it posted, has run.
  void Drain();

 private:
  // What one caller has asked for; never empty.
  struct Share {
    Caller caller;
    std::deque<std::function<void()>> work;
  };
  // Those whose turn comes next stand first.
  using Shares = std::list<Share>;

  void Loop(bool for_administrators);
  // A share that such a thread may take from, or end().
  Shares::iterator Next(bool for_administrators)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  Shares shares_ ABSL_GUARDED_BY(mutex_);
  // By everything in Caller: a user may be an administrator and not, and the
  // service that tries its own door does not wait behind what its user has
  // asked for.
  using Key = std::tuple<std::string, bool, bool>;
  static Key KeyOf(const Caller& caller) {
    return {caller.user, caller.is_administrator, caller.is_self};
  }
  absl::flat_hash_map<Key, Shares::iterator> by_caller_ ABSL_GUARDED_BY(mutex_);
  // Shares of administrators.
  int administrators_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_THREAD_POOL_H_
