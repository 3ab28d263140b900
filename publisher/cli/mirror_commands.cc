#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/mirror.h"
#include "publisher/pack.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxRoot = uint64_t{512} * 1024;
constexpr char kExitCodes[] =
    "Exit codes: 0 done; 4 done, but a vendor's document has expired or its "
    "files are\ndamaged, which clients leave out (standard error says which); "
    "1 "
    "failed, 2 usage.";

struct Arguments {
  std::string from, to, root, keep_for;
  std::vector<std::string> names, updates;
  bool no_payloads = false;
  bool prune = false;
};

absl::StatusOr<MirrorOptions> OptionsOf(const Arguments& arguments) {
  MirrorOptions options;
  options.names = arguments.names;
  for (const std::string& id : arguments.updates) {
    USHER_ASSIGN_OR_RETURN(std::string canonical, CanonicalUuid(id));
    options.update_ids.push_back(std::move(canonical));
  }
  options.payloads = !arguments.no_payloads;
  options.prune = arguments.prune;
  USHER_ASSIGN_OR_RETURN(options.keep_unnamed,
                         SpanOr(arguments.keep_for, options.keep_unnamed));
  return options;
}

Json ToJson(const MirrorResult& result) {
  Json faults = Json::array();
  for (const RoleFault& fault : result.faults) {
    faults.push_back({{"vendor", fault.role},
                      {"expired", fault.kind == RoleFault::Kind::kExpired},
                      {"message", std::string(fault.status.message())}});
  }
  return {{"timestamp_version", result.timestamp_version},
          {"updates", result.updates},
          {"payloads", result.payloads},
          {"payloads_elsewhere", result.payloads_elsewhere},
          {"payloads_absent", result.payloads_absent},
          {"files_copied", result.files_copied},
          {"bytes_copied", result.bytes_copied},
          {"files_removed", result.files_removed},
          {"files_unnamed", result.files_unnamed},
          {"faults", std::move(faults)}};
}

void Notes(const MirrorResult& result, Output& output) {
  for (const RoleFault& fault : result.faults) {
    output.Note(absl::StrCat(
        "vendor ", fault.role, ": ", fault.status.message(),
        fault.kind == RoleFault::Kind::kExpired
            ? "; it was copied as it is, and clients leave this vendor out "
              "until it publishes again"
            : "; it was left out, and the rest was copied"));
    output.exit_code = kRemarksExitCode;
  }
  if (result.payloads_elsewhere > 0) {
    output.Note(absl::StrCat(result.payloads_elsewhere,
                             " payloads lie on other servers, by their own "
                             "URLs, and were not copied"));
  }
  if (result.payloads_absent > 0) {
    output.Note(absl::StrCat(Counted(result.payloads_absent, "payload"),
                             result.payloads_absent == 1 ? " was" : " were",
                             " left out on purpose by the publisher"));
  }
}

absl::Status RunMirror(const Arguments& arguments, Output& output) {
  USHER_ASSIGN_OR_RETURN(const MirrorOptions options, OptionsOf(arguments));
  USHER_ASSIGN_OR_RETURN(const std::string root,
                         ReadFile(PathFromUtf8(arguments.root), kMaxRoot));
  const auto source = OpenRepositorySource(arguments.from);
  USHER_ASSIGN_OR_RETURN(const MirrorResult result,
                         Mirror(*source, root, PathFromUtf8(arguments.to),
                                options, PublicationTime()));
  output.Result(ToJson(result));
  output.Line(absl::StrCat(
      "Mirrored ", Counted(result.updates, "update"), ", timestamp ",
      result.timestamp_version, ": ", Counted(result.payloads, "payload"), ", ",
      Counted(result.files_copied, "file"), " copied, ",
      Counted(result.bytes_copied, "byte"),
      result.files_removed > 0
          ? absl::StrCat(", ", Counted(result.files_removed, "file"),
                         " removed")
          : ""));
  Notes(result, output);
  return absl::OkStatus();
}

