#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/cli/commands.h"
#include "publisher/cli/options.h"
#include "publisher/cli/output.h"
#include "publisher/cli/staging_options.h"
#include "publisher/human_time.h"
#include "publisher/rollout.h"

namespace usher::publisher::cli {
namespace {

struct Arguments {
  std::string dir, update, percent;
  std::vector<std::string> channels;
  bool all_channels = false;
};

absl::Status RunRollout(const Arguments& arguments, const Output& output) {
  RolloutRequest request;
  request.basis_points = ParsePercent(arguments.percent);
  if (arguments.all_channels || !arguments.channels.empty()) {
    request.channels = arguments.channels;
  }
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      Workspace::Open(PathFromUtf8(arguments.dir), Workspace::Mode::kWrite));
  USHER_ASSIGN_OR_RETURN(
      const RolloutResult result,
      ChangeRollout(workspace, arguments.update, request, PublicationTime()));
  const bool changed = result.change != DraftChange::kUnchanged;
  const std::string change = changed ? "revised" : "unchanged";
  output.Result(
      {{"updates",
        {{{"update_id", result.update_id},
          {"revision", result.revision},
          {"name", result.name},
          {"title", result.title},
          {"change", change},
          {"rollout_percent", PercentNumber(result.after.basis_points)},
          {"channels", result.after.channels},
          {"previous_rollout_percent",
           PercentNumber(result.before.basis_points)},
          {"previous_channels", result.before.channels}}}}});
  output.Line(absl::StrCat(change, "  ", result.update_id, ":", result.revision,
                           "  ", result.title));
  output.Line(absl::StrCat("Offered to ", DescribeStaging(result.after),
                           changed ? "; before: " : "",
                           changed ? DescribeStaging(result.before) : ""));
  if (changed) {
    output.Line(absl::StrCat("Make it public with: usher-publish publish ",
                             arguments.dir));
  }
  if (result.after.basis_points < result.before.basis_points) {
    output.Note("machines that have installed it keep it");
  }
  return absl::OkStatus();
}

}  // namespace

void AddRolloutCommand(CLI::App& app, Output& output, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "rollout", "Change which share of the machines is offered an update");
  AddDirectory(*command, arguments->dir);
  command->add_option("UPDATE", arguments->update, "UpdateID or name")
      ->required();
  command
      ->add_option("PERCENT", arguments->percent,
                   "Share of the machines, 0 to 100 in steps of 0.01; 100 ends "
                   "the rollout (default: as it is)")
      ->check(CheckPercent);
  CLI::Option* channels =
      command
          ->add_option("--channel", arguments->channels,
                       "Offer it only to machines that follow this channel; "
                       "repeatable")
          ->check(CheckChannel)
          ->allow_extra_args(false);
  command
      ->add_flag("--all-channels", arguments->all_channels,
                 "Offer it whatever channels a machine follows")
      ->excludes(channels);
  AddJson(*command, output);
  command->footer(
      "The update gets its next revision. A greater share only adds machines;\n"
      "a smaller one takes the update from none that has it.\n"
      "Examples:\n"
      "  usher-publish rollout repo hello 25\n"
      "  usher-publish rollout repo hello 100 --all-channels\n"
      "  usher-publish rollout repo hello --channel beta --channel early");
  command->callback([arguments, &output, &action] {
    if (arguments->percent.empty() && arguments->channels.empty() &&
        !arguments->all_channels) {
      throw CLI::RequiredError("PERCENT, --channel or --all-channels");
    }
    action = [arguments, &output] { return RunRollout(*arguments, output); };
  });
}

}  // namespace usher::publisher::cli
