#include "usher/job.h"

#include <any>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/internal/convert.h"
#include "client/internal/job_data.h"
#include "client/internal/update_data.h"
#include "common/error.h"

namespace usher {
namespace {

absl::Status EmptyJob() {
  return Error(hr::kEPointer, "the job is empty", "job");
}

}  // namespace

Job::Job(std::shared_ptr<internal::JobData> data) : data_(std::move(data)) {}

std::string Job::Name() const { return data_ == nullptr ? "" : data_->name(); }

JobKind Job::Kind() const {
  return data_ == nullptr ? JobKind::kUnspecified
                          : static_cast<JobKind>(data_->kind());
}

std::any Job::AsyncState() const {
  return data_ == nullptr ? std::any() : data_->state();
}

absl::StatusOr<bool> Job::IsCompleted() const {
  USHER_ASSIGN_OR_RETURN(const JobInfo info, GetInfo());
  return info.state == JobState::kCompleted;
}

absl::StatusOr<JobInfo> Job::GetInfo() const {
  if (data_ == nullptr) return EmptyJob();
  USHER_ASSIGN_OR_RETURN(const v1::Job job, data_->Read());
  return internal::ToJobInfo(job);
}

absl::StatusOr<UpdateCollection> Job::Updates() const {
  if (data_ == nullptr) return EmptyJob();
  if (data_->updates().has_value()) return *data_->updates();
  const v1::Job job = data_->job();
  return internal::ReadUpdates(data_->core(),
                               {job.updates().begin(), job.updates().end()},
                               /*read_only=*/true);
}

absl::Status Job::RequestAbort() const {
  return data_ == nullptr ? EmptyJob() : data_->RequestAbort();
}

absl::Status Job::CleanUp() const {
  return data_ == nullptr ? EmptyJob() : data_->CleanUp();
}

absl::Status Job::WaitUntilCompleted(absl::Duration timeout) const {
  if (data_ == nullptr) return EmptyJob();
  return data_->WaitUntilCompleted(absl::Now() + timeout);
}

absl::StatusOr<DownloadProgress> DownloadJob::GetProgress() const {
  if (data_ == nullptr) return EmptyJob();
  USHER_ASSIGN_OR_RETURN(const v1::Job job, data_->Read());
  return internal::ToProgress(job.download_progress());
}

absl::StatusOr<InstallationProgress> InstallationJob::GetProgress() const {
  if (data_ == nullptr) return EmptyJob();
  USHER_ASSIGN_OR_RETURN(const v1::Job job, data_->Read());
  return internal::ToProgress(job.installation_progress());
}

}  // namespace usher
