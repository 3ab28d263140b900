#include "service/session/timers.h"

#include <utility>

#include "absl/time/clock.h"

namespace usher::session {

Timers::Timers() : thread_([this] { Loop(); }) {}

Timers::~Timers() { Stop(); }

void Timers::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> dropped;
  absl::MutexLock lock(&mutex_);
  dropped.swap(actions_);
  due_.clear();
}

uint64_t Timers::After(absl::Duration delay, std::function<void()> action) {
  const absl::Time due = absl::Now() + delay;
  absl::MutexLock lock(&mutex_);
  const uint64_t id = ++next_id_;
  if (stopping_) return id;
  actions_.emplace(std::make_pair(due, id), std::move(action));
  due_.emplace(id, due);
  changed_.Signal();
  return id;
}

void Timers::Cancel(uint64_t id) {
  std::function<void()> dropped;  // destroyed outside the lock
  absl::MutexLock lock(&mutex_);
  const auto it = due_.find(id);
  if (it == due_.end()) return;
  const auto action = actions_.find({it->second, id});
  dropped = std::move(action->second);
  actions_.erase(action);
  due_.erase(it);
}

void Timers::Loop() {
  mutex_.Lock();
  while (!stopping_) {
    if (actions_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const auto first = actions_.begin();
    if (first->first.first > absl::Now()) {
      changed_.WaitWithDeadline(&mutex_, first->first.first);
      continue;
    }
    {
      std::function<void()> action = std::move(first->second);
      due_.erase(first->first.second);
      actions_.erase(first);
      mutex_.Unlock();
      action();
    }
    mutex_.Lock();
  }
  mutex_.Unlock();
}

}  // namespace usher::session
