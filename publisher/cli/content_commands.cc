#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/utf8.h"
#include "common/uuid.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/cli/staging_options.h"
#include "publisher/human_time.h"
#include "publisher/intake.h"
#include "publisher/staging.h"

namespace usher::publisher::cli {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxText = uint64_t{256} * 1024;

absl::string_view ChangeName(DraftChange change) {
  switch (change) {
    case DraftChange::kAdded:
      return "added";
    case DraftChange::kRevised:
      return "revised";
    default:
      return "unchanged";
  }
}

std::vector<std::filesystem::path> Paths(
    const std::vector<std::string>& files) {
  std::vector<std::filesystem::path> paths;
  paths.reserve(files.size());
  for (const std::string& file : files) paths.push_back(PathFromUtf8(file));
  return paths;
}

void PrintItems(const std::vector<IntakeItem>& items, const std::string& verb,
                const std::string& dir, const Output& output) {
  Json list = Json::array();
  for (const IntakeItem& item : items) {
    const std::string change =
        verb.empty() ? std::string(ChangeName(item.change)) : verb;
    list.push_back({{"file", item.file},
                    {"update_id", item.update_id},
                    {"revision", item.revision},
                    {"title", item.title},
                    {"change", change}});
    output.Line(absl::StrFormat("%-9s %s:%d  %s", change, item.update_id,
                                item.revision, item.title));
  }
  output.Result({{"updates", list}});
  output.Line(absl::StrCat("Make it public with: usher-publish publish ", dir));
}

struct AddArguments {
  std::string dir;
  std::vector<std::string> files;
};

absl::Status RunAdd(const AddArguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(const std::vector<IntakeItem> items,
                         AddDescriptionFiles(workspace, Paths(arguments.files),
                                             PublicationTime()));
  PrintItems(items, "", arguments.dir, output);
  return absl::OkStatus();
}

absl::Status RunRemove(const AddArguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(const std::vector<IntakeItem> items,
                         RemoveUpdates(workspace, arguments.files));
  PrintItems(items, "removed", arguments.dir, output);
  return absl::OkStatus();
}

struct DebArguments {
  std::string dir, handler = "deb", eula, release_notes, support_url;
  std::string severity, min_os, reboot = "never", rollout_percent;
  std::vector<std::string> files, categories, channels, supersedes = {"auto"};
};

// "" for no file.
absl::StatusOr<std::string> ReadText(const std::string& file,
                                     absl::string_view option) {
  if (file.empty()) return "";
  USHER_ASSIGN_OR_RETURN(std::string text,
                         ReadFile(PathFromUtf8(file), kMaxText));
  if (IsValidUtf8(text)) return text;
  return Error(hr::kEInvalidarg, absl::StrCat(file, " is not UTF-8"), option);
}

absl::StatusOr<DebOptions> OptionsOf(const DebArguments& arguments) {
  DebOptions options;
  options.installer = arguments.handler == "archive" ? DebInstaller::kArchive
                                                     : DebInstaller::kDeb;
  USHER_ASSIGN_OR_RETURN(options.eula_text, ReadText(arguments.eula, "--eula"));
  USHER_ASSIGN_OR_RETURN(options.release_notes,
                         ReadText(arguments.release_notes, "--release-notes"));
  options.support_url = arguments.support_url;
  options.msrc_severity = arguments.severity;
  options.supersede_older = false;
  for (const std::string& item : arguments.supersedes) {
    if (item == "auto") {
      options.supersede_older = true;
    } else if (item != "none") {
      USHER_ASSIGN_OR_RETURN(std::string id, CanonicalUuid(item));
      options.superseded_update_ids.push_back(std::move(id));
    }
  }
  if (const size_t colon = arguments.min_os.find(':');
      colon != std::string::npos) {
    options.min_os_distribution = arguments.min_os.substr(0, colon);
    options.min_os_version = arguments.min_os.substr(colon + 1);
  }
  options.reboot =
      arguments.reboot == "always"
          ? usher::v1::INSTALLATION_REBOOT_BEHAVIOR_ALWAYS_REQUIRES_REBOOT
      : arguments.reboot == "can_request"
          ? usher::v1::INSTALLATION_REBOOT_BEHAVIOR_CAN_REQUEST_REBOOT
          : usher::v1::INSTALLATION_REBOOT_BEHAVIOR_NEVER_REBOOTS;
  options.basis_points = ParsePercent(arguments.rollout_percent);
  options.channels = arguments.channels;
  return options;
}

absl::Status RunAddDeb(const DebArguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(DebOptions options, OptionsOf(arguments));
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(
      const std::vector<IntakeItem> items,
      AddDebFiles(workspace, Paths(arguments.files), std::move(options),
                  arguments.categories, PublicationTime()));
  PrintItems(items, "", arguments.dir, output);
  return absl::OkStatus();
}

struct ListArguments {
  std::string dir, filter;
};

absl::Status RunList(const ListArguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      const Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kRead));
  USHER_ASSIGN_OR_RETURN(const Draft draft, workspace.LoadDraft());
  Json list = Json::array();
  for (const DraftEntry* entry : draft.Sorted()) {
    if (!absl::StrContains(entry->name, arguments.filter)) continue;
    const auto description = entry->Parse();
    int64_t bytes = 0;
    for (const auto& payload : description.payloads()) bytes += payload.size();
    const usher::v1::Update& update = description.update();
    const Staging staging = StagingOf(description);
    if (output.json) {
      list.push_back(
          {{"update_id", entry->update_id},
           {"revision", entry->revision},
           {"name", entry->name},
           {"version", entry->version},
           {"title", update.title()},
           {"bytes", bytes},
           {"rollout_percent", PercentNumber(staging.basis_points)},
           {"channels", staging.channels},
           {"yanked", description.has_yanked()
                          ? Json(description.yanked().reason())
                          : Json()},
           {"superseded_update_ids",
            std::vector<std::string>(update.superseded_update_ids().begin(),
                                     update.superseded_update_ids().end())}});
    }
    const bool staged = staging != Staging{};
    output.Line(absl::StrCat(
        absl::StrFormat("%s:%d  %-24s %-20s %12d", entry->update_id,
                        entry->revision, entry->name, entry->version, bytes),
        staged ? "  " : "", staged ? DescribeStaging(staging) : "",
        description.has_yanked()
            ? absl::StrCat("  yanked: ", description.yanked().reason())
            : ""));
  }
  output.Result({{"service_id", workspace.settings().service_id},
                 {"service_name", workspace.settings().service_name},
                 {"updates", std::move(list)}});
  return absl::OkStatus();
}

