#include <memory>

#include "common/error.h"
#include "service/rpc/job_wait.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/downloader_api.h"
#include "service/session/job.h"
#include "service/session/job_api.h"
#include "usher/v1/downloader.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class DownloaderServiceImpl : public v1::DownloaderService::CallbackService {
 public:
  explicit DownloaderServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* CreateDownloader(
      grpc::CallbackServerContext* context,
      const v1::CreateDownloaderRequest* request,
      v1::Downloader* response) override {
    return Inline(environment_, context, "DownloaderService.CreateDownloader",
                  Kind::kChange, &session::CreateDownloader, request, response);
  }

  grpc::ServerUnaryReactor* GetDownloader(
      grpc::CallbackServerContext* context,
      const v1::GetDownloaderRequest* request,
      v1::Downloader* response) override {
    return Inline(environment_, context, "DownloaderService.GetDownloader",
                  Kind::kRead, &session::GetDownloader, request, response);
  }

  grpc::ServerUnaryReactor* UpdateDownloader(
      grpc::CallbackServerContext* context,
      const v1::UpdateDownloaderRequest* request,
      v1::Downloader* response) override {
    return Inline(environment_, context, "DownloaderService.UpdateDownloader",
                  Kind::kChange, &session::UpdateDownloader, request, response);
  }

  grpc::ServerUnaryReactor* DeleteDownloader(
      grpc::CallbackServerContext* context,
      const v1::DeleteDownloaderRequest* request,
      google::protobuf::Empty* response) override {
    return Inline(environment_, context, "DownloaderService.DeleteDownloader",
                  Kind::kChange, &session::DeleteDownloader, request, response);
  }

  grpc::ServerUnaryReactor* BeginDownload(
      grpc::CallbackServerContext* context,
      const v1::BeginDownloadRequest* request, v1::Job* response) override {
    return OnPool(environment_, context, "DownloaderService.BeginDownload",
                  Kind::kChange, environment_.core.work(),
                  &session::BeginDownload, request, response);
  }

  grpc::ServerUnaryReactor* EndDownload(grpc::CallbackServerContext* context,
                                        const v1::EndDownloadRequest* request,
                                        v1::DownloadResult* response) override {
    const CallRecord record(*context, environment_,
                            "DownloaderService.EndDownload", Kind::kChange);
    return WaitForJob(
        record, record.IfAdmitted([&] {
          return session::ClaimJob(environment_.core, record.call(),
                                   request->job(), v1::JOB_KIND_DOWNLOAD);
        }),
        [response](const session::FoundJob& found) -> absl::Status {
          v1::Job job;
          USHER_RETURN_IF_ERROR(session::FinishClaim(*found.job, job));
          session::FillDownloadResult(job, *response);
          return absl::OkStatus();
        },
        [](const session::FoundJob& found) { found.job->AbandonEnd(); });
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDownloaderService(Environment& environment) {
  return std::make_unique<DownloaderServiceImpl>(environment);
}

}  // namespace usher::rpc
