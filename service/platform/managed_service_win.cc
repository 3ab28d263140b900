#include "service/platform/managed_service_win.h"

#include <utility>

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

void ManagedService::ReportRunning() { Enter(ServiceReport::State::kRunning); }

void ManagedService::ReportStopping() {
  Enter(ServiceReport::State::kStopping);
}

void ManagedService::ReportStopped(int exit_code) {
  // Who hangs with the lock has reported already, or never will.
  if (!mutex_.TryLock()) return;
  if (current_.state != ServiceReport::State::kStopped) {
    current_ = {ServiceReport::State::kStopped, 0, 0, exit_code};
    report_(current_);
    changed_.SignalAll();
  }
  mutex_.Unlock();
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

void ManagedService::Enter(ServiceReport::State state) {
  absl::MutexLock lock(&mutex_);
  if (state <= current_.state) return;
  current_.state = state;
  current_.checkpoint = 0;
  Send();
  changed_.SignalAll();
}

void ManagedService::Send() {
  if (IsPending()) {
    ++current_.checkpoint;
    current_.wait_hint = kWaitHint;
  } else {
    current_.checkpoint = current_.wait_hint = 0;
  }
  report_(current_);
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
               IsPending()) {
      Send();
    }
  }
}

}  // namespace usher::platform
