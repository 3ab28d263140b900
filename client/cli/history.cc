// usher history

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/failure.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "common/error.h"

namespace usher::cli {
namespace {

struct HistoryFlags {
  std::string update;
  int limit = 20;
};

absl::StatusOr<Report> History(App& app, const HistoryFlags& flags) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  std::string criteria;
  if (!flags.update.empty()) {
    std::string id = flags.update;
    if (!LooksLikeUuid(id)) {
      Wanted wanted;
      wanted.include_superseded = true;
      USHER_ASSIGN_OR_RETURN(
          const std::vector<Update> updates,
          ResolveUpdates(app, ScopeOptions{.offline = true}, wanted, {id}));
      id = updates.front().Identity().update_id;
    }
    criteria = absl::StrCat("UpdateID='", id, "'");
  }
  USHER_ASSIGN_OR_RETURN(
      const UpdateHistoryEntryCollection entries,
      session->QueryHistory(criteria, 0,
                            flags.limit == 0
                                ? std::numeric_limits<int32_t>::max()
                                : flags.limit));
  nlohmann::json list = nlohmann::json::array();
  std::vector<std::vector<Span>> rows;
  for (const UpdateHistoryEntry& entry : entries) {
    list.push_back(HistoryJson(entry));
    const bool good = entry.result_code == OperationResultCode::kSucceeded;
    rows.push_back(
        {{FormatLocalTime(entry.date), Style::kDim},
         {ToString(entry.operation)},
         {ToString(entry.result_code), good ? Style::kGood : Style::kBad},
         {HResultText(entry.hresult), Style::kDim},
         {entry.client_application_id},
         {entry.version},
         {entry.title}});
  }
  if (rows.empty()) {
    app.console().Note("The history is empty.");
  } else {
    app.console().Table(
        {"DATE", "OPERATION", "RESULT", "CODE", "CLIENT", "VERSION", "TITLE"},
        rows);
  }
  return MakeReport(kExitOk,
                    {{"command", "history"}, {"entries", std::move(list)}});
}

}  // namespace

void AddHistoryVerb(CLI::App& parser, const Choose& choose) {
  auto flags = std::make_shared<HistoryFlags>();
  CLI::App* verb = parser.add_subcommand(
      "history", "Show what was installed and uninstalled, newest first");
  verb->add_option("--update", flags->update, "Only this update (name or id)");
  verb->add_option("--limit", flags->limit, "Entries at most; 0: all")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()))
      ->capture_default_str();
  verb->footer(
      "Examples:\n"
      "  usher history\n"
      "  usher history --update hello --limit 5\n"
      "  usher history --limit 0 --json");
  verb->callback([flags, choose] {
    choose([flags](App& app) { return History(app, *flags); });
  });
}

}  // namespace usher::cli
