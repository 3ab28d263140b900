#include "service/forced_end.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace usher::daemon {

// Outlives the object in the token's callback.
struct ForcedEnd::State {
  absl::Mutex mutex;
  bool asked ABSL_GUARDED_BY(mutex) = false;
  bool ended ABSL_GUARDED_BY(mutex) = false;
};

ForcedEnd::ForcedEnd(const CancellationToken& stop, absl::Duration longest,
                     std::function<void()> end)
    : state_(std::make_shared<State>()) {
  stop.OnCancel([state = state_] {
    absl::MutexLock lock(&state->mutex);
    state->asked = true;
  });
  thread_ = std::thread([state = state_, longest, end = std::move(end)] {
    {
      absl::MutexLock lock(&state->mutex);
      const auto either = [&state]()
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(state->mutex) {
                                return state->asked || state->ended;
                              };
      state->mutex.Await(absl::Condition(&either));
      if (state->mutex.AwaitWithTimeout(absl::Condition(&state->ended),
                                        longest)) {
        return;
      }
    }
    end();
  });
}

ForcedEnd::~ForcedEnd() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->ended = true;
  }
  thread_.join();
}

}  // namespace usher::daemon
