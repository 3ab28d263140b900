#include "service/platform/managed_service_win.h"

#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace usher::platform {
namespace {

// A report every second, and patience for ten: a machine that starts up is
// slow.
constexpr absl::Duration kReportEvery = absl::Seconds(1);
constexpr uint32_t kWaitHint = 10'000;

ManagedService* current_service = nullptr;

}  // namespace

ManagedService::ManagedService(std::function<void(const ServiceReport&)> report)
    : report_(std::move(report)) {
  {
    absl::MutexLock lock(&mutex_);
    Send();
  }
  progress_ = std::thread([this] { ReportProgress(); });
}

ManagedService::~ManagedService() {
  {
    absl::MutexLock lock(&mutex_);
    end_ = true;
    changed_.SignalAll();
  }
  progress_.join();
}

ManagedService* ManagedService::Current() { return current_service; }

void ManagedService::SetCurrent(ManagedService* service) {
  current_service = service;
}

void ManagedService::ReportRunning() {
  Enter(ServiceReport::State::kRunning, 0, absl::InfiniteFuture());
}

void ManagedService::ReportStopping() {
  Enter(ServiceReport::State::kStopping, 0, absl::InfiniteFuture());
}

void ManagedService::ReportStopped(int exit_code) {
  Enter(ServiceReport::State::kStopped, exit_code, absl::InfiniteFuture());
}

bool ManagedService::TryReportStopped(int exit_code, absl::Duration patience) {
  return Enter(ServiceReport::State::kStopped, exit_code,
               absl::Now() + patience);
}

void ManagedService::RequestStop() {
  ReportStopping();
  absl::MutexLock lock(&stop_mutex_);
  stop_requested_ = true;
  if (on_stop_ && !std::exchange(stop_called_, true)) on_stop_();
}

void ManagedService::CallOnStop(std::function<void()> on_stop) {
  absl::MutexLock lock(&stop_mutex_);
  on_stop_ = std::move(on_stop);
  if (stop_requested_ && on_stop_ && !std::exchange(stop_called_, true)) {
    on_stop_();
  }
}

bool ManagedService::Enter(ServiceReport::State state, int exit_code,
                           absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto silent = [this] {
    mutex_.AssertHeld();
    return !reporting_;
  };
  if (!mutex_.AwaitWithDeadline(absl::Condition(&silent), deadline)) {
    return false;
  }
  if (state <= current_.state) return true;
  current_ = {state, 0, 0, exit_code};
  Send();
  changed_.SignalAll();
  return true;
}

void ManagedService::Send() {
  if (IsPending()) {
    ++current_.checkpoint;
    current_.wait_hint = kWaitHint;
  } else {
    current_.checkpoint = current_.wait_hint = 0;
  }
  const ServiceReport report = current_;
  reporting_ = true;
  mutex_.Unlock();
  report_(report);
  mutex_.Lock();
  reporting_ = false;
}

bool ManagedService::IsPending() const {
  return current_.state == ServiceReport::State::kStarting ||
         current_.state == ServiceReport::State::kStopping;
}

void ManagedService::ReportProgress() {
  absl::MutexLock lock(&mutex_);
  while (!end_ && current_.state != ServiceReport::State::kStopped) {
    if (!IsPending()) {
      changed_.Wait(&mutex_);
    } else if (changed_.WaitWithTimeout(&mutex_, kReportEvery) && !end_ &&
               !reporting_ && IsPending()) {
      Send();
    }
  }
}

}  // namespace usher::platform