absl::Status RunShow(const ListArguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      const Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kRead));
  USHER_ASSIGN_OR_RETURN(const Draft draft, workspace.LoadDraft());
  std::vector<const DraftEntry*> found = draft.Named(arguments.filter);
  if (const auto id = CanonicalUuid(arguments.filter); id.ok()) {
    if (const DraftEntry* entry = draft.Find(*id); entry != nullptr) {
      found = {entry};
    }
  }
  if (found.empty()) {
    return Error(hr::kWuEDsNodataNosuchrevision,
                 absl::StrCat("there is no update \"", arguments.filter,
                              "\" in the repository; see \"usher-publish "
                              "list\""),
                 arguments.filter);
  }
  Json list = Json::array();
  Json offers = Json::array();
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  for (const DraftEntry* entry : found) {
    std::string text;
    const auto description = entry->Parse();
    const auto status =
        google::protobuf::util::MessageToJsonString(description, &text, print);
    if (!status.ok()) return Error(hr::kEUnexpected, status.ToString());
    list.push_back(Json::parse(text, nullptr, /*allow_exceptions=*/false));
    output.Line(
        list.back().dump(2, ' ', false, Json::error_handler_t::replace));
    const Staging staging = StagingOf(description);
    offers.push_back({{"update_id", entry->update_id},
                      {"rollout_percent", PercentNumber(staging.basis_points)},
                      {"channels", staging.channels}});
    // Beside the JSON, which other programs may read.
    if (!output.json) {
      output.Note(absl::StrCat(entry->name, " ", entry->version,
                               " is offered to ", DescribeStaging(staging)));
    }
  }
  output.Result({{"updates", std::move(list)}, {"offers", std::move(offers)}});
  return absl::OkStatus();
}

std::string CheckSupersedes(const std::string& text) {
  return text == "auto" || text == "none" || CanonicalUuid(text).ok()
             ? ""
             : "must be auto, none or an UpdateID";
}

std::string CheckMinOs(const std::string& text) {
  const size_t colon = text.find(':');
  return colon == 0 || colon == std::string::npos || colon + 1 == text.size()
             ? "must be DISTRIBUTION:VERSION, for example debian:12"
             : "";
}

