// usher status

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/json.h"
#include "client/cli/text.h"
#include "common/error.h"

namespace usher::cli {
namespace {

absl::StatusOr<Report> Status(App& app) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(const SystemInformation info,
                         session->GetSystemInformation());
  USHER_ASSIGN_OR_RETURN(const AgentInfo agent, session->GetAgentInfo());
  USHER_ASSIGN_OR_RETURN(const Collection<UpdateService> services,
                         session->CreateUpdateServiceManager().Services());
  Console& console = app.console();
  const auto field = [&console](const std::string& name, const Span& value) {
    console.Line({{Pad(name, 18), Style::kDim}, value});
  };
  field("Service",
        {absl::StrCat("Usher ", agent.product_version_string, ", API ",
                      agent.api_major_version, ".", agent.api_minor_version)});
  field("Running since", {FormatLocalTime(info.service_start_time)});
  field("You are", {absl::StrCat(info.caller, info.caller_is_administrator
                                                  ? ", an administrator"
                                                  : ", not an administrator")});
  field("Installing now", {info.is_busy ? "yes" : "no"});
  field("Restart", info.reboot_required ? Span{"required", Style::kWarning}
                                        : Span{"not required"});
  field("Sessions", {absl::StrCat(info.session_count)});
  field("Running jobs", {absl::StrCat(info.running_job_count)});
  field("Cache", {FormatBytes(info.cache_bytes)});
  nlohmann::json list = nlohmann::json::array();
  for (const UpdateService& service : services) {
    list.push_back(ServiceJson(service));
    field("Update service",
          {absl::StrCat(service.name, ", ",
                        Counted(service.update_count, "update"),
                        service.last_refresh_error.empty() ? "" : ", ",
                        service.last_refresh_error),
           service.last_refresh_error.empty() ? Style::kPlain : Style::kBad});
  }
  return MakeReport(kExitOk,
                    {{"command", "status"},
                     {"version", agent.product_version_string},
                     {"api_version", absl::StrCat(agent.api_major_version, ".",
                                                  agent.api_minor_version)},
                     {"service_start_time", FormatUtc(info.service_start_time)},
                     {"caller", info.caller},
                     {"caller_is_administrator", info.caller_is_administrator},
                     {"is_busy", info.is_busy},
                     {"reboot_required", info.reboot_required},
                     {"session_count", info.session_count},
                     {"running_job_count", info.running_job_count},
                     {"cache_bytes", info.cache_bytes},
                     {"session", session->Name()},
                     {"services", std::move(list)}});
}

}  // namespace

void AddStatusVerb(CLI::App& parser, const Choose& choose) {
  CLI::App* verb =
      parser.add_subcommand("status", "Show how the service is doing");
  verb->footer("Examples:\n  usher status\n  usher status --json");
  verb->callback([choose] { choose(Status); });
}

}  // namespace usher::cli
