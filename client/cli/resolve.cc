#include "client/cli/resolve.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/json.h"
#include "client/cli/text.h"
#include "common/error.h"

namespace usher::cli {
namespace {

constexpr size_t kMaxCandidates = 10;

std::string Describe(const Update& update) {
  const std::string version = update.Version();
  return absl::StrCat(update.Name(), version.empty() ? "" : " ", version, " (",
                      update.Identity().update_id, ") ", update.Title());
}

// An error that lists updates, for people in its message and for programs in a
// payload.
absl::Status WithCandidates(HResult hresult, const std::string& message,
                            const std::string& text,
                            const std::vector<Update>& candidates) {
  nlohmann::json list = nlohmann::json::array();
  std::string lines;
  for (size_t i = 0; i < candidates.size() && i < kMaxCandidates; ++i) {
    list.push_back(UpdateJson(candidates[i]));
    absl::StrAppend(&lines, "\n  ", Clean(Describe(candidates[i])));
  }
  if (candidates.size() > kMaxCandidates) {
    absl::StrAppend(&lines, "\n  … and ", candidates.size() - kMaxCandidates,
                    " more");
  }
  absl::Status status = Error(hresult, absl::StrCat(message, lines), text);
  if (!candidates.empty()) {
    status.SetPayload("usher/candidates", absl::Cord(Dump(list)));
  }
  return status;
}

// Keeps the newest revision of each update.
std::vector<Update> NewestRevisions(const std::vector<Update>& updates) {
  std::vector<Update> newest;
  for (const Update& update : updates) {
    const UpdateIdentity identity = update.Identity();
    const auto same = std::find_if(
        newest.begin(), newest.end(), [&identity](const Update& other) {
          return other.Identity().update_id == identity.update_id &&
                 other.Identity().service_id == identity.service_id;
        });
    if (same == newest.end()) {
      newest.push_back(update);
    } else if (same->Identity().revision_number < identity.revision_number) {
      *same = update;
    }
  }
  return newest;
}

// Leaves out what another one of them supersedes.
std::vector<Update> NotSuperseded(const std::vector<Update>& updates) {
  std::vector<Update> left;
  for (const Update& update : updates) {
    const UpdateIdentity identity = update.Identity();
    const auto supersedes_it = [&identity](const Update& other) {
      if (other.Identity().service_id != identity.service_id) return false;
      for (const std::string& id : other.SupersededUpdateIDs()) {
        if (id == identity.update_id) return true;
      }
      return false;
    };
    if (std::none_of(updates.begin(), updates.end(), supersedes_it)) {
      left.push_back(update);
    }
  }
  return left;
}

// Criteria for the wanted states, deployed for installation or offered as an
// option, each with `test` added.
std::string CriteriaFor(const Wanted& wanted, const std::string& test) {
  std::vector<std::string> groups;
  for (const absl::string_view action :
       {"Installation", "OptionalInstallation"}) {
    for (const bool installed : {false, true}) {
      if (installed ? !wanted.installed : !wanted.not_installed) continue;
      groups.push_back(
          absl::StrCat("( ", installed ? "IsPresent = 1" : "IsInstalled = 0",
                       " and DeploymentAction = '", action, "'",
                       test.empty() ? "" : " and ", test, " )"));
    }
  }
  return absl::StrJoin(groups, " or ");
}

}  // namespace

void AddScopeOptions(CLI::App& verb, ScopeOptions& options) {
  verb.add_option("--service", options.service,
                  "Search this update service only (its id or name)");
  verb.add_flag("--offline", options.offline,
                "Use the catalogs as they are; contact no server");
}

absl::StatusOr<std::string> ResolveService(UpdateSession& session,
                                           const std::string& text) {
  if (LooksLikeUuid(text)) return absl::AsciiStrToLower(text);
  USHER_ASSIGN_OR_RETURN(const Collection<UpdateService> services,
                         session.CreateUpdateServiceManager().Services());
  std::string id;
  for (const UpdateService& service : services) {
    if (service.name != text) continue;
    if (!id.empty()) {
      return Error(hr::kWuEDuplicateItem,
                   absl::StrCat("several update services are named ", text,
                                "; give the id of one"),
                   text);
    }
    id = service.service_id;
  }
  if (id.empty()) {
    return Error(hr::kWuEDsUnknownservice,
                 absl::StrCat("no update service is named ", text), text);
  }
  return id;
}

absl::StatusOr<UpdateSearcher> MakeSearcher(App& app,
                                            const ScopeOptions& scope) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(UpdateSearcher searcher,
                         session->CreateUpdateSearcher());
  if (!scope.service.empty()) {
    USHER_ASSIGN_OR_RETURN(const std::string id,
                           ResolveService(*session, scope.service));
    USHER_RETURN_IF_ERROR(searcher.SetServiceID(id));
    USHER_RETURN_IF_ERROR(
        searcher.SetServerSelection(ServerSelection::kOthers));
  }
  if (scope.offline) USHER_RETURN_IF_ERROR(searcher.SetOnline(false));
  return searcher;
}

