#include "usher/update_downloader.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/internal/convert.h"
#include "client/internal/end_job.h"
#include "client/internal/job_data.h"
#include "client/internal/objects.h"
#include "client/internal/update_data.h"
#include "common/error.h"

namespace usher {

UpdateDownloader::UpdateDownloader(
    std::shared_ptr<internal::DownloaderObject> object)
    : object_(std::move(object)) {}

std::string UpdateDownloader::ClientApplicationID() const {
  return object_->message().client_application_id();
}

absl::Status UpdateDownloader::SetClientApplicationID(absl::string_view value) {
  return object_->Write("client_application_id", [&](auto& message) {
    message.set_client_application_id(std::string(value));
  });
}

bool UpdateDownloader::IsForced() const {
  return object_->message().is_forced();
}

absl::Status UpdateDownloader::SetIsForced(bool value) {
  return object_->Write("is_forced",
                        [&](auto& message) { message.set_is_forced(value); });
}

enum DownloadPriority UpdateDownloader::Priority() const {
  return static_cast<enum DownloadPriority>(object_->message().priority());
}

absl::Status UpdateDownloader::SetPriority(enum DownloadPriority value) {
  return object_->Write("priority", [&](auto& message) {
    message.set_priority(static_cast<v1::DownloadPriority>(value));
  });
}

UpdateCollection UpdateDownloader::Updates() const {
  return object_->updates();
}

absl::Status UpdateDownloader::SetUpdates(const UpdateCollection& updates) {
  USHER_ASSIGN_OR_RETURN(const std::vector<v1::UpdateKey> keys,
                         internal::KeysOf(updates));
  USHER_RETURN_IF_ERROR(object_->Write("updates", [&](auto& message) {
    message.mutable_updates()->Assign(keys.begin(), keys.end());
  }));
  object_->set_updates(updates);
  return absl::OkStatus();
}

absl::StatusOr<DownloadResult> UpdateDownloader::Download() const {
  USHER_ASSIGN_OR_RETURN(const DownloadJob job, BeginDownload({}, {}));
  return EndDownload(job);
}

absl::StatusOr<DownloadJob> UpdateDownloader::BeginDownload(
    DownloadProgressCallback progress, DownloadCompletedCallback completed,
    std::any async_state) const {
  const UpdateCollection updates = object_->updates();
  USHER_ASSIGN_OR_RETURN(
      v1::Job job, object_->Call<v1::Job>(
                       {.repeatable = false},
                       [&](const internal::Link& link, const std::string& name,
                           grpc::ClientContext* context, v1::Job* response) {
                         v1::BeginDownloadRequest request;
                         request.set_downloader(name);
                         return link.downloaders->BeginDownload(
                             context, request, response);
                       }));
  auto data = std::make_shared<internal::JobData>(
      object_->core(), std::move(job), std::move(async_state),
      internal::ReadOnlyCopy(updates));
  internal::StartDownload(*data, std::move(progress), std::move(completed));
  return DownloadJob(std::move(data));
}

absl::StatusOr<DownloadResult> UpdateDownloader::EndDownload(
    const DownloadJob& job) const {
  return internal::EndDownloadJob(job.internal_data());
}

}  // namespace usher
