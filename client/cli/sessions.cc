// usher sessions

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cli/app.h"
#include "client/cli/json.h"
#include "client/cli/text.h"
#include "common/error.h"

namespace usher::cli {
namespace {

constexpr absl::string_view kPrefix = "sessions/";

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

absl::StatusOr<Report> Close(App& app, const std::string& given) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  const std::string name =
      absl::StartsWith(given, kPrefix) ? given : absl::StrCat(kPrefix, given);
  USHER_RETURN_IF_ERROR(session->CloseSession(name));
  app.console().Line("The session is closed.");
  return MakeReport(kExitOk,
                    {{"command", "sessions close"}, {"session", name}});
}

}  // namespace

void AddSessionsVerb(CLI::App& parser, const Choose& choose) {
  CLI::App* verb = parser.add_subcommand("sessions", "List open sessions");
  // `usher sessions list` reads like the other lists.
  CLI::App* list = verb->add_subcommand("list", "List them (the default)");
  CLI::App* close = verb->add_subcommand(
      "close", "End one, abort its jobs (anybody's: administrators)");
  verb->require_subcommand(0, 1);
  auto all = std::make_shared<bool>(false);
  const std::string help = "Everybody's sessions (administrators)";
  verb->add_flag("--all", *all, help);
  list->add_flag("--all", *all, help);
  auto name = std::make_shared<std::string>();
  close
      ->add_option("SESSION", *name,
                   "Name of the session; its last part is enough")
      ->required();
  close->footer(
      "Example:\n  sudo usher sessions close "
      "4f0c1b7a9d3e4c5f8a6b2d1e0f9c8b7a");
  close->callback([name, choose] {
    choose([name](App& app) { return Close(app, *name); });
  });
  verb->footer(
      "Examples:\n"
      "  usher sessions\n"
      "  sudo usher sessions --all\n"
      "  sudo usher sessions close 4f0c1b7a9d3e4c5f8a6b2d1e0f9c8b7a");
  verb->callback([all, close, choose] {
    if (close->parsed()) return;
    choose([all](App& app) { return Sessions(app, *all); });
  });
}

}  // namespace usher::cli
