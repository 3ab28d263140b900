#include "client/cli/job_runner.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/cli/failure.h"
#include "client/cli/interrupts.h"
#include "client/cli/json.h"
#include "client/cli/update_view.h"
#include "common/error.h"

namespace usher::cli {
namespace {

UpdateCollection Collect(const std::vector<Update>& updates) {
  return UpdateCollection(updates);
}

// "Downloading hello 2.10 (1/3)".
std::string What(const std::string& verb, const std::vector<Update>& updates,
                 int index) {
  if (index < 0 || static_cast<size_t>(index) >= updates.size()) return verb;
  std::string what =
      absl::StrCat(verb, " ", Label(updates[static_cast<size_t>(index)]));
  if (updates.size() > 1) {
    absl::StrAppend(&what, " (", index + 1, "/", updates.size(), ")");
  }
  return what;
}

std::string ShortName(const std::string& job) {
  return job.substr(job.rfind('/') + 1);
}

std::string WayBack(const App& app, const std::string& job) {
  return absl::StrCat("usher --client-id ", app.globals().client_id,
                      " jobs watch ", ShortName(job));
}

// Handles interrupts while a job runs: from the moment on at which the first of
// its progress is shown or Begin returns, whichever comes first.
class JobInterrupts {
 public:
  // `abort` is false for one who only watches.
  JobInterrupts(App& app, bool abort) : app_(app), abort_(abort) {}
  JobInterrupts(const JobInterrupts&) = delete;
  JobInterrupts& operator=(const JobInterrupts&) = delete;

  // Only the first call counts, and none after End.
  void Begin(const Job& job) {
    absl::MutexLock lock(&mutex_);
    if (begun_) return;
    begun_ = true;
    OnInterrupt([&app = app_, job, abort = abort_](int count) {
      Console& console = app.console();
      const std::string way = WayBack(app, job.Name());
      if (abort && count == 1) {
        console.ErrorLine({{absl::StrCat(
            "Aborting. Press Ctrl-C again to leave; look at the job with: ",
            way)}});
        if (absl::Status status = job.RequestAbort(); !status.ok()) {
          PrintError(console, status);
        }
        return;
      }
      LeaveSoon(kExitInterrupted);
      console.ErrorLine(
          {{absl::StrCat("The job goes on; find it again with: ", way)}});
      app.LeaveInterrupted(
          WithAdvice(Error(hr::kWuECallCancelled,
                           "interrupted; the job goes on", job.Name()),
                     absl::StrCat("find it again with: ", way)));
    });
  }

  void End() {
    absl::MutexLock lock(&mutex_);
    begun_ = true;
    app_.LeaveWhenInterrupted();
  }

 private:
  App& app_;
  const bool abort_;
  absl::Mutex mutex_;
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
};

// Ends the handling with the scope; callbacks of the job may hold the rest.
class InterruptScope {
 public:
  InterruptScope(App& app, bool abort)
      : interrupts_(std::make_shared<JobInterrupts>(app, abort)) {}
  ~InterruptScope() { interrupts_->End(); }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  const std::shared_ptr<JobInterrupts>& shared() const { return interrupts_; }
  void Begin(const Job& job) { interrupts_->Begin(job); }

