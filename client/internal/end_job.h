#ifndef USHER_CLIENT_INTERNAL_END_JOB_H_
#define USHER_CLIENT_INTERNAL_END_JOB_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/internal/job_data.h"
#include "usher/update_downloader.h"
#include "usher/update_installer.h"

namespace usher::internal {

// Set a job's callbacks; either may be empty. Call one of them, once.
void StartDownload(JobData& job, DownloadProgressCallback progress,
                   DownloadCompletedCallback completed);
void StartInstallation(JobData& job, InstallationProgressCallback progress,
                       InstallationCompletedCallback completed);

// Wait for a job, take its result and drop it. Errors: E_POINTER for null,
// WU_E_INVALID_OPERATION for another kind or the second time, and why the job
// was lost.
absl::StatusOr<DownloadResult> EndDownloadJob(
    const std::shared_ptr<JobData>& job);
absl::StatusOr<InstallationResult> EndInstallationJob(
    const std::shared_ptr<JobData>& job, v1::JobKind kind);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_END_JOB_H_
