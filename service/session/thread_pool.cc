#include "service/session/thread_pool.h"

#include <utility>

#include "absl/synchronization/notification.h"

namespace usher::session {

ThreadPool::ThreadPool(int threads) {
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Post(std::function<void()> work) {
  absl::MutexLock lock(&mutex_);
  queue_.push_back(std::move(work));
}

void ThreadPool::Run(const std::function<void()>& work) {
  absl::Notification done;
  Post([&work, &done] {
    work();
    done.Notify();
  });
  done.WaitForNotification();
}

void ThreadPool::Drain() {
  absl::MutexLock lock(&mutex_);
  const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return queue_.empty() && busy_ == 0;
  };
  mutex_.Await(absl::Condition(&idle));
}

void ThreadPool::Loop() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  };
  while (true) {
    std::function<void()> work;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&ready));
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    work();
    work = nullptr;  // what it holds goes before the pool counts as idle
    absl::MutexLock lock(&mutex_);
    --busy_;
  }
}

}  // namespace usher::session