absl::Status RunPack(const Arguments& arguments, Output& output) {
  USHER_ASSIGN_OR_RETURN(const MirrorOptions options, OptionsOf(arguments));
  USHER_ASSIGN_OR_RETURN(const std::string root,
                         ReadFile(PathFromUtf8(arguments.root), kMaxRoot));
  const auto source = OpenRepositorySource(arguments.from);
  USHER_ASSIGN_OR_RETURN(const PackResult result,
                         Pack(*source, root, PathFromUtf8(arguments.to),
                              options, PublicationTime()));
  Json json = ToJson(result.content);
  json["members"] = result.members;
  json["bytes"] = result.bytes;
  output.Result(json);
  output.Line(absl::StrCat("Packed ", Counted(result.content.updates, "update"),
                           ", timestamp ", result.content.timestamp_version,
                           ": ", Counted(result.content.payloads, "payload"),
                           ", ", Counted(result.members, "file"), ", ",
                           Counted(result.bytes, "byte")));
  output.Line(
      absl::StrCat("On a machine: sudo usher services add-scan-package ",
                   arguments.to, " --root root.json"));
  Notes(result.content, output);
  return absl::OkStatus();
}

std::string CheckUuid(const std::string& text) {
  return CanonicalUuid(text).ok() ? "" : "must be an UpdateID";
}

CLI::App* Add(CLI::App& app, Output& output, Action& action,
              const std::string& name, const std::string& help,
              const std::string& to,
              const std::shared_ptr<Arguments>& arguments,
              absl::Status (*run)(const Arguments&, Output&)) {
  CLI::App* command = app.add_subcommand(name, help);
  command
      ->add_option("FROM", arguments->from,
                   "The repository's folder, its public/ folder or its URL")
      ->required();
  command->add_option(to, arguments->to, "Where it goes")->required();
  command->add_option("--root", arguments->root, "The trusted root.json")
      ->required();
  command
      ->add_option("--name", arguments->names,
                   "Payloads of updates of this name only; * stands for any "
                   "text; repeatable")
      ->allow_extra_args(false);
  command
      ->add_option("--update", arguments->updates,
                   "Payloads of this UpdateID; repeatable")
      ->check(CheckUuid)
      ->allow_extra_args(false);
  command->add_flag("--no-payloads", arguments->no_payloads,
                    "Metadata and catalogs only");
  AddJson(*command, output);
  command->callback([arguments, run, &output, &action] {
    action = [arguments, run, &output] { return run(*arguments, output); };
  });
  return command;
}

}  // namespace

void AddMirrorCommands(CLI::App& app, Output& output, Action& action) {
  auto mirror = std::make_shared<Arguments>();
  CLI::App* command =
      Add(app, output, action, "mirror",
          "Copy a published repository, verified, to serve it elsewhere", "DIR",
          mirror, &RunMirror);
  command->add_flag("--prune", mirror->prune,
                    "Remove what the copied state no longer names");
  AddSpan(*command, "--keep-for", mirror->keep_for,
          "With --prune: but keep for readers what it named within this time "
          "(default: 1 day); 0: nothing");
  command->footer(
      "Run it again to bring the mirror up to date; only what is new is "
      "fetched.\n"
      "Examples:\n"
      "  usher-publish mirror https://updates.example.com /srv/mirror \\\n"
      "      --root root.json\n"
      "  usher-publish mirror repo part --root root.json --name 'tool*'\n" +
      std::string(kExitCodes));
  auto pack = std::make_shared<Arguments>();
  Add(app, output, action, "pack",
      "Make one file of a repository, for machines without a network", "FILE",
      pack, &RunPack)
      ->footer(
          "Example:\n"
          "  usher-publish pack repo updates.usp --root root.json\n"
          "  sudo usher services add-scan-package updates.usp --root "
          "root.json\n" +
          std::string(kExitCodes));
}

}  // namespace usher::publisher::cli
