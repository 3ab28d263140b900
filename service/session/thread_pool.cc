#include "service/session/thread_pool.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"

namespace usher::session {

ThreadPool::ThreadPool(int threads, int for_administrators) {
  threads_.reserve(threads + for_administrators);
  for (int i = 0; i < threads + for_administrators; ++i) {
    threads_.emplace_back([this, reserved = i >= threads] { Loop(reserved); });
  }
}

ThreadPool::~ThreadPool() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Post(std::function<void()> work) {
  Post(Caller{"", /*is_administrator=*/true}, std::move(work));
}

void ThreadPool::Post(const Caller& caller, std::function<void()> work) {
  absl::MutexLock lock(&mutex_);
  auto [it, added] = by_caller_.try_emplace(KeyOf(caller));
  if (added) {
    it->second = shares_.insert(shares_.end(), Share{caller, {}});
    if (caller.is_administrator) ++administrators_;
  }
  it->second->work.push_back(std::move(work));
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
    return shares_.empty() && busy_ == 0;
  };
  mutex_.Await(absl::Condition(&idle));
}

ThreadPool::Shares::iterator ThreadPool::Next(bool for_administrators) {
  if (!for_administrators) return shares_.begin();
  return std::find_if(shares_.begin(), shares_.end(), [](const Share& share) {
    return share.caller.is_administrator;
  });
}

void ThreadPool::Loop(bool for_administrators) {
  const auto ready =
      [this, for_administrators]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ ||
               (for_administrators ? administrators_ > 0 : !shares_.empty());
      };
  while (true) {
    std::function<void()> work;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&ready));
      const auto share = Next(for_administrators);
      if (share == shares_.end()) return;
      work = std::move(share->work.front());
      share->work.pop_front();
      if (share->work.empty()) {
        if (share->caller.is_administrator) --administrators_;
        by_caller_.erase(KeyOf(share->caller));
        shares_.erase(share);
      } else {
        shares_.splice(shares_.end(), shares_, share);
      }
      ++busy_;
    }
    work();
    work = nullptr;  // what it holds goes before the pool counts as idle
    absl::MutexLock lock(&mutex_);
    --busy_;
  }
}

}  // namespace usher::session
