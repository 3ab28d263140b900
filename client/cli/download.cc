// usher download

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/app.h"
#include "client/cli/job_runner.h"
#include "client/cli/resolve.h"
#include "common/error.h"

namespace usher::cli {
namespace {

struct DownloadFlags {
  ScopeOptions scope;
  std::vector<std::string> names;
  bool force = false;
};

absl::StatusOr<Report> Download(App& app, const DownloadFlags& flags) {
  USHER_ASSIGN_OR_RETURN(
      const std::vector<Update> updates,
      ResolveUpdates(app, flags.scope, Wanted{}, flags.names));
  USHER_ASSIGN_OR_RETURN(const Outcome outcome,
                         RunDownload(app, updates, flags.force));
  PrintOutcome(app.console(), outcome, "downloaded");
  return OutcomeReport("download", outcome);
}

}  // namespace

void AddDownloadVerb(CLI::App& parser, const Choose& choose) {
  auto flags = std::make_shared<DownloadFlags>();
  CLI::App* verb = parser.add_subcommand(
      "download", "Fetch updates into the cache without installing them");
  verb->add_option("NAME", flags->names, "Names or UpdateIDs")->required();
  verb->add_flag("--force", flags->force,
                 "Also what is installed or not applicable");
  AddScopeOptions(*verb, flags->scope);
  verb->footer(
      "Examples:\n"
      "  sudo usher download hello\n"
      "  sudo usher download hello tree --json");
  verb->callback([flags, choose] {
    choose([flags](App& app) { return Download(app, *flags); });
  });
}

}  // namespace usher::cli
