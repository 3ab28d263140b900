#include <windows.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/win32.h"
#include "service/platform/host.h"
#include "service/platform/managed_service_win.h"

namespace usher::platform {
namespace {

// What the last report may wait for another one that is being made.
constexpr absl::Duration kLastReport = absl::Seconds(1);

// In a console window, or started by a program: what asks it to end are the
// console's events. The system calls the handler on a thread of its own.
class ConsoleHost : public Host {
 public:
  explicit ConsoleHost(Options options) : options_(std::move(options)) {}
  ~ConsoleHost() override {
    SetConsoleCtrlHandler(&OnControl, FALSE);
    absl::MutexLock lock(&mutex_);
    current_ = nullptr;
  }

  absl::Status Start() {
    {
      absl::MutexLock lock(&mutex_);
      current_ = this;
    }
    // A parent that made a process group lets it ignore Ctrl-C; a service that
    // cannot be stopped so helps nobody.
    SetConsoleCtrlHandler(nullptr, FALSE);
    if (SetConsoleCtrlHandler(&OnControl, TRUE) == 0) {
      return win32::LastError("wait for", "console events");
    }
    return absl::OkStatus();
  }

  bool IsManaged() const override { return false; }
  void NotifyReady() override {}
  void NotifyStopping(absl::Duration) override {}
  void NotifyStatus(absl::string_view) override {}
  absl::Duration WatchdogTimeout() const override {
    return absl::InfiniteDuration();
  }
  void NotifyAlive() override {}

 private:
  static BOOL WINAPI OnControl(DWORD event) {
    {
      absl::MutexLock lock(&mutex_);
      if (current_ == nullptr) return FALSE;
      if (current_->asked_.exchange(true)) {
        ExitNow(current_->options_.second_stop_exit_code);
      }
      current_->options_.on_stop();
    }
    // After these the system ends the process as soon as the handler returns,
    // or some seconds later: the service takes what it needs of them.
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return TRUE;
  }

  // The handler is a plain function, so the host it belongs to is global.
  ABSL_CONST_INIT static absl::Mutex mutex_;
  static ConsoleHost* current_ ABSL_GUARDED_BY(mutex_);

  const Options options_;
  std::atomic<bool> asked_ = false;
};

absl::Mutex ConsoleHost::mutex_(absl::kConstInit);
ConsoleHost* ConsoleHost::current_ = nullptr;

// Started by the Service Control Manager, which needs no sign of life: it sees
// the process.
class ManagedHost : public Host {
 public:
  ManagedHost(ManagedService* service, Options options) : service_(service) {
    service_->CallOnStop(std::move(options.on_stop));
  }
  ~ManagedHost() override { service_->CallOnStop(nullptr); }

  bool IsManaged() const override { return true; }
  void NotifyReady() override { service_->ReportRunning(); }
  // How long is in the registration (service_registration.h).
  void NotifyStopping(absl::Duration) override { service_->ReportStopping(); }
  // The manager has no place for a text.
  void NotifyStatus(absl::string_view) override {}
  absl::Duration WatchdogTimeout() const override {
    return absl::InfiniteDuration();
  }
  void NotifyAlive() override {}

 private:
  ManagedService* const service_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Create(Options options) {
  if (ManagedService* const service = ManagedService::Current();
      service != nullptr) {
    return std::make_unique<ManagedHost>(service, std::move(options));
  }
  auto host = std::make_unique<ConsoleHost>(std::move(options));
  if (absl::Status status = host->Start(); !status.ok()) return status;
  return host;
}

// There is no such limit on Windows.
int64_t RaiseFileLimit(int64_t /*wanted*/) { return kNoFileLimit; }

void ExitNow(int code) {
  // Otherwise the manager would take it for a crash. What hangs must not keep
  // the process from ending, though.
  if (ManagedService* const service = ManagedService::Current();
      service != nullptr) {
    service->TryReportStopped(code, kLastReport);
  }
  // ExitProcess would run the destructors of every library first.
  TerminateProcess(GetCurrentProcess(), static_cast<UINT>(code));
  // Not reached: a process may always end itself.
  std::abort();
}

}  // namespace usher::platform
