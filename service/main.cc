// usherd, the Usher service.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/program_arguments.h"
#include "service/config.h"
#include "service/logging.h"
#include "service/platform/machine_folders.h"
#include "service/platform/service_entry.h"
#include "service/platform/service_registration.h"
#include "service/run.h"

namespace usher::daemon {
namespace {

struct Arguments {
  std::string config;
  std::string state_dir;
  std::string log_level;
  bool check_config = false;
};

// An unset variable, most likely; it must not mean the machine's own.
std::string CheckNotEmpty(const std::string& value) {
  return value.empty() ? "must not be empty" : "";
}

int Fail(const absl::Status& status, int code) {
  ReportFailure(status.message());
  return code;
}

// Paths are made absolute: a service starts in a folder of the system's.
absl::Status MakeAbsolute(const char* option, std::string& path) {
  if (path.empty()) return absl::OkStatus();
  std::error_code error;
  const std::filesystem::path absolute =
      std::filesystem::absolute(PathFromUtf8(path), error).lexically_normal();
  if (error) {
    return Error(hr::kEInvalidarg, absl::StrCat(option, " is no usable path"),
                 path);
  }
  path = PathToUtf8(absolute);
  return absl::OkStatus();
}

absl::StatusOr<Config> MakeConfig(Arguments& arguments) {
  USHER_RETURN_IF_ERROR(MakeAbsolute("--config", arguments.config));
  USHER_RETURN_IF_ERROR(MakeAbsolute("--state-dir", arguments.state_dir));
  Config config = DefaultConfig(PathFromUtf8(arguments.state_dir));
  const std::filesystem::path machine =
      platform::GetMachineFolders().config_file;
  std::error_code error;
  if (!arguments.config.empty()) {
    USHER_ASSIGN_OR_RETURN(
        config, LoadConfig(PathFromUtf8(arguments.config), std::move(config)));
  } else if (arguments.state_dir.empty()) {
    // A private instance does not follow the machine's configuration.
    USHER_RETURN_IF_ERROR(platform::CheckOwner(machine.parent_path()));
    if (std::filesystem::exists(machine, error)) {
      USHER_RETURN_IF_ERROR(platform::CheckOwner(machine));
      USHER_ASSIGN_OR_RETURN(config, LoadConfig(machine, std::move(config)));
    }
  }
  if (!arguments.log_level.empty()) config.log_level = arguments.log_level;
  return config;
}

int Run(Arguments arguments) {
  const absl::StatusOr<Config> config = MakeConfig(arguments);
  if (!config.ok()) return Fail(config.status(), kExitConfig);
  if (arguments.check_config) {
    std::puts("The configuration is good.");
    return 0;
  }
  return RunDaemon(*config);
}

int Install(Arguments arguments) {
  const absl::StatusOr<Config> config = MakeConfig(arguments);
  if (!config.ok()) return Fail(config.status(), kExitConfig);
  platform::ServiceRegistration registration;
  registration.stop_time = LongestStop(*config);
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{
                                        "--config", arguments.config},
                                    {"--state-dir", arguments.state_dir},
                                    {"--log-level", arguments.log_level}}) {
    if (value.empty()) continue;
    registration.arguments.emplace_back(name);
    registration.arguments.push_back(value);
  }
  const absl::StatusOr<std::vector<std::string>> remarks =
      platform::RegisterService(registration);
  if (!remarks.ok()) return Fail(remarks.status(), kExitFailure);
  for (const std::string& remark : *remarks) {
    std::fprintf(stderr, "usherd: %s\n", remark.c_str());
  }
  // Nobody else is to make it first.
  if (const absl::Status folder = platform::MakeStateFolder(
          config->state_dir, config->world_accessible);
      !folder.ok()) {
    return Fail(folder, kExitFailure);
  }
  std::puts("The service usherd is installed; start it with: sc start usherd");
  return 0;
}

int Stop() {
  if (const absl::Status status = platform::StopRegisteredService();
      !status.ok()) {
    return Fail(status, kExitFailure);
  }
  std::puts("The service usherd does not run.");
  return 0;
}

int Uninstall() {
  if (const absl::Status status = platform::UnregisterService(); !status.ok()) {
    return Fail(status, kExitFailure);
  }
  std::puts("The service usherd is gone. Its data and configuration stay.");
  return 0;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      absl::StrCat("The Usher update service. Without options it is the "
                   "machine's service, configured by ",
                   PathToUtf8(platform::GetMachineFolders().config_file),
                   " if there is one."),
      "usherd");
  app.add_option("--config", arguments.config, "Configuration file (TOML)")
      ->type_name("FILE")
      ->check(&CheckNotEmpty);
  app.add_option("--state-dir", arguments.state_dir,
                 "Keep everything below this folder: a private service that "
                 "needs no privileges")
      ->type_name("DIR")
      ->check(&CheckNotEmpty);
  app.add_option("--log-level", arguments.log_level,
                 "Overrides log.level of the configuration")
      ->check(
          CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  app.add_flag("--check-config", arguments.check_config,
               "Check the configuration and exit");
  app.set_version_flag("--version", "usherd " USHER_VERSION);
  // The options may stand behind a command, too.
  app.fallthrough();
  app.require_subcommand(0, 1);
  const CLI::App* const run =
      app.add_subcommand("run", "Run in the foreground (default)");
  const CLI::App* install = nullptr;
  const CLI::App* stop = nullptr;
  const CLI::App* uninstall = nullptr;
  if (platform::CanRegisterService()) {
    install = app.add_subcommand(
        "install",
        "Register the service, or bring its registration up to date; the "
        "options are kept for it");
    stop = app.add_subcommand(
        "stop", "Stop the service and wait until its process has ended");
    uninstall = app.add_subcommand("uninstall",
                                   "Stop the service and remove its "
                                   "registration");
  }
  app.footer(
      "Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage, 3 bad "
      "configuration, 4 already running, 5 ended by force.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    // A service manager wants to be told by the service that it started.
    return platform::RunService([&app, &error] {
      ReportFailure(absl::StrCat(error.what(), "; see usherd --help"));
      return kExitUsage;
    });
  }
  if (install != nullptr && install->parsed()) return Install(arguments);
  if (stop != nullptr && stop->parsed()) return Stop();
  if (uninstall != nullptr && uninstall->parsed()) return Uninstall();
  if (run->parsed() || arguments.check_config) return Run(arguments);
  return platform::RunService([&arguments] { return Run(arguments); });
}

}  // namespace
}  // namespace usher::daemon

int main(int argc, char** argv) {
  try {
    usher::ProgramArguments arguments(argc, argv);
    return usher::daemon::Main(arguments.argc(), arguments.argv());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "usherd: %s\n", error.what());
    return usher::daemon::kExitFailure;
  }
}
