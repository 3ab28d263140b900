#include "service/session/restore.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "service/install/install_engine.h"
#include "service/session/core.h"
#include "service/session/download_job.h"
#include "service/session/install_job.h"
#include "service/session/job.h"
#include "service/session/plans.h"
#include "service/session/session.h"
#include "service/store/session_store.h"
#include "spdlog/spdlog.h"
#include "usher/v1/downloader.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/session.pb.h"

namespace usher::session {
namespace {

using Unfinished = std::map<std::string, install::UnfinishedJob>;

// Lets the engine close a job that belongs to nobody any more.
class NobodyObserver : public install::InstallObserver {
 public:
  void OnProgress(int /*index*/, int /*percent*/) override {}
  void OnUpdateDone(int /*index*/,
                    const install::InstallResult& /*result*/) override {}
  void OnFinished(bool /*parked*/) override {}
};

void RestoreInstall(Core& core, const v1::Job& state, const store::JobRow& row,
                    Session& session, Unfinished& unfinished) {
  v1::Installer installer;
  if (!installer.ParseFromString(row.parameters)) {
    spdlog::error("job {} is damaged and left out", row.job_id);
    return;
  }
  auto job = std::make_shared<InstallJob>(
      core, state, row.session_id, row.job_id,
      PlanInstall(installer, state, row.job_id, session));
  session.RestoreJob(job);
  const auto it = unfinished.find(row.job_id);
  if (it == unfinished.end()) {
    job->Settle();
    return;
  }
  const std::vector<install::InstallResult> results =
      std::move(it->second.results);
  unfinished.erase(it);
  if (const absl::Status status = job->Resume(results); !status.ok()) {
    spdlog::error("request_id={} cannot go on with {}: {}", state.request_id(),
                  state.name(), std::string(status.message()));
    job->Settle();
  }
}

void RestoreDownload(Core& core, const v1::Job& state, const store::JobRow& row,
                     Session& session) {
  v1::Downloader downloader;
  if (!downloader.ParseFromString(row.parameters)) {
    spdlog::error("job {} is damaged and left out", row.job_id);
    return;
  }
  auto job =
      std::make_shared<DownloadJob>(core, state, row.session_id, row.job_id,
                                    PlanDownload(downloader, session));
  session.RestoreJob(job);
  job->Begin();
}

void RestoreJob(Core& core, const store::JobRow& row, Session& session,
                Unfinished& unfinished) {
  v1::Job state;
  if (!state.ParseFromString(row.results)) {
    spdlog::error("job {} is damaged and left out", row.job_id);
    return;
  }
  if (state.state() == v1::JOB_STATE_COMPLETED) {
    session.RestoreJob(std::make_shared<Job>(core.job_hooks(), state,
                                             row.session_id, row.job_id));
    return;
  }
  state.set_state(v1::JOB_STATE_QUEUED);
  spdlog::info("job request_id={} job={} goes on", state.request_id(),
               state.name());
  if (state.kind() == v1::JOB_KIND_DOWNLOAD) {
    RestoreDownload(core, state, row, session);
  } else {
    RestoreInstall(core, state, row, session, unfinished);
  }
}

}  // namespace

absl::Status RestoreSessions(Core& core) {
  std::map<std::string, std::shared_ptr<Session>> sessions;
  USHER_ASSIGN_OR_RETURN(const std::vector<store::SessionRow> session_rows,
                         core.persistence().LoadSessions());
  for (const store::SessionRow& row : session_rows) {
    v1::WebProxy proxy;
    if (!proxy.ParseFromString(row.web_proxy)) proxy.set_auto_detect(true);
    auto session = std::make_shared<Session>(
        SessionKey{row.session_id, row.owner, row.client_application_id,
                   row.read_only, row.create_time},
        core.limits(), row.user_locale, proxy);
    if (core.sessions().Restore(session)) {
      sessions.emplace(row.session_id, std::move(session));
    } else {
      core.persistence().DropSession(row.session_id);
    }
  }
  Unfinished unfinished;
  for (install::UnfinishedJob& job : core.installs().Unfinished()) {
    std::string id = job.request.job_id;
    unfinished.emplace(std::move(id), std::move(job));
  }
  USHER_ASSIGN_OR_RETURN(const std::vector<store::JobRow> job_rows,
                         core.persistence().LoadJobs());
  for (const store::JobRow& row : job_rows) {
    const auto it = sessions.find(row.session_id);
    if (it != sessions.end()) RestoreJob(core, row, *it->second, unfinished);
  }
  // Their sessions were closed: what was done stays done, the rest is dropped.
  for (const auto& [id, job] : unfinished) {
    CancellationToken cancelled;
    cancelled.Cancel();
    const absl::Status status = core.installs().Resume(
        id, std::make_shared<NobodyObserver>(), cancelled);
    if (!status.ok()) {
      spdlog::error("cannot close the installation {}: {}", id,
                    std::string(status.message()));
    }
  }
  if (!sessions.empty()) {
    spdlog::info("{} sessions put back", sessions.size());
  }
  return absl::OkStatus();
}

}  // namespace usher::session
