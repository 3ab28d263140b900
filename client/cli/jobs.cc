// usher jobs list | watch | abort | end

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/job_runner.h"
#include "client/cli/json.h"
#include "client/cli/text.h"
#include "common/error.h"

namespace usher::cli {
namespace {

std::string ShortName(const std::string& job) {
  return job.substr(job.rfind('/') + 1);
}

std::string Percent(const JobInfo& job) {
  if (job.download_progress.has_value()) {
    return absl::StrCat(job.download_progress->percent_complete, " %");
  }
  if (job.installation_progress.has_value()) {
    return absl::StrCat(job.installation_progress->percent_complete, " %");
  }
  return "";
}

absl::StatusOr<Report> List(App& app) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(const std::vector<JobInfo> jobs, session->Jobs());
  nlohmann::json list = nlohmann::json::array();
  std::vector<std::vector<Span>> rows;
  for (const JobInfo& job : jobs) {
    list.push_back(JobJson(job));
    rows.push_back({{ShortName(job.name), Style::kBold},
                    {ToString(job.kind)},
                    {ToString(job.state)},
                    {Percent(job)},
                    {ToString(job.result_code)},
                    {absl::StrCat(job.updates.size())},
                    {FormatLocalTime(job.create_time), Style::kDim}});
  }
  if (rows.empty()) {
    app.console().Note(
        absl::StrCat("The session ", app.globals().client_id, " has no jobs."));
  } else {
    app.console().Table(
        {"NAME", "KIND", "STATE", "DONE", "RESULT", "UPDATES", "BEGUN"}, rows);
  }
  return MakeReport(kExitOk,
                    {{"command", "jobs list"}, {"jobs", std::move(list)}});
}

absl::StatusOr<JobInfo> Find(App& app, const std::string& name) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(const Job job, session->FindJob(name));
  return job.GetInfo();
}

absl::StatusOr<Report> Watch(App& app, const std::string& name) {
  USHER_ASSIGN_OR_RETURN(const JobInfo before, Find(app, name));
  USHER_RETURN_IF_ERROR(WatchJob(app, before));
  USHER_ASSIGN_OR_RETURN(const JobInfo after, Find(app, name));
  app.console().Line(
      absl::StrCat(ToString(after.kind), ": ", ToString(after.result_code),
                   after.message.empty() ? "" : ": ", after.message));
  if (!after.ended) {
    app.console().Note(absl::StrCat("Take its result with: usher --client-id ",
                                    app.globals().client_id, " jobs end ",
                                    ShortName(after.name)));
  }
  return MakeReport(ExitCodeOf(after.result_code, /*reboot_required=*/false),
                    {{"command", "jobs watch"}, {"job", JobJson(after)}});
}

absl::StatusOr<Report> Abort(App& app, const std::string& name) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(const Job job, session->FindJob(name));
  USHER_ASSIGN_OR_RETURN(JobInfo info, job.GetInfo());
  USHER_RETURN_IF_ERROR(job.RequestAbort());
  // Whoever waits for the job may have taken its result and dropped it by now.
  if (absl::StatusOr<JobInfo> now = job.GetInfo(); now.ok()) {
    info = *std::move(now);
  } else if (!absl::IsNotFound(now.status())) {
    return now.status();
  }
  app.console().Line(info.state == JobState::kCompleted
                         ? "The job is complete already."
                         : "The job will be aborted.");
  return MakeReport(kExitOk,
                    {{"command", "jobs abort"}, {"job", JobJson(info)}});
}

absl::StatusOr<Report> End(App& app, const std::string& name) {
  USHER_ASSIGN_OR_RETURN(const JobInfo info, Find(app, name));
  if (info.state != JobState::kCompleted) {
    USHER_RETURN_IF_ERROR(WatchJob(app, info));
  }
  USHER_ASSIGN_OR_RETURN(const Outcome outcome, EndJob(app, info));
  PrintOutcome(app.console(), outcome,
               info.kind == JobKind::kDownload         ? "downloaded"
               : info.kind == JobKind::kUninstallation ? "uninstalled"
                                                       : "installed");
  return OutcomeReport("jobs end", outcome);
}

}  // namespace

void AddJobsVerb(CLI::App& parser, const Choose& choose) {
  CLI::App* verb = parser.add_subcommand(
      "jobs", "Work of this --client-id that runs or waits to be ended");
  verb->require_subcommand(0, 1);
  CLI::App* list = verb->add_subcommand("list", "List it (the default)");
  list->callback([choose] { choose(List); });

  using Verb = absl::StatusOr<Report> (*)(App&, const std::string&);
  const auto add = [&](const char* name, const char* help, Verb run,
                       const char* example) {
    auto job = std::make_shared<std::string>();
    CLI::App* sub = verb->add_subcommand(name, help);
    sub->add_option("JOB", *job, "Name of the job; its last part is enough")
        ->required();
    sub->footer(absl::StrCat("Example:\n  ", example));
    sub->callback([job, run, choose] {
      choose([job, run](App& app) { return run(app, *job); });
    });
  };
  add("watch", "Show a job's progress until it is complete", Watch,
      "usher jobs watch 77e1c9d0a4f24b0d9c3f6a1e5b8d2c47");
  add("abort", "Ask for a job to be aborted", Abort,
      "usher jobs abort 77e1c9d0a4f24b0d9c3f6a1e5b8d2c47");
  add("end", "Wait for a job, take its result and drop it", End,
      "usher jobs end 77e1c9d0a4f24b0d9c3f6a1e5b8d2c47");
  verb->footer(
      "Examples:\n"
      "  usher jobs\n"
      "  usher --client-id shop-till jobs list --json\n"
      "  usher jobs end 77e1c9d0a4f24b0d9c3f6a1e5b8d2c47");
  verb->callback([verb, choose] {
    if (verb->get_subcommands().empty()) choose(List);
  });
}

}  // namespace usher::cli
