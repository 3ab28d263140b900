#include "service/run.h"

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "service/daemon.h"
#include "service/logging.h"
#include "service/platform/heap.h"
#include "service/platform/host.h"
#include "service/self_check.h"
#include "service/session/timers.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

// Calls that still run when the jobs are parked get that long.
constexpr absl::Duration kCallGrace = absl::Seconds(1);
// What a stop may take beyond stop_timeout before the process just ends: a
// handler is given some seconds to be interrupted in.
constexpr absl::Duration kForceAfter = absl::Seconds(15);
constexpr absl::Duration kReadyTimeout = absl::Seconds(30);

// Runs until asked to stop, and tells the service manager that it is alive as
// long as it answers itself.
void Serve(const Config& config, platform::Host& host,
           const absl::Notification& stop) {
  const absl::Duration watchdog = host.WatchdogTimeout();
  if (watchdog == absl::InfiniteDuration()) {
    stop.WaitForNotification();
    return;
  }
  while (!stop.WaitForNotificationWithTimeout(watchdog / 3)) {
    const absl::Status alive = CheckService(config.socket, watchdog / 3);
    if (alive.ok()) {
      host.NotifyAlive();
    } else {
      spdlog::error("self-check failed: {}", std::string(alive.message()));
    }
  }
}

int Run(const Config& config, platform::Host& host,
        const absl::Notification& stop) {
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(config);
  if (!daemon.ok()) {
    spdlog::critical("cannot start: {}",
                     std::string(daemon.status().message()));
    return HResultOf(daemon.status()) == hr::kWuEOperationinprogress
               ? kExitRunning
               : kExitFailure;
  }
  // Ready is said only after the front door was tried.
  if (const absl::Status ready = CheckService(config.socket, kReadyTimeout);
      !ready.ok()) {
    spdlog::critical("cannot start: {}", std::string(ready.message()));
    return kExitFailure;
  }
  Announce(absl::StrCat("usherd ", USHER_VERSION, " ready at ", config.socket));
  host.NotifyStatus("Ready");
  host.NotifyReady();

  Serve(config, host, stop);

  spdlog::info("stopping");
  host.NotifyStopping();
  session::Timers timers;
  timers.After(LongestStop(config), [] {
    spdlog::critical("did not stop in time; ending by force");
    spdlog::default_logger_raw()->flush();
    platform::ExitNow(kExitForced);
  });
  (*daemon)->Stop(kCallGrace);
  daemon->reset();
  Announce("stopped");
  return 0;
}

}  // namespace

absl::Duration LongestStop(const Config& config) {
  return config.stop_timeout + kForceAfter;
}

int RunDaemon(const Config& config) {
  absl::Notification stop;
  absl::StatusOr<std::unique_ptr<platform::Host>> host =
      platform::Host::Create({[&stop] { stop.Notify(); }, kExitForced});
  if (!host.ok()) {
    ReportFailure(host.status().message());
    return kExitFailure;
  }
  platform::KeepHeapSmall();
  platform::RaiseFileLimit();
  if (const absl::Status log = StartLog(config, (*host)->IsManaged());
      !log.ok()) {
    ReportFailure(log.message());
    return kExitFailure;
  }
  const int code = Run(config, **host, stop);
  StopLog();
  return code;
}

}  // namespace usher::daemon