absl::StatusOr<Update> ChooseUpdate(const std::string& text,
                                    const std::vector<Update>& found) {
  const auto by_id = [&](const Update& u) {
    return absl::EqualsIgnoreCase(u.Identity().update_id, text);
  };
  const auto by_name = [&](const Update& u) { return u.Name() == text; };
  const auto by_title = [&](const Update& u) { return u.Title() == text; };
  const auto by_name_loosely = [&](const Update& u) {
    return absl::EqualsIgnoreCase(u.Name(), text);
  };
  const auto by_title_loosely = [&](const Update& u) {
    return absl::EqualsIgnoreCase(u.Title(), text);
  };
  const std::function<bool(const Update&)> tests[] = {
      by_id, by_name, by_title, by_name_loosely, by_title_loosely};
  for (const auto& test : tests) {
    std::vector<Update> matches;
    std::copy_if(found.begin(), found.end(), std::back_inserter(matches), test);
    matches = NotSuperseded(NewestRevisions(matches));
    if (matches.size() == 1) return matches.front();
    if (matches.size() > 1) {
      return WithCandidates(
          hr::kWuEDuplicateItem,
          absl::StrCat("several updates are named ", text,
                       "; give the UpdateID of one, or --service:"),
          text, matches);
    }
  }
  const std::vector<Update> alike = NewestRevisions(found);
  return WithCandidates(hr::kWuEDsNodataNosuchupdate,
                        absl::StrCat("no update is named ", text,
                                     alike.empty() ? "" : "; similar:"),
                        text, alike);
}

namespace {

absl::StatusOr<Update> ResolveUpdate(App& app, UpdateSearcher& searcher,
                                     const Wanted& wanted,
                                     const std::string& text) {
  const bool is_id = LooksLikeUuid(text);
  // Who names an id means it, also when something newer supersedes it.
  USHER_RETURN_IF_ERROR(searcher.SetIncludePotentiallySupersededUpdates(
      is_id || wanted.include_superseded));
  SearchOptions options;
  if (!is_id) options.text = text;
  USHER_ASSIGN_OR_RETURN(
      const SearchResult result,
      searcher.Search(
          CriteriaFor(wanted,
                      is_id ? absl::StrCat("UpdateID = '", text, "'") : ""),
          options));
  for (const UpdateException& warning : result.Warnings()) app.Warn(warning);
  return ChooseUpdate(text, {result.Updates().begin(), result.Updates().end()});
}

// Says of an update that is known but not installed just that.
absl::Status ExplainMissing(App& app, UpdateSearcher& searcher,
                            const Wanted& wanted, const std::string& text,
                            const absl::Status& missing) {
  if (wanted.not_installed) return missing;
  const absl::StatusOr<Update> known = ResolveUpdate(
      app, searcher, {.include_superseded = wanted.include_superseded}, text);
  if (!known.ok()) return missing;
  return Error(hr::kWuEDsNodataNosuchupdate,
               absl::StrCat(known->Title(), " is not installed"), text);
}

}  // namespace

absl::StatusOr<std::vector<Update>> ResolveUpdates(
    App& app, const ScopeOptions& scope, const Wanted& wanted,
    const std::vector<std::string>& texts) {
  USHER_ASSIGN_OR_RETURN(UpdateSearcher searcher, MakeSearcher(app, scope));
  std::vector<Update> chosen;
  for (const std::string& text : texts) {
    absl::StatusOr<Update> update = ResolveUpdate(app, searcher, wanted, text);
    if (HResultOf(update.status()) == hr::kWuEDsNodataNosuchupdate) {
      update = ExplainMissing(app, searcher, wanted, text, update.status());
    }
    USHER_RETURN_IF_ERROR(update.status());
    const auto same = [&update](const Update& other) {
      return other.Identity() == update->Identity();
    };
    if (std::none_of(chosen.begin(), chosen.end(), same)) {
      chosen.push_back(*std::move(update));
    }
  }
  return chosen;
}

}  // namespace usher::cli
