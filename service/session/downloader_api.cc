#include "service/session/downloader_api.h"

#include <google/protobuf/empty.pb.h>

#include <memory>
#include <string>
#include <utility>

#include "common/error.h"
#include "common/uuid.h"
#include "service/catalog/catalog.h"
#include "service/session/begin_job.h"
#include "service/session/core.h"
#include "service/session/download_job.h"
#include "service/session/field_mask.h"
#include "service/session/lookup.h"
#include "service/session/names.h"
#include "service/session/plans.h"
#include "service/session/text.h"
#include "service/session/update_keys.h"
#include "usher/v1/downloader.pb.h"

namespace usher::session {
namespace {

constexpr absl::string_view kWritable[] = {"client_application_id", "is_forced",
                                           "priority", "updates"};

absl::Status CheckDownloader(const Core& core, v1::Downloader& downloader) {
  USHER_RETURN_IF_ERROR(CheckText(downloader.client_application_id(),
                                  kMaxApplicationIdBytes,
                                  "downloader.client_application_id"));
  if (!v1::DownloadPriority_IsValid(downloader.priority())) {
    return Error(hr::kEInvalidarg, "priority must be 1 to 4",
                 "downloader.priority");
  }
  if (downloader.priority() == v1::DOWNLOAD_PRIORITY_UNSPECIFIED) {
    downloader.set_priority(v1::DOWNLOAD_PRIORITY_NORMAL);
  }
  return CheckUpdateKeys(downloader.updates(), core.limits().updates_per_job,
                         "downloader.updates");
}

}  // namespace

absl::Status CreateDownloader(Core& core, const Call& call,
                              const v1::CreateDownloaderRequest& request,
                              v1::Downloader& response) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kDownload, core.policy()));
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.parent()));
  if (session->key().read_only) {
    return Error(hr::kEAccessdenied,
                 "a session that was opened read-only makes no downloaders",
                 request.parent());
  }
  auto downloader = std::make_shared<v1::Downloader>();
  downloader->set_client_application_id(session->key().client_application_id);
  downloader->set_priority(v1::DOWNLOAD_PRIORITY_NORMAL);
  USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(), EmptyMask::kNothing,
                                  kWritable, request.downloader(),
                                  *downloader));
  USHER_RETURN_IF_ERROR(CheckDownloader(core, *downloader));
  const std::string id = RandomResourceId();
  downloader->set_name(ChildName(session->key().id, kDownloaders, id));
  response = *downloader;
  return session->AddObject(kDownloaders, id, std::move(downloader));
}

absl::Status GetDownloader(Core& core, const Call& call,
                           const v1::GetDownloaderRequest& request,
                           v1::Downloader& response) {
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, request.name(), kDownloaders));
  response = static_cast<const v1::Downloader&>(*found.object);
  return absl::OkStatus();
}

absl::Status UpdateDownloader(Core& core, const Call& call,
                              const v1::UpdateDownloaderRequest& request,
                              v1::Downloader& response) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kDownload, core.policy()));
  USHER_ASSIGN_OR_RETURN(
      const FoundObject found,
      FindObject(core, call, request.downloader().name(), kDownloaders));
  USHER_ASSIGN_OR_RETURN(
      const Session::Object changed,
      found.session->ChangeObject(
          kDownloaders, found.id,
          [&](google::protobuf::Message& message) -> absl::Status {
            USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(),
                                            EmptyMask::kRefused, kWritable,
                                            request.downloader(), message));
            return CheckDownloader(core, static_cast<v1::Downloader&>(message));
          }));
  response = static_cast<const v1::Downloader&>(*changed);
  return absl::OkStatus();
}

absl::Status DeleteDownloader(Core& core, const Call& call,
                              const v1::DeleteDownloaderRequest& request,
                              google::protobuf::Empty& /*response*/) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kDownload, core.policy()));
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, request.name(), kDownloaders));
  found.session->RemoveObject(kDownloaders, found.id);
  return absl::OkStatus();
}

absl::Status BeginDownload(Core& core, const Call& call,
                           const v1::BeginDownloadRequest& request,
                           v1::Job& response,
                           const CancellationToken& /*cancel*/) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kDownload, core.policy()));
  USHER_ASSIGN_OR_RETURN(
      const FoundObject found,
      FindObject(core, call, request.downloader(), kDownloaders));
  const auto& downloader = static_cast<const v1::Downloader&>(*found.object);
  if (downloader.updates().empty()) {  // UAMG-167, 168
    return Error(hr::kWuENoUpdate, "the downloader has no updates",
                 request.downloader());
  }
  for (const v1::UpdateKey& key : downloader.updates()) {
    USHER_RETURN_IF_ERROR(
        core.catalog()
            .Row({key.service_id(), key.update_id(), key.revision_number()})
            .status());
  }
  const std::string id = RandomResourceId();
  v1::Job initial;
  FillNewJob(core, call, *found.session, v1::JOB_KIND_DOWNLOAD, id,
             downloader.name(), downloader.client_application_id(), initial);
  *initial.mutable_updates() = downloader.updates();
  auto job =
      std::make_shared<DownloadJob>(core, initial, found.session->key().id, id,
                                    PlanDownload(downloader, *found.session));
  USHER_RETURN_IF_ERROR(AdmitJob(core, call, found.session, job, &downloader));
  job->Begin();
  job->Read(response);
  return absl::OkStatus();
}

void FillDownloadResult(const v1::Job& job, v1::DownloadResult& result) {
  result.set_hresult(job.hresult());
  result.set_result_code(job.result_code());
  *result.mutable_update_results() = job.update_results();
}

}  // namespace usher::session
