#include "service/run.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/cancellation.h"
#include "common/error.h"
#include "service/daemon.h"
#include "service/file_limit.h"
#include "service/forced_end.h"
#include "service/logging.h"
#include "service/platform/heap.h"
#include "service/platform/host.h"
#include "service/platform/machine_folders.h"
#include "service/self_check.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

// Calls that still run when the jobs are parked get that long.
constexpr absl::Duration kCallGrace = absl::Seconds(1);
// What a stop may take beyond stop_timeout before the process just ends: a
// handler is given some seconds to be interrupted in.
constexpr absl::Duration kForceAfter = absl::Seconds(15);
// What the service manager waits beyond that, so that it is always we who end
// the process, and by ourselves: it would kill what we run as well.
constexpr absl::Duration kManagerMargin = absl::Seconds(10);
constexpr absl::Duration kReadyTimeout = absl::Seconds(30);
constexpr char kReady[] = "Ready";

// Runs until asked to stop, and tells the service manager that it is alive as
// long as it answers itself.
void Serve(const Config& config, platform::Host& host,
           const CancellationToken& stop) {
  const absl::Duration watchdog = host.WatchdogTimeout();
  if (watchdog == absl::InfiniteDuration()) {
    stop.WaitFor(absl::InfiniteDuration());
    return;
  }
  const CheckTimes times = CheckTimesFor(watchdog);
  bool good = true;
  while (!stop.WaitFor(good ? times.pause : times.retry)) {
    const absl::Status alive = CheckService(config.socket, times.timeout, stop);
    if (stop.cancelled()) return;
    if (alive.ok()) {
      host.NotifyAlive();
      if (!good) host.NotifyStatus(kReady);
    } else {
      spdlog::error("self-check failed: {}", std::string(alive.message()));
      host.NotifyStatus(
          absl::StrCat("Does not answer itself: ", alive.message()));
    }
    good = alive.ok();
  }
}

int Fail(const absl::Status& status, const CancellationToken& stop) {
  // Told to stop before it was there.
  if (stop.cancelled()) {
    Announce("stopped before it was ready");
    return 0;
  }
  spdlog::critical("cannot start: {}", std::string(status.message()));
  return HResultOf(status) == hr::kWuEOperationinprogress ? kExitRunning
                                                          : kExitFailure;
}

int Run(const Config& config, platform::Host& host,
        const CancellationToken& stop) {
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Start(config, stop);
  if (!daemon.ok()) return Fail(daemon.status(), stop);
  // Ready is said only after the front door was tried.
  if (const absl::Status ready =
          CheckService(config.socket, kReadyTimeout, stop);
      !ready.ok() || stop.cancelled()) {
    return Fail(ready, stop);
  }
  Announce(absl::StrCat("usherd ", USHER_VERSION, " ready at ", config.socket));
  host.NotifyStatus(kReady);
  host.NotifyReady();

  Serve(config, host, stop);

  spdlog::info("stopping");
  (*daemon)->Stop(kCallGrace);
  daemon->reset();
  Announce("stopped");
  return 0;
}

}  // namespace

absl::Duration LongestStop(const Config& config) {
  return config.stop_timeout + kForceAfter;
}

int RunDaemon(const Config& configured) {
  Config config = configured;
  CancellationToken stop;
  absl::StatusOr<std::unique_ptr<platform::Host>> host = platform::Host::Create(
      {[stop]() mutable { stop.Cancel(); }, kExitForced});
  if (!host.ok()) {
    ReportFailure(host.status().message());
    return kExitFailure;
  }
  platform::KeepHeapSmall();
  const int64_t files = platform::RaiseFileLimit(FilesWanted(config));
  // Before the log: its folder lies in this one, and would be made with a
  // parent that is private whatever the configuration says. A private instance
  // that is opened to others on purpose must let them pass to its socket; its
  // files are private by themselves.
  if (const absl::Status folder =
          platform::MakeStateFolder(config.state_dir, config.world_accessible);
      !folder.ok()) {
    ReportFailure(folder.message());
    return kExitFailure;
  }
  if (const absl::Status log = StartLog(config, (*host)->IsManaged());
      !log.ok()) {
    ReportFailure(log.message());
    return kExitFailure;
  }
  if (FitConnections(files, config)) {
    spdlog::warn(
        "{} open files are too few for limits.connections = {}; with this "
        "limit {} connections and {} of one user are accepted: lower the "
        "setting, or raise the limit of open files (LimitNOFILE in the "
        "service's unit, ulimit -n) to {}",
        files, configured.connections, config.connections,
        config.connections_per_user, FilesWanted(configured));
  }
  int code = 0;
  {
    // From here on a stop is bounded and known to the manager, however far the
    // service has come.
    const ForcedEnd forced(stop, LongestStop(config), [] {
      spdlog::critical("did not stop in time; ending by force");
      spdlog::default_logger_raw()->flush();
      platform::ExitNow(kExitForced);
    });
    const uint64_t told = stop.OnCancel([&host = **host, &config] {
      host.NotifyStopping(LongestStop(config) + kManagerMargin);
    });
    code = Run(config, **host, stop);
    stop.Forget(told);
  }
  StopLog();
  return code;
}

}  // namespace usher::daemon
