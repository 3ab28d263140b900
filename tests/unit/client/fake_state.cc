#include "tests/unit/client/fake_state.h"

#include <google/protobuf/any.pb.h>

#include "absl/strings/str_cat.h"
#include "common/hresult.h"
#include "usher/v1/types.pb.h"

namespace usher::testing {

using grpc::Status;
using grpc::StatusCode;

std::string FakeService::State::Name(const std::string& kind) {
  return absl::StrCat(session.name(), "/", kind, "/", ++next);
}

v1::Session FakeService::State::Shown() const {
  v1::Session shown = session;
  shown.mutable_web_proxy()->clear_password();
  return shown;
}

void FakeService::State::Forget() {
  session.Clear();
  searchers.clear();
  downloaders.clear();
  installer.Clear();
  jobs.clear();
}

v1::Job FakeService::State::Begin(
    v1::JobKind kind,
    const google::protobuf::RepeatedPtrField<v1::UpdateKey>& of) {
  v1::Job job;
  job.set_name(Name("jobs"));
  job.set_kind(kind);
  job.set_state(v1::JOB_STATE_RUNNING);
  *job.mutable_updates() = of;
  if (complete_at_once) Complete(job);
  jobs[job.name()] = job;
  return job;
}

void FakeService::State::Complete(v1::Job& job) {
  job.set_state(v1::JOB_STATE_COMPLETED);
  job.set_result_code(v1::OPERATION_RESULT_CODE_SUCCEEDED);
  for (int i = 0; i < job.updates_size(); ++i) {
    v1::UpdateResult* result = job.add_update_results();
    result->set_update_index(i);
    result->set_result_code(v1::OPERATION_RESULT_CODE_SUCCEEDED);
  }
}

Status FakeService::State::End(const std::string& job) {
  const auto it = jobs.find(job);
  if (it == jobs.end()) return NotFound(job);
  if (it->second.ended()) {
    return Failure(StatusCode::FAILED_PRECONDITION, hr::kWuEInvalidOperation,
                   "ended already", job);
  }
  it->second.set_ended(true);
  return Status::OK;
}

Status NotFound(const std::string& name) {
  return Failure(StatusCode::NOT_FOUND, hr::kWuEUnknownId,
                 "there is no such resource", name);
}

Status NotSupported(const std::string& name) {
  return Failure(StatusCode::FAILED_PRECONDITION, hr::kWuENotSupported,
                 "opened read-only", name);
}

Status AccessDenied() {
  return Failure(StatusCode::PERMISSION_DENIED, hr::kEAccessdenied, "not you",
                 "");
}

Status Broken() { return Status(StatusCode::UNAVAILABLE, "Socket closed"); }

grpc::Status Failure(int code, uint32_t hresult, const std::string& message,
                     const std::string& subject) {
  v1::ErrorDetail detail;
  detail.set_hresult(hresult);
  detail.set_message(message);
  detail.set_subject(subject);
  detail.set_request_id("r1");
  google::protobuf::Any any;
  any.PackFrom(detail);
  const std::string packed = any.SerializeAsString();
  // google.rpc.Status by hand: 1 code, 2 message, 3 details. All lengths here
  // fit into two varint bytes.
  std::string wire = {'\x08', static_cast<char>(code), '\x12', '\x01', 'x',
                      '\x1a'};
  wire.push_back(static_cast<char>((packed.size() & 0x7F) | 0x80));
  wire.push_back(static_cast<char>(packed.size() >> 7));
  wire += packed;
  return Status(static_cast<grpc::StatusCode>(code), "plain " + message, wire);
}

}  // namespace usher::testing
