// usher install, usher uninstall

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/job_runner.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "client/cli/update_view.h"
#include "common/error.h"

namespace usher::cli {
namespace {

struct InstallFlags {
  ScopeOptions scope;
  std::vector<std::string> names;
  bool all = false;
  bool accept_eula = false;
  bool force = false;
};

bool Succeeded(const UpdateResult& result) {
  return result.result_code == OperationResultCode::kSucceeded ||
         result.result_code == OperationResultCode::kSucceededWithErrors;
}

// Everything that is applicable, not installed and not hidden.
absl::StatusOr<std::vector<Update>> Everything(App& app,
                                               const ScopeOptions& scope) {
  USHER_ASSIGN_OR_RETURN(UpdateSearcher searcher, MakeSearcher(app, scope));
  USHER_ASSIGN_OR_RETURN(const SearchResult result, searcher.Search(""));
  for (const UpdateException& warning : result.Warnings()) app.Warn(warning);
  return std::vector<Update>(result.Updates().begin(), result.Updates().end());
}

// Sees to it that the terms of all updates are accepted.
absl::Status AcceptTerms(App& app, const std::vector<Update>& updates,
                         bool accept) {
  for (const Update& update : updates) {
    if (update.LastKnownState().eula_accepted) continue;
    bool agreed = accept;
    if (!agreed && app.console().settings().can_ask) {
      app.console().Line(
          {{absl::StrCat("Licence terms of ", Label(update)), Style::kBold}});
      app.console().Paragraph(update.EulaText(), 2);
      agreed = app.console().Ask("Do you accept these terms?", false);
    }
    if (!agreed) {
      return Error(hr::kWuEEulasDeclined,
                   absl::StrCat("the licence terms of ", Label(update),
                                " have not been accepted"),
                   update.Identity().update_id);
    }
    USHER_RETURN_IF_ERROR(update.AcceptEula());
  }
  return absl::OkStatus();
}

bool Confirm(App& app, const std::vector<Update>& updates,
             const std::string& verb) {
  if (app.globals().yes || !app.console().settings().can_ask) return true;
  int64_t bytes = 0;
  for (const Update& update : updates) {
    app.console().Line({{"  "},
                        {Label(update), Style::kBold},
                        {absl::StrCat("  ", update.Title())}});
    if (!update.LastKnownState().is_downloaded) {
      bytes += update.MaxDownloadSize();
    }
  }
  return app.console().Ask(
      absl::StrCat(
          verb, " ", Counted(static_cast<int64_t>(updates.size()), "update"),
          verb == "Install" && bytes > 0
              ? absl::StrCat(" (up to ", FormatBytes(bytes), " to download)")
              : "",
          "?"),
      true);
}

Report Declined(App& app, const std::string& command) {
  app.console().Note("Nothing done.");
  return MakeReport(kExitInterrupted,
                    {{"command", command}, {"declined", true}});
}

// Nothing is left to do.
Report NothingToDo(App& app, const std::string& command,
                   const std::string& remark) {
  app.console().Line(remark);
  Outcome outcome;
  outcome.result_code = OperationResultCode::kSucceeded;
  return OutcomeReport(command, outcome);
}

// Downloads what is missing. Those that failed move from `updates` to the
// outcome that is returned.
absl::StatusOr<Outcome> DownloadMissing(App& app,
                                        std::vector<Update>& updates) {
  USHER_RETURN_IF_ERROR(UpdateCollection(updates).Refresh());
  std::vector<Update> missing;
  std::copy_if(updates.begin(), updates.end(), std::back_inserter(missing),
               [](const Update& update) {
                 return !update.LastKnownState().is_downloaded;
               });
  Outcome failed;
  failed.result_code = OperationResultCode::kSucceeded;
  if (missing.empty()) return failed;
  USHER_ASSIGN_OR_RETURN(const Outcome outcome,
                         RunDownload(app, missing, /*forced=*/true));
  failed.hresult = outcome.hresult;
  failed.result_code = outcome.result_code;
  failed.job = outcome.job;
  for (size_t i = 0; i < missing.size(); ++i) {
    if (Succeeded(outcome.results[i])) continue;
    failed.updates.push_back(missing[i]);
    failed.results.push_back(outcome.results[i]);
    const UpdateIdentity identity = missing[i].Identity();
    updates.erase(std::find_if(updates.begin(), updates.end(),
                               [&identity](const Update& update) {
                                 return update.Identity() == identity;
                               }));
  }
  return failed;
}

// Adds what failed to download to the outcome of the installation.
void Merge(const Outcome& failed, Outcome& outcome) {
  if (failed.updates.empty()) return;
  const bool any =
      std::any_of(outcome.results.begin(), outcome.results.end(), Succeeded);
  outcome.updates.insert(outcome.updates.end(), failed.updates.begin(),
                         failed.updates.end());
  outcome.results.insert(outcome.results.end(), failed.results.begin(),
                         failed.results.end());
  if (outcome.result_code == OperationResultCode::kAborted) return;
  outcome.result_code = any ? OperationResultCode::kSucceededWithErrors
                            : OperationResultCode::kFailed;
  outcome.hresult = any ? hr::kWuSUpdateError : failed.hresult;
}

absl::StatusOr<Report> Install(App& app, const InstallFlags& flags) {
  std::vector<Update> updates;
  if (flags.all) {
    USHER_ASSIGN_OR_RETURN(updates, Everything(app, flags.scope));
  } else {
    USHER_ASSIGN_OR_RETURN(
        updates, ResolveUpdates(app, flags.scope, Wanted{}, flags.names));
    if (!flags.force) {
      // Asked for by name: what is there already is worth a word.
      std::erase_if(updates, [&app](const Update& update) {
        if (!update.IsInstalled()) return false;
        app.console().Note(
            absl::StrCat(Label(update), " is installed already."));
        return true;
      });
    }
  }
  if (updates.empty()) {
    return NothingToDo(app, "install", "There is nothing to install.");
  }
  // Who may not install learns it before anything is asked or downloaded.
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_RETURN_IF_ERROR(session->CreateUpdateInstaller().status());
  if (!Confirm(app, updates, "Install")) return Declined(app, "install");
  USHER_RETURN_IF_ERROR(AcceptTerms(app, updates, flags.accept_eula));
  USHER_ASSIGN_OR_RETURN(const Outcome failed, DownloadMissing(app, updates));
  Outcome outcome = failed;
  if (!updates.empty() && failed.result_code != OperationResultCode::kAborted) {
    USHER_ASSIGN_OR_RETURN(
        outcome,
        RunInstallation(app, updates, /*uninstall=*/false, flags.force));
    Merge(failed, outcome);
  }
  PrintOutcome(app.console(), outcome, "installed");
  return OutcomeReport("install", outcome);
}

absl::StatusOr<Report> Uninstall(App& app, const InstallFlags& flags) {
  Wanted wanted;
  wanted.not_installed = flags.force;
  wanted.include_superseded = true;
  USHER_ASSIGN_OR_RETURN(const std::vector<Update> updates,
                         ResolveUpdates(app, flags.scope, wanted, flags.names));
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_RETURN_IF_ERROR(session->CreateUpdateInstaller().status());
  if (!Confirm(app, updates, "Uninstall")) return Declined(app, "uninstall");
  USHER_ASSIGN_OR_RETURN(
      const Outcome outcome,
      RunInstallation(app, updates, /*uninstall=*/true, flags.force));
  PrintOutcome(app.console(), outcome, "uninstalled");
  return OutcomeReport("uninstall", outcome);
}

}  // namespace

void AddInstallVerbs(CLI::App& parser, const Choose& choose) {
  auto flags = std::make_shared<InstallFlags>();
  CLI::App* install = parser.add_subcommand(
      "install", "Install updates; downloads them first if needed");
  auto* names = install->add_option("NAME", flags->names, "Names or UpdateIDs");
  auto* all = install->add_flag("--all", flags->all,
                                "Everything that is applicable and not hidden");
  names->excludes(all);
  install->add_flag("--accept-eula", flags->accept_eula,
                    "Accept the licence terms of all of them");
  install->add_flag("--force", flags->force, "Install again what is installed");
  AddScopeOptions(*install, flags->scope);
  install->footer(
      "Examples:\n"
      "  sudo usher install hello\n"
      "  sudo usher install --all --yes --accept-eula\n"
      "  sudo usher install 6b1f2c64-52a4-4d0e-9d2b-0f8f6a6f0d11 --json");
  install->callback([flags, choose] {
    if (flags->names.empty() && !flags->all) {
      throw CLI::RequiredError("NAME or --all");
    }
    choose([flags](App& app) { return Install(app, *flags); });
  });

  auto removal = std::make_shared<InstallFlags>();
  CLI::App* uninstall =
      parser.add_subcommand("uninstall", "Remove installed updates");
  uninstall->add_option("NAME", removal->names, "Names or UpdateIDs")
      ->required();
  uninstall->add_flag("--force", removal->force,
                      "Try also what counts as not installed");
  AddScopeOptions(*uninstall, removal->scope);
  uninstall->footer(
      "Examples:\n"
      "  sudo usher uninstall hello\n"
      "  sudo usher uninstall hello tree --yes");
  uninstall->callback([removal, choose] {
    choose([removal](App& app) { return Uninstall(app, *removal); });
  });
}

}  // namespace usher::cli
