#ifndef USHER_SERVICE_SESSION_LOOKUP_H_
#define USHER_SERVICE_SESSION_LOOKUP_H_

// From names in requests to sessions, objects and jobs of the caller. All
// answer NOT_FOUND for what is unknown or somebody else's.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/session/authority.h"
#include "service/session/session.h"

namespace usher::session {

class Core;
class Job;

absl::StatusOr<std::shared_ptr<Session>> FindSession(Core& core,
                                                     const Call& call,
                                                     absl::string_view name);

// The same; of anybody's if the caller may see all.
absl::StatusOr<std::shared_ptr<Session>> FindSessionToClose(
    Core& core, const Call& call, absl::string_view name);

struct FoundObject {
  std::shared_ptr<Session> session;
  std::string id;
  Session::Object object;
};
absl::StatusOr<FoundObject> FindObject(Core& core, const Call& call,
                                       absl::string_view name,
                                       absl::string_view collection);

struct FoundJob {
  std::shared_ptr<Session> session;
  std::shared_ptr<Job> job;
};
absl::StatusOr<FoundJob> FindJob(Core& core, const Call& call,
                                 absl::string_view name);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_LOOKUP_H_
