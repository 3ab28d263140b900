#ifndef USHER_SERVICE_PLATFORM_MANAGED_SERVICE_WIN_H_
#define USHER_SERVICE_PLATFORM_MANAGED_SERVICE_WIN_H_

// What this process tells the Service Control Manager, and is told by it.
// Nothing here needs <windows.h>; service_entry_win.cc connects both.

#include <cstdint>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace usher::platform {

// The fields of a SERVICE_STATUS that change.
struct ServiceReport {
  enum class State { kStarting, kRunning, kStopping, kStopped };
  State state = State::kStarting;
  // Grows while starting and while stopping; otherwise 0.
  uint32_t checkpoint = 0;
  // By when the next report comes, in milliseconds; 0 unless pending.
  uint32_t wait_hint = 0;
  // Of the process; only when stopped.
  int exit_code = 0;
};

// The service's state, which only goes forward: starting, running, stopping,
// stopped. While it starts and stops a thread reports progress, so that the
// manager sees a process that lives. Thread-safe.
class ManagedService {
 public:
  // `report` is called for each report, one after the other.
  explicit ManagedService(std::function<void(const ServiceReport&)> report);
  ~ManagedService();
  ManagedService(const ManagedService&) = delete;
  ManagedService& operator=(const ManagedService&) = delete;

  // Of this process, or null if no manager started it. Set once, before there
  // is any other thread of ours, and never destroyed.
  static ManagedService* Current();
  static void SetCurrent(ManagedService* service);

  void ReportRunning();
  void ReportStopping();
  // The last report. Waits for the one that is being made, if any: without this
  // one the manager would wait for ever.
  void ReportStopped(int exit_code);
  // The same for a process that is about to end, whatever hangs in it: waits
  // for `patience` at most. False if the report was not made.
  bool TryReportStopped(int exit_code, absl::Duration patience);

  // Asks the service to stop: reports that, and calls what CallOnStop named,
  // once.
  void RequestStop();
  // Names what RequestStop calls; called at once if that came before. Null:
  // nothing any more.
  void CallOnStop(std::function<void()> on_stop);

 private:
  // Goes to `state` and reports that, unless the service is there or further on
  // already. False if another report was not done before `deadline`.
  bool Enter(ServiceReport::State state, int exit_code, absl::Time deadline);
  // Nobody else may be reporting. Lets go of the lock meanwhile.
  void Send() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReportProgress();
  bool IsPending() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void(const ServiceReport&)> report_;
  // Never held while report_ runs, so that a manager that does not answer keeps
  // nobody from ending the process.
  absl::Mutex mutex_;
  absl::CondVar changed_;
  // Whether report_ runs; current_ changes only while it does not.
  bool reporting_ ABSL_GUARDED_BY(mutex_) = false;
  ServiceReport current_ ABSL_GUARDED_BY(mutex_);
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex stop_mutex_;
  bool stop_requested_ ABSL_GUARDED_BY(stop_mutex_) = false;
  bool stop_called_ ABSL_GUARDED_BY(stop_mutex_) = false;
  std::function<void()> on_stop_ ABSL_GUARDED_BY(stop_mutex_);
  std::thread progress_;
};

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_MANAGED_SERVICE_WIN_H_
