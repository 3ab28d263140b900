#ifndef USHER_SERVICE_SESSION_JOB_API_H_
#define USHER_SERVICE_SESSION_JOB_API_H_

// usher.v1.JobService, and the End… calls' common part. Nothing blocks: who
// has to wait for a job uses Job::OnSettled.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/session/authority.h"
#include "service/session/lookup.h"

namespace usher::v1 {
class GetJobRequest;
class Job;
class ListJobsRequest;
class ListJobsResponse;
class RequestAbortRequest;
}  // namespace usher::v1

namespace usher::session {

absl::Status GetJob(Core& core, const Call& call,
                    const v1::GetJobRequest& request, v1::Job& response);
absl::Status ListJobs(Core& core, const Call& call,
                      const v1::ListJobsRequest& request,
                      v1::ListJobsResponse& response);
absl::Status RequestAbort(Core& core, const Call& call,
                          const v1::RequestAbortRequest& request,
                          v1::Job& response);

// Claims a job of that kind for an End… call. Once it is settled, FinishClaim
// or, if the client is gone, Job::AbandonEnd.
absl::StatusOr<FoundJob> ClaimJob(Core& core, const Call& call,
                                  const std::string& name, int kind);
// Takes a claimed, settled job's result; WU_E_SERVICE_STOP when it was parked,
// and then the result can be taken later.
absl::Status FinishClaim(Job& job, v1::Job& result);

// The second half of CleanUpJob, after the job is settled; WU_E_SERVICE_STOP
// when it was parked.
absl::Status CleanUp(Core& core, const FoundJob& found);

// Holds a place among a session's watches.
class WatchPlace {
 public:
  explicit WatchPlace(std::shared_ptr<Session> session)
      : session_(std::move(session)) {}
  ~WatchPlace() { session_->RemoveWatch(); }
  WatchPlace(const WatchPlace&) = delete;
  WatchPlace& operator=(const WatchPlace&) = delete;

 private:
  const std::shared_ptr<Session> session_;
};
struct WatchedJob {
  std::shared_ptr<Job> job;
  std::unique_ptr<WatchPlace> place;
};
absl::StatusOr<WatchedJob> WatchJob(Core& core, const Call& call,
                                    const std::string& name);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_JOB_API_H_
