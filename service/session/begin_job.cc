#include "service/session/begin_job.h"

#include "common/error.h"
#include "service/session/core.h"
#include "service/session/job.h"
#include "service/session/names.h"
#include "service/session/proto_time.h"
#include "spdlog/spdlog.h"
#include "usher/v1/job.pb.h"

namespace usher::session {

void FillNewJob(const Core& core, const Call& call, const Session& session,
                int kind, absl::string_view job_id, absl::string_view parent,
                absl::string_view client_application_id, v1::Job& job) {
  job.set_name(ChildName(session.key().id, kJobs, job_id));
  job.set_kind(static_cast<v1::JobKind>(kind));
  job.set_state(v1::JOB_STATE_QUEUED);
  job.set_client_application_id(std::string(client_application_id));
  SetTime(core.clock().Now(), *job.mutable_create_time());
  job.set_request_id(call.request_id);
  job.set_result_code(v1::OPERATION_RESULT_CODE_IN_PROGRESS);
  job.set_parent(std::string(parent));
}

absl::Status AdmitJob(Core& core, const Call& call,
                      const std::shared_ptr<Session>& session,
                      const std::shared_ptr<Job>& job,
                      const google::protobuf::Message* parameters) {
  USHER_RETURN_IF_ERROR(core.CheckRunning());
  job->set_owner(call.caller);
  std::shared_ptr<Job> dropped;
  USHER_RETURN_IF_ERROR(session->AddJob(job, &dropped));
  if (dropped != nullptr) core.persistence().DropJob(dropped->id());
  if (parameters != nullptr) {
    absl::Status status =
        core.persistence().SaveNewJob(session, job, *parameters);
    if (!status.ok()) {
      job->Refuse(status);
      DiscardJob(core, *session, *job);
      return status;
    }
  }
  // A search only reads (CallRecord::Kind::kRead).
  const auto level = job->kind() == v1::JOB_KIND_SEARCH ? spdlog::level::debug
                                                        : spdlog::level::info;
  if (spdlog::should_log(level) &&
      core.MayLogJob(level, job->kind(), job->owner())) {
    spdlog::log(level, "job request_id={} job={} caller={} kind={} begins",
                job->request_id(),
                ChildName(session->key().id, kJobs, job->id()),
                session->key().owner,
                v1::JobKind_Name(static_cast<v1::JobKind>(job->kind())));
  }
  return absl::OkStatus();
}

void DiscardJob(Core& core, Session& session, const Job& job) {
  session.RemoveJob(job.id());
  if (job.kind() != v1::JOB_KIND_SEARCH) {
    core.persistence().DropJob(job.id());
  }
}

}  // namespace usher::session
