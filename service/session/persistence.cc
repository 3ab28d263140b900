#include "service/session/persistence.h"

#include <optional>
#include <utility>

#include "common/error.h"
#include "service/session/job.h"
#include "service/session/names.h"
#include "service/session/proto_time.h"
#include "service/session/session.h"
#include "service/store/session_store.h"
#include "spdlog/spdlog.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/session.pb.h"

namespace usher::session {
namespace {

void LogFailure(const char* what, const absl::Status& status) {
  if (!status.ok()) {
    spdlog::error("cannot {}: {}", what, std::string(status.message()));
  }
}

bool IsKept(const Job& job) { return job.kind() != v1::JOB_KIND_SEARCH; }

}  // namespace

Persistence::Persistence(store::Database& database)
    : database_(database), writer_(1) {}

Persistence::~Persistence() = default;

void Persistence::SaveSession(const std::shared_ptr<Session>& session) {
  {
    absl::MutexLock lock(&mutex_);
    if (!pending_.insert(session->key().id).second) return;
  }
  writer_.Post([this, session] {
    {
      absl::MutexLock lock(&mutex_);
      pending_.erase(session->key().id);
    }
    // A closed session's row goes; the drop is queued behind this.
    if (session->closed()) return;
    LogFailure("keep a session", WriteSession(*session));
  });
}

void Persistence::DropSession(const std::string& session_id) {
  writer_.Post([this, session_id] {
    LogFailure("drop a session", store::DeleteSession(database_, session_id));
  });
}

void Persistence::SaveJob(const std::shared_ptr<Job>& job) {
  if (!IsKept(*job)) return;
  {
    absl::MutexLock lock(&mutex_);
    if (!pending_.insert(job->id()).second) return;
  }
  writer_.Post([this, job] {
    {
      absl::MutexLock lock(&mutex_);
      pending_.erase(job->id());
    }
    absl::StatusOr<std::optional<store::JobRow>> row =
        store::GetJob(database_, job->id());
    if (!row.ok()) {
      LogFailure("keep a job", row.status());
      return;
    }
    // Not there: not written yet (then SaveNewJob will) or dropped.
    if (!row->has_value()) return;
    LogFailure("keep a job", WriteJob(*job, (*row)->parameters));
  });
}

void Persistence::DropJob(const std::string& job_id) {
  writer_.Post([this, job_id] {
    LogFailure("drop a job", store::DeleteJob(database_, job_id));
  });
}

absl::Status Persistence::SaveNewJob(
    const std::shared_ptr<Session>& session, const std::shared_ptr<Job>& job,
    const google::protobuf::Message& parameters) {
  absl::Status status;
  writer_.Run([&] {
    if (session->closed()) {
      status = UnknownName(SessionName(session->key().id));
      return;
    }
    status = WriteSession(*session);
    if (status.ok()) status = WriteJob(*job, parameters.SerializeAsString());
  });
  return status;
}

absl::StatusOr<std::vector<store::SessionRow>> Persistence::LoadSessions() {
  return store::ListSessions(database_);
}

absl::StatusOr<std::vector<store::JobRow>> Persistence::LoadJobs() {
  return store::ListJobs(database_, "");
}

absl::Status Persistence::WriteSession(const Session& session) {
  store::SessionRow row;
  row.session_id = session.key().id;
  row.owner = session.key().owner;
  row.client_application_id = session.key().client_application_id;
  row.user_locale = session.user_locale();
  row.read_only = session.key().read_only;
  row.create_time = session.key().create_time;
  v1::WebProxy proxy;
  session.ReadProxy(proxy, /*for_reader=*/true);  // no password on disk
  row.web_proxy = proxy.SerializeAsString();
  return store::PutSession(database_, row);
}

absl::Status Persistence::WriteJob(const Job& job,
                                   const std::string& parameters) {
  v1::Job state;
  job.Read(state);
  store::JobRow row;
  row.job_id = job.id();
  row.session_id = job.session_id();
  row.kind = job.kind();
  row.state = state.state();
  row.request_id = state.request_id();
  row.parent = state.parent();
  row.client_application_id = state.client_application_id();
  row.parameters = parameters;
  row.result_code = state.result_code();
  row.hresult = state.hresult();
  row.message = state.message();
  row.abort_requested = state.abort_requested();
  row.ended = state.ended();
  row.create_time = ToTime(state.create_time());
  if (state.has_complete_time()) {
    row.complete_time = ToTime(state.complete_time());
  }
  row.results = state.SerializeAsString();
  return store::PutJob(database_, row);
}

}  // namespace usher::session
