#include "service/session/job_api.h"

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/error.h"
#include "service/session/begin_job.h"
#include "service/session/core.h"
#include "service/session/job.h"
#include "service/session/page.h"
#include "service/session/session.h"
#include "usher/v1/job.pb.h"

namespace usher::session {
namespace {

absl::Status ParkedError(const std::string& name) {
  return Error(hr::kWuEServiceStop,
               "the service is stopping; the job goes on when it is back",
               name);
}

}  // namespace

absl::Status GetJob(Core& core, const Call& call,
                    const v1::GetJobRequest& request, v1::Job& response) {
  USHER_ASSIGN_OR_RETURN(const FoundJob found,
                         FindJob(core, call, request.name()));
  found.job->Read(response);
  return absl::OkStatus();
}

absl::Status ListJobs(Core& core, const Call& call,
                      const v1::ListJobsRequest& request,
                      v1::ListJobsResponse& response) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.parent()));
  const std::vector<std::shared_ptr<Job>> jobs = session->Jobs();
  return FillPage<v1::Job>(
      request.page_size(), request.page_token(), jobs.size(),
      [&jobs](size_t i) {
        return PageEntry{absl::ToUnixMicros(jobs[i]->create_time()),
                         jobs[i]->id()};
      },
      [&jobs](size_t i, v1::Job& job) { jobs[i]->Read(job); },
      *response.mutable_jobs(), *response.mutable_next_page_token());
}

absl::Status RequestAbort(Core& core, const Call& call,
                          const v1::RequestAbortRequest& request,
                          v1::Job& response) {
  USHER_ASSIGN_OR_RETURN(const FoundJob found,
                         FindJob(core, call, request.name()));
  found.job->RequestAbort();
  found.job->Read(response);
  return absl::OkStatus();
}

absl::StatusOr<FoundJob> ClaimJob(Core& core, const Call& call,
                                  const std::string& name, int kind) {
  USHER_ASSIGN_OR_RETURN(FoundJob found, FindJob(core, call, name));
  USHER_RETURN_IF_ERROR(found.job->BeginEnd(kind));
  return found;
}

absl::Status FinishClaim(Job& job, v1::Job& result) {
  job.Read(result);
  if (result.state() == v1::JOB_STATE_PARKED) {
    job.AbandonEnd();
    return ParkedError(result.name());
  }
  job.FinishEnd();
  return absl::OkStatus();
}

absl::Status CleanUp(Core& core, const FoundJob& found) {
  if (found.job->parked()) {
    v1::Job state;
    found.job->Read(state);
    return ParkedError(state.name());
  }
  DiscardJob(core, *found.session, *found.job);
  return absl::OkStatus();
}

absl::StatusOr<WatchedJob> WatchJob(Core& core, const Call& call,
                                    const std::string& name) {
  USHER_ASSIGN_OR_RETURN(FoundJob found, FindJob(core, call, name));
  USHER_RETURN_IF_ERROR(found.session->AddWatch());
  return WatchedJob{std::move(found.job),
                    std::make_unique<WatchPlace>(std::move(found.session))};
}

}  // namespace usher::session
