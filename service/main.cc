// usherd, the Usher service.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/config.h"
#include "service/daemon.h"
#include "service/logging.h"
#include "service/platform/heap.h"
#include "service/platform/host.h"
#include "service/self_check.h"
#include "service/session/timers.h"
#include "spdlog/spdlog.h"

namespace usher::daemon {
namespace {

constexpr char kSystemConfig[] = "/etc/usher/usherd.toml";
// Exit codes (docs/configuration.md).
constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfig = 3;
constexpr int kExitRunning = 4;
constexpr int kExitForced = 5;

// Calls that still run when the jobs are parked get that long.
constexpr absl::Duration kCallGrace = absl::Seconds(1);
// What a stop may take beyond stop_timeout before the process just ends: a
// handler is given some seconds to be interrupted in.
constexpr absl::Duration kForceAfter = absl::Seconds(15);
constexpr absl::Duration kReadyTimeout = absl::Seconds(30);

struct Arguments {
  std::string config;
  std::string state_dir;
  std::string log_level;
  bool check_config = false;
};

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "usherd: %s\n", std::string(status.message()).c_str());
  return code;
}

absl::StatusOr<Config> MakeConfig(const Arguments& arguments) {
  std::error_code error;
  std::filesystem::path state_dir;
  if (!arguments.state_dir.empty()) {
    state_dir =
        std::filesystem::absolute(PathFromUtf8(arguments.state_dir), error)
            .lexically_normal();
    if (error) {
      return Error(hr::kEInvalidarg, "--state-dir is no usable path",
                   arguments.state_dir);
    }
  }
  Config config = DefaultConfig(state_dir);
  if (!arguments.config.empty()) {
    USHER_ASSIGN_OR_RETURN(
        config, LoadConfig(PathFromUtf8(arguments.config), std::move(config)));
  } else if (state_dir.empty() &&
             std::filesystem::exists(kSystemConfig, error)) {
    // A private instance does not follow the machine's configuration.
    USHER_ASSIGN_OR_RETURN(config,
                           LoadConfig(kSystemConfig, std::move(config)));
  }
  if (!arguments.log_level.empty()) config.log_level = arguments.log_level;
  return config;
}

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
  spdlog::info("usherd {} ready at {}", USHER_VERSION, config.socket);
  host.NotifyStatus("Ready");
  host.NotifyReady();

  Serve(config, host, stop);

  spdlog::info("stopping");
  host.NotifyStopping();
  session::Timers timers;
  timers.After(config.stop_timeout + kForceAfter, [] {
    spdlog::critical("did not stop in time; ending by force");
    spdlog::default_logger_raw()->flush();
    platform::ExitNow(kExitForced);
  });
  (*daemon)->Stop(kCallGrace);
  daemon->reset();
  spdlog::info("stopped");
  return 0;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "The Usher update service. Without options it is the machine's service, "
      "configured by /etc/usher/usherd.toml if there is one.",
      "usherd");
  app.add_option("--config", arguments.config, "Configuration file (TOML)")
      ->type_name("FILE");
  app.add_option("--state-dir", arguments.state_dir,
                 "Keep everything below this folder: a private service that "
                 "needs no privileges")
      ->type_name("DIR");
  app.add_option("--log-level", arguments.log_level,
                 "Overrides log.level of the configuration")
      ->check(
          CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  app.add_flag("--check-config", arguments.check_config,
               "Check the configuration and exit");
  app.set_version_flag("--version", "usherd " USHER_VERSION);
  app.footer(
      "Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage, 3 bad "
      "configuration, 4 already running, 5 ended by force.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }

  const absl::StatusOr<Config> config = MakeConfig(arguments);
  if (!config.ok()) return Fail(config.status(), kExitConfig);
  if (arguments.check_config) {
    std::puts("The configuration is good.");
    return 0;
  }

  absl::Notification stop;
  absl::StatusOr<std::unique_ptr<platform::Host>> host =
      platform::Host::Create({[&stop] { stop.Notify(); }, kExitForced});
  if (!host.ok()) return Fail(host.status(), kExitFailure);
  platform::KeepHeapSmall();
  platform::RaiseFileLimit();
  if (const absl::Status log = StartLog(*config, (*host)->IsManaged());
      !log.ok()) {
    return Fail(log, kExitFailure);
  }
  const int code = Run(*config, **host, stop);
  StopLog();
  return code;
}

}  // namespace
}  // namespace usher::daemon

int main(int argc, char** argv) {
  try {
    return usher::daemon::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "usherd: %s\n", error.what());
    return 1;
  }
}
