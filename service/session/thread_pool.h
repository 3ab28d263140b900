#ifndef USHER_SERVICE_SESSION_THREAD_POOL_H_
#define USHER_SERVICE_SESSION_THREAD_POOL_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace usher::session {

// A fixed number of threads for work that blocks. The queue is bounded by the
// limits on calls and jobs, not by the pool. Thread-safe.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  // Runs everything that is queued, then ends the threads.
  ~ThreadPool();

  void Post(std::function<void()> work);
  // Runs `work` on the pool and waits for it. Not from a thread of this pool.
  void Run(const std::function<void()>& work);
  // Waits until everything posted so far, and all that it posted, has run.
  void Drain();

 private:
  void Loop();

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_THREAD_POOL_H_
