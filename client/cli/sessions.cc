// usher sessions

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/json.h"
#include "client/cli/text.h"
#include "common/error.h"

namespace usher::cli {
namespace {

absl::StatusOr<Report> Sessions(App& app, bool all) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(const std::vector<SessionInfo> sessions,
                         session->ListSessions(all));
  nlohmann::json list = nlohmann::json::array();
  std::vector<std::vector<Span>> rows;
  for (const SessionInfo& one : sessions) {
    list.push_back(SessionJson(one));
    rows.push_back(
        {{one.client_application_id, Style::kBold},
         {one.owner},
         {absl::StrCat(one.job_count)},
         {absl::StrCat(one.watcher_count)},
         {FormatLocalTime(one.create_time)},
         {one.expire_time.has_value() ? FormatLocalTime(*one.expire_time)
                                      : "in use"},
         {one.name, Style::kDim}});
  }
  app.console().Table(
      {"CLIENT", "OWNER", "JOBS", "CLIENTS", "OPENED", "EXPIRES", "NAME"},
      rows);
  return MakeReport(kExitOk,
                    {{"command", "sessions"}, {"sessions", std::move(list)}});
}

}  // namespace

void AddSessionsVerb(CLI::App& parser, const Choose& choose) {
  CLI::App* verb = parser.add_subcommand("sessions", "List open sessions");
  // `usher sessions list` reads like the other lists.
  CLI::App* list = verb->add_subcommand("list", "List them (the default)");
  verb->require_subcommand(0, 1);
  auto all = std::make_shared<bool>(false);
  const std::string help = "Everybody's sessions (administrators)";
  verb->add_flag("--all", *all, help);
  list->add_flag("--all", *all, help);
  verb->footer("Examples:\n  usher sessions\n  sudo usher sessions --all");
  verb->callback([all, choose] {
    choose([all](App& app) { return Sessions(app, *all); });
  });
}

}  // namespace usher::cli
