#ifndef USHER_SERVICE_SESSION_BEGIN_JOB_H_
#define USHER_SERVICE_SESSION_BEGIN_JOB_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/session/authority.h"
#include "service/session/session.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf
namespace usher::v1 {
class Job;
}  // namespace usher::v1

namespace usher::session {

class Core;
class Job;

// Fills what every job has when it begins; `job_id` is new.
void FillNewJob(const Core& core, const Call& call, const Session& session,
                int kind, absl::string_view job_id, absl::string_view parent,
                absl::string_view client_application_id, v1::Job& job);

// Puts a new job of the caller's into its session and, with `parameters`, on
// disk. After an error nothing is left of it. Blocks.
absl::Status AdmitJob(Core& core, const Call& call,
                      const std::shared_ptr<Session>& session,
                      const std::shared_ptr<Job>& job,
                      const google::protobuf::Message* parameters);

// Takes a job out of its session and off the disk.
void DiscardJob(Core& core, Session& session, const Job& job);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_BEGIN_JOB_H_
