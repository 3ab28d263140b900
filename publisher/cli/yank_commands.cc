#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/human_time.h"
#include "publisher/yank.h"

namespace usher::publisher::cli {
namespace {

struct Arguments {
  std::string dir, reason;
  std::vector<std::string> updates;
  bool yank = true;
};

absl::Status Run(const Arguments& arguments, const Output& output) {
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(
      const std::vector<YankedUpdate> updates,
      arguments.yank
          ? YankUpdates(workspace, arguments.updates, arguments.reason,
                        PublicationTime())
          : UnyankUpdates(workspace, arguments.updates, PublicationTime()));
  nlohmann::json list = nlohmann::json::array();
  for (const YankedUpdate& update : updates) {
    const std::string change = !update.changed  ? "unchanged"
                               : arguments.yank ? "yanked"
                                                : "offered";
    list.push_back({{"update_id", update.update_id},
                    {"name", update.name},
                    {"version", update.version},
                    {"reason", update.reason},
                    {"change", change}});
    output.Line(absl::StrFormat("%-9s %s  %s %s", change, update.update_id,
                                update.name, update.version));
  }
  output.Result({{"updates", std::move(list)}});
  output.Line(absl::StrCat("Make it public with: usher-publish publish ",
                           arguments.dir));
  return absl::OkStatus();
}

std::shared_ptr<Arguments> Add(CLI::App& app, Output& output, Action& action,
                               const std::string& name, const std::string& help,
                               bool yank, CLI::App*& command) {
  auto arguments = std::make_shared<Arguments>();
  arguments->yank = yank;
  command = app.add_subcommand(name, help);
  AddDirectory(*command, arguments->dir);
  command
      ->add_option("UPDATE", arguments->updates,
                   "UpdateID, or a name that only one update has")
      ->required();
  AddJson(*command, output);
  command->callback([arguments, &output, &action] {
    action = [arguments, &output] { return Run(*arguments, output); };
  });
  return arguments;
}

}  // namespace

void AddYankCommands(CLI::App& app, Output& output, Action& action) {
  CLI::App* command = nullptr;
  auto yank = Add(app, output, action, "yank",
                  "Withdraw updates: no longer offered, but known where they "
                  "are installed",
                  true, command);
  command->add_option("--reason", yank->reason, "Why; it is published with it")
      ->required();
  command->footer(
      "What the update superseded is offered again. \"remove\" would make "
      "machines forget\nit, so that it could not be uninstalled there.\n"
      "Example:\n"
      "  usher-publish yank repo tool --reason \"loses data on NTFS\"");
  Add(app, output, action, "unyank", "Offer withdrawn updates again", false,
      command);
  command->footer("Example:\n  usher-publish unyank repo tool");
}

}  // namespace usher::publisher::cli
