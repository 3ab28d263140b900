#ifndef USHER_SERVICE_SESSION_DOWNLOADER_API_H_
#define USHER_SERVICE_SESSION_DOWNLOADER_API_H_

// usher.v1.DownloaderService: what each call does. Only BeginDownload blocks.

#include "absl/status/status.h"
#include "common/cancellation.h"
#include "service/session/authority.h"

namespace google::protobuf {
class Empty;
}  // namespace google::protobuf
namespace usher::v1 {
class BeginDownloadRequest;
class CreateDownloaderRequest;
class DeleteDownloaderRequest;
class DownloadResult;
class Downloader;
class GetDownloaderRequest;
class Job;
class UpdateDownloaderRequest;
}  // namespace usher::v1

namespace usher::session {

class Core;

absl::Status CreateDownloader(Core& core, const Call& call,
                              const v1::CreateDownloaderRequest& request,
                              v1::Downloader& response);
absl::Status GetDownloader(Core& core, const Call& call,
                           const v1::GetDownloaderRequest& request,
                           v1::Downloader& response);
absl::Status UpdateDownloader(Core& core, const Call& call,
                              const v1::UpdateDownloaderRequest& request,
                              v1::Downloader& response);
absl::Status DeleteDownloader(Core& core, const Call& call,
                              const v1::DeleteDownloaderRequest& request,
                              google::protobuf::Empty& response);
absl::Status BeginDownload(Core& core, const Call& call,
                           const v1::BeginDownloadRequest& request,
                           v1::Job& response, const CancellationToken& cancel);

// The result of a completed download job.
void FillDownloadResult(const v1::Job& job, v1::DownloadResult& result);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_DOWNLOADER_API_H_