 private:
  const std::shared_ptr<JobInterrupts> interrupts_;
};

// Callbacks for a download of `updates`; `done` is notified at the end.
DownloadProgressCallback ShowDownload(App& app, const InterruptScope& scope,
                                      std::vector<Update> updates) {
  return [&app, interrupts = scope.shared(), updates = std::move(updates)](
             const DownloadJob& job, const DownloadProgress& now) {
    interrupts->Begin(job);
    app.console().Progress(
        {What("Downloading", updates, now.current_update_index),
         now.percent_complete, now.total_bytes_downloaded,
         now.total_bytes_to_download});
  };
}

InstallationProgressCallback ShowInstallation(App& app,
                                              const InterruptScope& scope,
                                              std::vector<Update> updates,
                                              const std::string& verb) {
  return [&app, interrupts = scope.shared(), updates = std::move(updates),
          verb](const InstallationJob& job, const InstallationProgress& now) {
    interrupts->Begin(job);
    app.console().Progress(
        {What(verb, updates, now.current_update_index), now.percent_complete});
  };
}

template <typename Result>
Outcome MakeOutcome(std::vector<Update> updates, const Result& result,
                    const std::string& job) {
  Outcome outcome;
  outcome.results = {result.update_results.begin(),
                     result.update_results.end()};
  // A result for each update, whatever the service sent.
  outcome.results.resize(updates.size());
  outcome.updates = std::move(updates);
  outcome.hresult = result.hresult;
  outcome.result_code = result.result_code;
  outcome.job = job;
  return outcome;
}

// Waits for `done` behind the console's progress.
void Await(App& app, absl::Notification& done) {
  done.WaitForNotification();
  app.console().EndProgress();
}

}  // namespace

absl::StatusOr<Outcome> RunDownload(App& app,
                                    const std::vector<Update>& updates,
                                    bool forced) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(UpdateDownloader downloader,
                         session->CreateUpdateDownloader());
  if (forced) USHER_RETURN_IF_ERROR(downloader.SetIsForced(true));
  USHER_RETURN_IF_ERROR(downloader.SetUpdates(Collect(updates)));
  const auto done = std::make_shared<absl::Notification>();
  InterruptScope interrupts(app, /*abort=*/true);
  USHER_ASSIGN_OR_RETURN(
      const DownloadJob job,
      downloader.BeginDownload(ShowDownload(app, interrupts, updates),
                               [done](const DownloadJob&) { done->Notify(); }));
  interrupts.Begin(job);
  Await(app, *done);
  USHER_ASSIGN_OR_RETURN(const DownloadResult result,
                         downloader.EndDownload(job));
  return MakeOutcome(updates, result, job.Name());
}

absl::StatusOr<Outcome> RunInstallation(App& app,
                                        const std::vector<Update>& updates,
                                        bool uninstall, bool forced) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  USHER_ASSIGN_OR_RETURN(UpdateInstaller installer,
                         session->CreateUpdateInstaller());
  if (forced) USHER_RETURN_IF_ERROR(installer.SetIsForced(true));
  USHER_RETURN_IF_ERROR(installer.SetUpdates(Collect(updates)));
  const auto done = std::make_shared<absl::Notification>();
  const auto completed = [done](const InstallationJob&) { done->Notify(); };
  InterruptScope interrupts(app, /*abort=*/true);
  const InstallationProgressCallback progress = ShowInstallation(
      app, interrupts, updates, uninstall ? "Uninstalling" : "Installing");
  USHER_ASSIGN_OR_RETURN(const InstallationJob job,
                         uninstall
                             ? installer.BeginUninstall(progress, completed)
                             : installer.BeginInstall(progress, completed));
  interrupts.Begin(job);
  Await(app, *done);
  USHER_ASSIGN_OR_RETURN(
      const InstallationResult result,
      uninstall ? installer.EndUninstall(job) : installer.EndInstall(job));
  Outcome outcome = MakeOutcome(updates, result, job.Name());
  outcome.reboot_required = result.reboot_required;
  return outcome;
}

absl::Status WatchJob(App& app, const JobInfo& info) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  const auto done = std::make_shared<absl::Notification>();
  std::vector<Update> updates;
  if (absl::StatusOr<UpdateCollection> found =
          session->GetUpdates(info.updates);
      found.ok()) {
    updates.assign(found->begin(), found->end());
  }
  InterruptScope interrupts(app, /*abort=*/false);
  Job job;
  switch (info.kind) {
    case JobKind::kDownload: {
      USHER_ASSIGN_OR_RETURN(
          job, session->FindDownloadJob(
                   info.name, ShowDownload(app, interrupts, std::move(updates)),
                   [done](const DownloadJob&) { done->Notify(); }));
      break;
    }
    case JobKind::kInstallation:
    case JobKind::kUninstallation: {
      USHER_ASSIGN_OR_RETURN(
          job, session->FindInstallationJob(
                   info.name,
                   ShowInstallation(app, interrupts, std::move(updates),
                                    info.kind == JobKind::kInstallation
                                        ? "Installing"
                                        : "Uninstalling"),
                   [done](const InstallationJob&) { done->Notify(); }));
      break;
    }
    default: {
      USHER_ASSIGN_OR_RETURN(job, session->FindJob(info.name));
      interrupts.Begin(job);
      return job.WaitUntilCompleted();
    }
  }
  interrupts.Begin(job);
  Await(app, *done);
  return absl::OkStatus();
}

