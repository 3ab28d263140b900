// usher search

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/app.h"
#include "client/cli/json.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "client/cli/update_view.h"
#include "common/error.h"

namespace usher::cli {
namespace {

// Rows that are gathered before columns are laid out; more come in blocks of
// the same size, so that a listing of everything needs little memory.
constexpr size_t kBlock = 1000;

struct SearchFlags {
  ScopeOptions scope;
  std::string text;
  std::string criteria;
  bool include_superseded = false;
  bool installed = false;
  bool all = false;
  bool long_rows = false;
  int limit = 0;
};

// Writes updates as they come, as text or as the elements of a JSON array.
class Writer {
 public:
  Writer(Console& console, bool long_rows)
      : console_(console), long_rows_(long_rows) {}

  void Take(const Update& update) {
    if (console_.settings().json) {
      console_.JsonElement(Dump(UpdateJson(update)));
      return;
    }
    rows_.push_back(UpdateRow(update, long_rows_));
    if (rows_.size() == kBlock) Flush();
  }

  void Flush() {
    if (!rows_.empty()) console_.Table(UpdateHeader(long_rows_), rows_);
    rows_.clear();
  }

 private:
  Console& console_;
  const bool long_rows_;
  std::vector<std::vector<Span>> rows_;
};

absl::StatusOr<Report> Search(App& app, const SearchFlags& flags) {
  USHER_ASSIGN_OR_RETURN(UpdateSearcher searcher,
                         MakeSearcher(app, flags.scope));
  if (flags.include_superseded) {
    USHER_RETURN_IF_ERROR(
        searcher.SetIncludePotentiallySupersededUpdates(true));
  }
  std::string criteria = flags.criteria;
  // Present is also what is there in an older revision, or in part.
  if (flags.installed) criteria = "IsPresent=1";
  if (flags.all) criteria = "IsInstalled=0 or IsPresent=1";
  SearchOptions options;
  options.text = flags.text;
  options.max_results = flags.limit;
  Writer writer(app.console(), flags.long_rows);
  const absl::StatusOr<SearchSummary> summary = searcher.SearchEach(
      criteria,
      [&](const Update& update) {
        writer.Take(update);
        return true;
      },
      options);
  writer.Flush();
  // The answer of --json stays one object: what has come, and the error.
  if (!summary.ok()) return summary.status();
  for (const UpdateException& warning : summary->warnings) app.Warn(warning);
  nlohmann::json members = {{"command", "search"},
                            {"result_code", ToString(summary->result_code)},
                            {"count", summary->update_count}};
  ExitCode code = kExitOk;
  if (summary->update_count == 0) {
    app.console().Note("Nothing found.");
    members["updates"] = nlohmann::json::array();
    code = kExitNothingFound;
  } else {
    app.console().Note(Counted(summary->update_count, "update"));
  }
  if (summary->result_code == OperationResultCode::kSucceededWithErrors) {
    code = kExitPartlyFailed;
  }
  return MakeReport(code, members);
}

}  // namespace

void AddSearchVerb(CLI::App& parser, const Choose& choose) {
  auto flags = std::make_shared<SearchFlags>();
  CLI::App* verb = parser.add_subcommand("search", "Find updates");
  verb->add_option("TEXT", flags->text,
                   "Only updates whose name or title contains this");
  auto* criteria = verb->add_option(
      "--criteria", flags->criteria,
      "Search criteria; default: not installed and not hidden");
  auto* installed =
      verb->add_flag("--installed", flags->installed, "What is installed");
  auto* all =
      verb->add_flag("--all", flags->all, "Installed or not, hidden or not");
  criteria->excludes(installed)->excludes(all);
  installed->excludes(all);
  verb->add_flag("--include-superseded,--all-revisions",
                 flags->include_superseded,
                 "Also what another result supersedes");
  verb->add_option("--limit", flags->limit, "Stop after that many; 0: all")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()));
  verb->add_flag("-l,--long", flags->long_rows, "Show UpdateIDs");
  AddScopeOptions(*verb, flags->scope);
  verb->footer(
      "Examples:\n"
      "  usher search\n"
      "  usher search hello\n"
      "  usher search --installed --long\n"
      "  usher search --criteria \"IsInstalled=0 and Type='Software'\" "
      "--json");
  verb->callback([flags, choose] {
    choose([flags](App& app) { return Search(app, *flags); });
  });
}

}  // namespace usher::cli
