#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/repository_check.h"
#include "publisher/update_checks.h"

namespace usher::publisher::cli {
namespace {

constexpr uint64_t kMaxRoot = uint64_t{512} * 1024;

struct Arguments {
  std::string location, root;
};

absl::Status RunVerify(const Arguments& arguments, const Output& output) {
  std::filesystem::path root = PathFromUtf8(arguments.root);
  if (root.empty()) {
    root = PathFromUtf8(arguments.location) / "root.json";
    std::error_code error;
    if (!IsHttpUrl(arguments.location) &&
        !std::filesystem::exists(PathFromUtf8(arguments.location), error)) {
      return Error(hr::kErrorFileNotFound,
                   absl::StrCat(arguments.location, " does not exist"),
                   arguments.location);
    }
    if (!std::filesystem::exists(root, error)) {
      return Error(hr::kEInvalidarg,
                   "give the trusted root with --root root.json", "--root");
    }
  }
  USHER_ASSIGN_OR_RETURN(const std::string trusted, ReadFile(root, kMaxRoot));
  USHER_ASSIGN_OR_RETURN(
      const CheckReport report,
      CheckRepository(arguments.location, trusted, PublicationTime()));
  output.Result({{"ok", true},
                 {"service_id", report.service_id},
                 {"service_name", report.service_name},
                 {"root_version", report.root_version},
                 {"timestamp_version", report.timestamp_version},
                 {"snapshot_version", report.snapshot_version},
                 {"targets_version", report.targets_version},
                 {"delegated_roles", report.delegated_roles},
                 {"expires", FormatUtc(report.expires)},
                 {"updates", report.updates},
                 {"payloads_verified", report.payloads_verified},
                 {"payloads_not_checked", report.payloads_not_checked},
                 {"payloads_absent", report.payloads_absent}});
  output.Line(absl::StrCat(
      "OK: ", report.service_name, " (", report.service_id, "), root ",
      report.root_version, ", timestamp ", report.timestamp_version,
      ", snapshot ", report.snapshot_version, ", targets ",
      report.targets_version,
      report.delegated_roles > 0
          ? absl::StrCat(", ", report.delegated_roles, " delegated")
          : "",
      ", valid until ", FormatUtc(report.expires)));
  output.Line(absl::StrCat(Counted(report.updates, "update"), ", ",
                           Counted(report.payloads_verified, "payload"),
                           " verified, ", report.payloads_not_checked,
                           " not checked, ", report.payloads_absent,
                           " left out on purpose"));
  return absl::OkStatus();
}

}  // namespace

void AddCheckCommands(CLI::App& app, Output& output, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "verify", "Check a published repository as a client would");
  command
      ->add_option("DIR|URL", arguments->location,
                   "The repository's folder, its public/ folder or its URL")
      ->required();
  command->add_option("--root", arguments->root,
                      "The trusted root.json (default: DIR/root.json)");
  AddJson(*command, output);
  command->footer(
      "Payload files are read and hashed in a folder, not over HTTP.\n"
      "Examples:\n"
      "  usher-publish verify repo\n"
      "  usher-publish verify https://updates.example.com --root root.json");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunVerify(*arguments, output); };
  });
}

}  // namespace usher::publisher::cli
