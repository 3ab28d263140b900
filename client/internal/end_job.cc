#include "client/internal/end_job.h"

#include <memory>
#include <utility>

#include "client/internal/convert.h"
#include "common/error.h"

namespace usher::internal {
namespace {

// `end(link, context, response)` makes the call, `from_job(job)` builds the
// same result from the completed job.
template <typename Result, typename EndCall, typename FromJob>
absl::StatusOr<Result> End(const std::shared_ptr<JobData>& job,
                           v1::JobKind kind, const EndCall& end,
                           const FromJob& from_job) {
  if (job == nullptr) return Error(hr::kEPointer, "the job is empty", "job");
  USHER_RETURN_IF_ERROR(job->ClaimEnd(kind));
  if (absl::Status lost = job->WaitUntilCompleted(absl::InfiniteFuture());
      !lost.ok()) {
    job->GiveBackEnd();
    return lost;
  }
  int attempts = 0;
  absl::StatusOr<Result> result = job->core()->Call<Result>(
      {},
      [&](const Link& link, grpc::ClientContext* context, Result* response) {
        ++attempts;
        return end(link, context, response);
      });
  if (!result.ok() && attempts > 1 &&
      HResultOf(result.status()) == hr::kWuEInvalidOperation) {
    // The answer to an earlier attempt was lost with its connection; the
    // completed job says the same.
    result = from_job(job->job());
  }
  if (!result.ok()) {
    job->GiveBackEnd();
    return result.status();
  }
  job->DropEnded();
  return result;
}

// Wraps the program's callbacks for a job of the public class `JobClass`;
// `progress_of` reads the job's progress message.
template <typename JobClass, typename Progress, typename Completed,
          typename ProgressOf>
void Start(JobData& job, Progress progress, Completed completed,
           const ProgressOf& progress_of) {
  JobData::ProgressFunction on_progress;
  if (progress) {
    on_progress = [progress = std::move(progress), progress_of](
                      const std::shared_ptr<JobData>& of, const v1::Job& now) {
      progress(JobClass(of), ToProgress(progress_of(now)));
    };
  }
  JobData::CompletedFunction on_completed;
  if (completed) {
    on_completed =
        [completed = std::move(completed)](const std::shared_ptr<JobData>& of) {
          completed(JobClass(of));
        };
  }
  job.Start(std::move(on_progress), std::move(on_completed));
}

}  // namespace

void StartDownload(JobData& job, DownloadProgressCallback progress,
                   DownloadCompletedCallback completed) {
  Start<DownloadJob>(job, std::move(progress), std::move(completed),
                     [](const v1::Job& now) -> const v1::DownloadProgress& {
                       return now.download_progress();
                     });
}

void StartInstallation(JobData& job, InstallationProgressCallback progress,
                       InstallationCompletedCallback completed) {
  Start<InstallationJob>(
      job, std::move(progress), std::move(completed),
      [](const v1::Job& now) -> const v1::InstallationProgress& {
        return now.installation_progress();
      });
}

absl::StatusOr<DownloadResult> EndDownloadJob(
    const std::shared_ptr<JobData>& job) {
  absl::StatusOr<v1::DownloadResult> result = End<v1::DownloadResult>(
      job, v1::JOB_KIND_DOWNLOAD,
      [&](const Link& link, grpc::ClientContext* context,
          v1::DownloadResult* response) {
        v1::EndDownloadRequest request;
        request.set_job(job->name());
        return link.downloaders->EndDownload(context, request, response);
      },
      DownloadResultOf);
  if (!result.ok()) return result.status();
  return ToResult(*result);
}

absl::StatusOr<InstallationResult> EndInstallationJob(
    const std::shared_ptr<JobData>& job, v1::JobKind kind) {
  absl::StatusOr<v1::InstallationResult> result = End<v1::InstallationResult>(
      job, kind,
      [&](const Link& link, grpc::ClientContext* context,
          v1::InstallationResult* response) {
        if (kind == v1::JOB_KIND_UNINSTALLATION) {
          v1::EndUninstallRequest request;
          request.set_job(job->name());
          return link.installers->EndUninstall(context, request, response);
        }
        v1::EndInstallRequest request;
        request.set_job(job->name());
        return link.installers->EndInstall(context, request, response);
      },
      InstallationResultOf);
  if (!result.ok()) return result.status();
  return ToResult(*result);
}

}  // namespace usher::internal