void AddDebCommand(CLI::App& app, Output& output, Action& action) {
  auto arguments = std::make_shared<DebArguments>();
  CLI::App* command = app.add_subcommand(
      "add-deb", "Add Debian packages; each version is an update");
  AddDirectory(*command, arguments->dir);
  command->add_option("FILE", arguments->files, ".deb files")->required();
  command
      ->add_option("--handler", arguments->handler,
                   "deb: dpkg installs it; archive: its files go to a "
                   "versioned folder")
      ->check(CLI::IsMember({"deb", "archive"}))
      ->capture_default_str();
  command
      ->add_option("--supersedes", arguments->supersedes,
                   "auto: every older version in the repository; none; or "
                   "UpdateIDs")
      ->check(CheckSupersedes)
      ->allow_extra_args(false)  // what follows is a FILE again
      ->default_str("auto");
  command
      ->add_option("--category", arguments->categories,
                   "Category, by name or id; repeatable")
      ->allow_extra_args(false);
  command->add_option("--eula", arguments->eula,
                      "File with licence terms to accept");
  command->add_option("--release-notes", arguments->release_notes,
                      "File with release notes");
  command->add_option("--support-url", arguments->support_url,
                      "Where users find help");
  command->add_option("--severity", arguments->severity, "Severity")
      ->check(CLI::IsMember({"Critical", "Important", "Moderate", "Low"}));
  command
      ->add_option("--min-os", arguments->min_os,
                   "Least system, DISTRIBUTION:VERSION")
      ->check(CheckMinOs);
  command
      ->add_option("--reboot", arguments->reboot,
                   "Whether installing needs a restart")
      ->check(CLI::IsMember({"never", "can_request", "always"}))
      ->capture_default_str();
  command
      ->add_option("--rollout-percent", arguments->rollout_percent,
                   "Offer it to this share of the machines: 0 to 100 "
                   "(default: as it is in the repository, else 100)")
      ->check(CheckPercent);
  command
      ->add_option("--channel", arguments->channels,
                   "Offer it only to machines that follow this channel; "
                   "repeatable (default: as it is in the repository)")
      ->check(CheckChannel)
      ->allow_extra_args(false);
  AddJson(*command, output);
  command->footer(
      "Examples:\n"
      "  usher-publish add-deb repo hello_2.10-3_amd64.deb\n"
      "  usher-publish add-deb repo *.deb --handler archive \\\n"
      "      --category \"Security Updates\" --eula licence.txt");
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return RunAddDeb(*arguments, output); };
  });
}

}  // namespace

void AddContentCommands(CLI::App& app, Output& output, Action& action) {
  for (const bool add : {true, false}) {
    auto arguments = std::make_shared<AddArguments>();
    CLI::App* command =
        add ? app.add_subcommand("add", "Add updates from description files")
            : app.add_subcommand("remove", "Remove updates");
    AddDirectory(*command, arguments->dir);
    command
        ->add_option(add ? "UPDATE.toml" : "UPDATEID", arguments->files,
                     add ? "Update description files (docs/publishing.md)"
                         : "UPDATEID or UPDATEID:REVISION")
        ->required();
    AddJson(*command, output);
    command->footer(add ? "Example:\n  usher-publish add repo tool-2.0.toml"
                        : "Example:\n  usher-publish remove repo "
                          "2f1f6a3e-6f5c-4f6c-9c0e-0a8d0c1b2a3f:1");
    command->callback([arguments, add, &output, &action] {
      action = [arguments, add, &output] {
        return add ? RunAdd(*arguments, output) : RunRemove(*arguments, output);
      };
    });
  }
  AddDebCommand(app, output, action);
  for (const bool list : {true, false}) {
    auto arguments = std::make_shared<ListArguments>();
    CLI::App* command =
        list ? app.add_subcommand("list", "List the repository's updates")
             : app.add_subcommand("show", "Show an update's description");
    AddDirectory(*command, arguments->dir);
    if (list) {
      command->add_option("--name", arguments->filter,
                          "Only names that contain this");
    } else {
      command->add_option("UPDATE", arguments->filter, "UpdateID or name")
          ->required();
    }
    AddJson(*command, output);
    command->footer(list ? "Example:\n  usher-publish list repo --name hello"
                         : "Example:\n  usher-publish show repo hello");
    command->callback([arguments, list, &output, &action] {
      action = [arguments, list, &output] {
        return list ? RunList(*arguments, output) : RunShow(*arguments, output);
      };
    });
  }
}

}  // namespace usher::publisher::cli
