#include "usher/update_session.h"

#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/internal/convert.h"
#include "client/internal/end_job.h"
#include "client/internal/job_data.h"
#include "client/internal/objects.h"
#include "client/internal/pages.h"
#include "client/internal/query_history.h"
#include "client/internal/session_core.h"
#include "client/internal/update_data.h"
#include "common/error.h"
#include "common/transport/transport.h"

namespace usher {
namespace {

using internal::JobData;
using internal::Link;
using internal::SessionCore;

absl::StatusOr<std::shared_ptr<JobData>> ReadJob(
    const std::shared_ptr<SessionCore>& core, absl::string_view name) {
  USHER_ASSIGN_OR_RETURN(
      v1::Job job, core->Call<v1::Job>({}, [&](const Link& link,
                                               grpc::ClientContext* context,
                                               v1::Job* response) {
        v1::GetJobRequest request;
        request.set_name(absl::StrContains(name, "/")
                             ? std::string(name)
                             : absl::StrCat(link.session, "/jobs/", name));
        return link.jobs->GetJob(context, request, response);
      }));
  return std::make_shared<JobData>(core, std::move(job), std::any(),
                                   std::nullopt);
}

absl::Status WrongKind(const JobData& job) {
  return Error(hr::kWuEInvalidOperation,
               absl::StrCat("the job is of kind ",
                            ToString(static_cast<JobKind>(job.kind()))),
               job.name());
}

}  // namespace

absl::StatusOr<UpdateSession> UpdateSession::Open(
    const SessionOptions& options) {
  const transport::DialOptions dial{.address = options.address,
                                    .verify_server = options.verify_server,
                                    .timeout = options.connect_timeout};
  USHER_ASSIGN_OR_RETURN(
      std::shared_ptr<SessionCore> core, SessionCore::Open(options, [dial] {
        return transport::Dial(dial, grpc::ChannelArguments());
      }));
  return UpdateSession(std::move(core));
}

UpdateSession::UpdateSession(std::shared_ptr<SessionCore> core)
    : core_(std::move(core)) {}

UpdateSession& UpdateSession::operator=(UpdateSession&& other) noexcept {
  if (this != &other) {
    if (core_ != nullptr) core_->Shutdown();
    core_ = std::move(other.core_);
  }
  return *this;
}

UpdateSession::~UpdateSession() {
  if (core_ != nullptr) core_->Shutdown();
}

std::string UpdateSession::Name() const { return core_->session_name(); }

bool UpdateSession::Attached() const { return core_->attached(); }

std::string UpdateSession::ClientApplicationID() const {
  return core_->session().client_application_id();
}

bool UpdateSession::ReadOnly() const { return core_->session().read_only(); }

std::string UpdateSession::UserLocale() const {
  return core_->session().user_locale();
}

absl::Status UpdateSession::SetUserLocale(absl::string_view locale) {
  v1::Session session;
  session.set_user_locale(std::string(locale));
  return core_->WriteProperties(session, {"user_locale"});
}

WebProxy UpdateSession::GetWebProxy() const {
  return internal::ToProxy(core_->session().web_proxy());
}

absl::Status UpdateSession::SetWebProxy(const WebProxy& proxy) {
  v1::Session session;
  *session.mutable_web_proxy() = internal::FromProxy(proxy);
  return core_->WriteProperties(session, {"web_proxy"});
}

absl::StatusOr<UpdateSearcher> UpdateSession::CreateUpdateSearcher() const {
  USHER_ASSIGN_OR_RETURN(
      auto object,
      internal::SearcherObject::Make<internal::SearcherObject>(core_));
  return UpdateSearcher(std::move(object));
}

absl::StatusOr<UpdateDownloader> UpdateSession::CreateUpdateDownloader() const {
  USHER_ASSIGN_OR_RETURN(
      auto object,
      internal::DownloaderObject::Make<internal::DownloaderObject>(core_));
  return UpdateDownloader(std::move(object));
}

absl::StatusOr<UpdateInstaller> UpdateSession::CreateUpdateInstaller() const {
  USHER_ASSIGN_OR_RETURN(
      auto object,
      internal::InstallerObject::Make<internal::InstallerObject>(core_));
  return UpdateInstaller(std::move(object));
}

UpdateServiceManager UpdateSession::CreateUpdateServiceManager() const {
  return UpdateServiceManager(core_);
}

absl::StatusOr<UpdateHistoryEntryCollection> UpdateSession::QueryHistory(
    absl::string_view criteria, int32_t start_index, int32_t count) const {
  return internal::QueryHistory(*core_, criteria, start_index, count);
}

absl::StatusOr<UpdateCollection> UpdateSession::GetUpdates(
    const std::vector<UpdateIdentity>& identities) const {
  std::vector<v1::UpdateKey> keys;
  keys.reserve(identities.size());
  for (const UpdateIdentity& identity : identities) {
    keys.push_back(internal::ToKey(identity));
  }
  return internal::ReadUpdates(core_, keys, /*read_only=*/false);
}

absl::StatusOr<std::vector<JobInfo>> UpdateSession::Jobs() const {
  USHER_ASSIGN_OR_RETURN(
      const v1::ListJobsResponse response,
      internal::ReadPages<v1::ListJobsResponse>(
          *core_, [](const Link& link, grpc::ClientContext* context,
                     const std::string& page, v1::ListJobsResponse* out) {
            v1::ListJobsRequest request;
            request.set_parent(link.session);
            request.set_page_token(page);
            return link.jobs->ListJobs(context, request, out);
          }));
  std::vector<JobInfo> jobs;
  for (const v1::Job& job : response.jobs()) {
    jobs.push_back(internal::ToJobInfo(job));
  }
  return jobs;
}

absl::StatusOr<Job> UpdateSession::FindJob(absl::string_view name) const {
  USHER_ASSIGN_OR_RETURN(auto data, ReadJob(core_, name));
  return Job(std::move(data));
}

absl::StatusOr<SearchJob> UpdateSession::FindSearchJob(
    absl::string_view name) const {
  USHER_ASSIGN_OR_RETURN(auto data, ReadJob(core_, name));
  if (data->kind() != v1::JOB_KIND_SEARCH) return WrongKind(*data);
  return SearchJob(std::move(data));
}

absl::StatusOr<DownloadJob> UpdateSession::FindDownloadJob(
    absl::string_view name, DownloadProgressCallback progress,
    DownloadCompletedCallback completed) const {
  USHER_ASSIGN_OR_RETURN(auto data, ReadJob(core_, name));
  if (data->kind() != v1::JOB_KIND_DOWNLOAD) return WrongKind(*data);
  internal::StartDownload(*data, std::move(progress), std::move(completed));
  return DownloadJob(std::move(data));
}

absl::StatusOr<InstallationJob> UpdateSession::FindInstallationJob(
    absl::string_view name, InstallationProgressCallback progress,
    InstallationCompletedCallback completed) const {
  USHER_ASSIGN_OR_RETURN(auto data, ReadJob(core_, name));
  if (data->kind() != v1::JOB_KIND_INSTALLATION &&
      data->kind() != v1::JOB_KIND_UNINSTALLATION) {
    return WrongKind(*data);
  }
  internal::StartInstallation(*data, std::move(progress), std::move(completed));
  return InstallationJob(std::move(data));
}

absl::StatusOr<DownloadResult> UpdateSession::EndDownload(
    const DownloadJob& job) const {
  return internal::EndDownloadJob(job.internal_data());
}

absl::StatusOr<InstallationResult> UpdateSession::EndInstallation(
    const InstallationJob& job) const {
  return internal::EndInstallationJob(job.internal_data(),
                                      job.Kind() == JobKind::kUninstallation
                                          ? v1::JOB_KIND_UNINSTALLATION
                                          : v1::JOB_KIND_INSTALLATION);
}

absl::StatusOr<SystemInformation> UpdateSession::GetSystemInformation() const {
  USHER_ASSIGN_OR_RETURN(
      const v1::SystemInformation info,
      core_->Call<v1::SystemInformation>(
          {}, [](const Link& link, grpc::ClientContext* context,
                 v1::SystemInformation* out) {
            return link.system->GetSystemInformation(
                context, v1::GetSystemInformationRequest(), out);
          }));
  return internal::ToSystemInformation(info);
}

absl::StatusOr<AgentInfo> UpdateSession::GetAgentInfo() const {
  USHER_ASSIGN_OR_RETURN(
      const v1::AgentInfo info,
      core_->Call<v1::AgentInfo>(
          {}, [](const Link& link, grpc::ClientContext* context,
                 v1::AgentInfo* out) {
            return link.system->GetAgentInfo(context, v1::GetAgentInfoRequest(),
                                             out);
          }));
  return internal::ToAgentInfo(info);
}

absl::StatusOr<std::vector<SessionInfo>> UpdateSession::ListSessions(
    bool all_callers) const {
  USHER_ASSIGN_OR_RETURN(
      const v1::ListSessionsResponse response,
      internal::ReadPages<v1::ListSessionsResponse>(
          *core_, [&](const Link& link, grpc::ClientContext* context,
                      const std::string& page, v1::ListSessionsResponse* out) {
            v1::ListSessionsRequest request;
            request.set_all_callers(all_callers);
            request.set_page_token(page);
            return link.sessions->ListSessions(context, request, out);
          }));
  std::vector<SessionInfo> sessions;
  for (const v1::Session& session : response.sessions()) {
    sessions.push_back(internal::ToSessionInfo(session));
  }
  return sessions;
}

absl::Status UpdateSession::CloseSession(absl::string_view name) const {
  return core_
      ->Call<google::protobuf::Empty>(
          {.repeatable = false},
          [name](const Link& link, grpc::ClientContext* context,
                 google::protobuf::Empty* out) {
            v1::CloseSessionRequest request;
            request.set_name(std::string(name));
            return link.sessions->CloseSession(context, request, out);
          })
      .status();
}

absl::Status UpdateSession::Close() {
  absl::Status status =
      core_
          ->Call<google::protobuf::Empty>(
              {.repeatable = false},
              [](const Link& link, grpc::ClientContext* context,
                 google::protobuf::Empty* out) {
                v1::CloseSessionRequest request;
                request.set_name(link.session);
                return link.sessions->CloseSession(context, request, out);
              })
          .status();
  core_->Shutdown();
  return status;
}

}  // namespace usher
