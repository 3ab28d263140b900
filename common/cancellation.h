#ifndef USHER_COMMON_CANCELLATION_H_
#define USHER_COMMON_CANCELLATION_H_

// Cooperative cancellation: one side asks, the other looks or is told.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace usher {

// Thread-safe. Copies share one state.
class CancellationToken {
 public:
  CancellationToken() : state_(std::make_shared<State>()) {}

  // Asks for cancellation; runs the callbacks on this thread, once.
  void Cancel() {
    std::map<uint64_t, std::function<void()>> callbacks;
    {
      absl::MutexLock lock(&state_->mutex);
      if (state_->cancelled) return;
      state_->cancelled = true;
      callbacks.swap(state_->callbacks);
    }
    for (auto& [id, callback] : callbacks) callback();
  }

  bool cancelled() const {
    absl::MutexLock lock(&state_->mutex);
    return state_->cancelled;
  }

  // Waits until cancelled or until `timeout` has passed; true if cancelled.
  bool WaitFor(absl::Duration timeout) const {
    absl::MutexLock lock(&state_->mutex);
    return state_->mutex.AwaitWithTimeout(absl::Condition(&state_->cancelled),
                                          timeout);
  }

  // Registers `callback` for Cancel(); runs it at once when already cancelled.
  // Returns an id for Forget().
  uint64_t OnCancel(std::function<void()> callback) const {
    {
      absl::MutexLock lock(&state_->mutex);
      if (!state_->cancelled) {
        const uint64_t id = ++state_->next_id;
        state_->callbacks.emplace(id, std::move(callback));
        return id;
      }
    }
    callback();
    return 0;
  }

  // Drops a callback. It may be running on another thread at this moment.
  void Forget(uint64_t id) const {
    absl::MutexLock lock(&state_->mutex);
    state_->callbacks.erase(id);
  }

 private:
  struct State {
    absl::Mutex mutex;
    bool cancelled ABSL_GUARDED_BY(mutex) = false;
    uint64_t next_id ABSL_GUARDED_BY(mutex) = 0;
    std::map<uint64_t, std::function<void()>> callbacks ABSL_GUARDED_BY(mutex);
  };
  std::shared_ptr<State> state_;
};

}  // namespace usher

#endif  // USHER_COMMON_CANCELLATION_H_
