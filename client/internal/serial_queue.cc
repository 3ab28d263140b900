#include "client/internal/serial_queue.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace usher::internal {

struct SerialQueue::State {
  absl::Mutex mutex;
  absl::CondVar changed;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::multimap<absl::Time, std::function<void()>> tasks ABSL_GUARDED_BY(mutex);
};

SerialQueue::SerialQueue() : state_(std::make_shared<State>()) {
  thread_ = std::thread([state = state_] { Run(state); });
  id_ = thread_.get_id();
}

SerialQueue::~SerialQueue() { Stop(); }

void SerialQueue::Post(std::function<void()> task, absl::Duration delay) {
  absl::MutexLock lock(&state_->mutex);
  if (state_->stopped) return;
  state_->tasks.emplace(absl::Now() + delay, std::move(task));
  state_->changed.Signal();
}

void SerialQueue::Stop() {
  std::multimap<absl::Time, std::function<void()>> dropped;
  std::thread ended;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopped = true;
    dropped.swap(state_->tasks);
    state_->changed.Signal();
    ended.swap(thread_);
  }
  if (!ended.joinable()) return;
  // A task that destroys its own queue cannot wait for itself; the thread
  // shares the state and ends by itself.
  if (OnThread()) {
    ended.detach();
  } else {
    ended.join();
  }
}

bool SerialQueue::OnThread() const { return std::this_thread::get_id() == id_; }

void SerialQueue::Run(const std::shared_ptr<State>& state) {
  for (;;) {
    std::function<void()> task;
    {
      absl::MutexLock lock(&state->mutex);
      while (!state->stopped && (state->tasks.empty() ||
                                 state->tasks.begin()->first > absl::Now())) {
        if (state->tasks.empty()) {
          state->changed.Wait(&state->mutex);
        } else {
          state->changed.WaitWithDeadline(&state->mutex,
                                          state->tasks.begin()->first);
        }
      }
      if (state->stopped) return;
      task = std::move(state->tasks.begin()->second);
      state->tasks.erase(state->tasks.begin());
    }
    task();
  }
}

}  // namespace usher::internal