namespace {

// A job whose result somebody took who did not drop it: nothing is left to
// show but how it ended.
template <typename AnyJob>
absl::StatusOr<Outcome> DropEnded(const AnyJob& job,
                                  const absl::Status& ended) {
  if (HResultOf(ended) != hr::kWuEInvalidOperation) return ended;
  USHER_ASSIGN_OR_RETURN(const JobInfo info, job.GetInfo());
  USHER_RETURN_IF_ERROR(job.CleanUp());
  Outcome outcome;
  outcome.result_code = info.result_code;
  outcome.hresult = info.hresult;
  outcome.job = info.name;
  return outcome;
}

}  // namespace

absl::StatusOr<Outcome> EndJob(App& app, const JobInfo& info) {
  USHER_ASSIGN_OR_RETURN(UpdateSession * session, app.Session());
  std::vector<Update> updates;
  // The result counts even when the catalog has dropped the updates.
  if (absl::StatusOr<UpdateCollection> found =
          session->GetUpdates(info.updates);
      found.ok()) {
    updates.assign(found->begin(), found->end());
  } else {
    updates.resize(info.updates.size());
  }
  if (info.kind == JobKind::kDownload) {
    USHER_ASSIGN_OR_RETURN(const DownloadJob job,
                           session->FindDownloadJob(info.name));
    const absl::StatusOr<DownloadResult> ended = session->EndDownload(job);
    if (!ended.ok()) return DropEnded(job, ended.status());
    const DownloadResult& result = *ended;
    return MakeOutcome(std::move(updates), result, info.name);
  }
  if (info.kind == JobKind::kSearch) {
    // Its result is of use only to the searcher that began it: drop it.
    USHER_ASSIGN_OR_RETURN(const SearchJob job,
                           session->FindSearchJob(info.name));
    USHER_RETURN_IF_ERROR(job.CleanUp());
    USHER_ASSIGN_OR_RETURN(const JobInfo ended, job.GetInfo());
    Outcome outcome;
    outcome.result_code = ended.result_code;
    outcome.hresult = ended.hresult;
    outcome.job = info.name;
    return outcome;
  }
  USHER_ASSIGN_OR_RETURN(const InstallationJob job,
                         session->FindInstallationJob(info.name));
  const absl::StatusOr<InstallationResult> ended =
      session->EndInstallation(job);
  if (!ended.ok()) return DropEnded(job, ended.status());
  const InstallationResult& result = *ended;
  Outcome outcome = MakeOutcome(std::move(updates), result, info.name);
  outcome.reboot_required = result.reboot_required;
  return outcome;
}

void PrintOutcome(Console& console, const Outcome& outcome,
                  const std::string& done_word) {
  for (size_t i = 0; i < outcome.updates.size(); ++i) {
    const UpdateResult& result = outcome.results[i];
    const std::string label = Label(outcome.updates[i]);
    const bool good =
        result.result_code == OperationResultCode::kSucceeded ||
        result.result_code == OperationResultCode::kSucceededWithErrors;
    std::vector<Span> line = {
        {good ? "✓ " : "✗ ", good ? Style::kGood : Style::kBad},
        {label.empty() ? absl::StrCat("update ", i + 1) : label, Style::kBold},
        {good ? absl::StrCat(" ", done_word)
              : absl::StrCat(" ", ToString(result.result_code))}};
    if (result.hresult != 0) {
      line.push_back(
          {absl::StrCat("  ", HResultText(result.hresult)), Style::kDim});
    }
    console.Line(line);
    if (!result.message.empty()) {
      console.Line(absl::StrCat("  ", result.message));
    }
  }
  if (outcome.reboot_required) {
    console.Line({{"A restart is required to finish.", Style::kWarning}});
  }
}

Report OutcomeReport(const std::string& command, const Outcome& outcome) {
  nlohmann::json updates = nlohmann::json::array();
  for (size_t i = 0; i < outcome.updates.size(); ++i) {
    nlohmann::json one = IdentityJson(outcome.updates[i].Identity());
    one["name"] = outcome.updates[i].Name();
    one["version"] = outcome.updates[i].Version();
    one["title"] = outcome.updates[i].Title();
    one.update(ResultJson(outcome.results[i]));
    updates.push_back(std::move(one));
  }
  const HResultInfo* info = FindHResult(outcome.hresult);
  return MakeReport(
      ExitCodeOf(outcome.result_code, outcome.reboot_required),
      {{"command", command},
       {"result_code", ToString(outcome.result_code)},
       {"hresult", FormatHResult(outcome.hresult)},
       {"symbol", info == nullptr ? "" : std::string(info->symbol)},
       {"reboot_required", outcome.reboot_required},
       {"job", outcome.job},
       {"updates", std::move(updates)}});
}

}  // namespace usher::cli
