#include "service/session/lookup.h"

#include "common/error.h"
#include "service/session/core.h"
#include "service/session/job.h"
#include "service/session/names.h"

namespace usher::session {
namespace {

// The session of a member's name; the answer names the member, so that it is
// the same whether the session or the member is unknown.
absl::StatusOr<std::shared_ptr<Session>> FindParent(Core& core,
                                                    const Call& call,
                                                    const ChildId& child,
                                                    absl::string_view name) {
  absl::StatusOr<std::shared_ptr<Session>> session =
      core.sessions().Find(call.caller, child.session_id);
  if (!session.ok()) return UnknownName(name);
  return session;
}

}  // namespace

absl::StatusOr<std::shared_ptr<Session>> FindSession(Core& core,
                                                     const Call& call,
                                                     absl::string_view name) {
  USHER_ASSIGN_OR_RETURN(const std::string id, ParseSessionName(name));
  return core.sessions().Find(call.caller, id);
}

absl::StatusOr<std::shared_ptr<Session>> FindSessionToClose(
    Core& core, const Call& call, absl::string_view name) {
  if (!Authorize(call.caller, Right::kAllSessions, core.policy()).ok()) {
    return FindSession(core, call, name);
  }
  USHER_ASSIGN_OR_RETURN(const std::string id, ParseSessionName(name));
  std::shared_ptr<Session> session = core.sessions().FindOfAnybody(id);
  if (session == nullptr) return UnknownName(name);
  return session;
}

absl::StatusOr<FoundObject> FindObject(Core& core, const Call& call,
                                       absl::string_view name,
                                       absl::string_view collection) {
  USHER_ASSIGN_OR_RETURN(ChildId child, ParseChildName(name, collection));
  FoundObject found;
  USHER_ASSIGN_OR_RETURN(found.session, FindParent(core, call, child, name));
  found.object = found.session->FindObject(collection, child.id);
  if (found.object == nullptr) return UnknownName(name);
  found.id = std::move(child.id);
  return found;
}

absl::StatusOr<FoundJob> FindJob(Core& core, const Call& call,
                                 absl::string_view name) {
  USHER_ASSIGN_OR_RETURN(const ChildId child, ParseChildName(name, kJobs));
  FoundJob found;
  USHER_ASSIGN_OR_RETURN(found.session, FindParent(core, call, child, name));
  found.job = found.session->FindJob(child.id);
  if (found.job == nullptr) return UnknownName(name);
  return found;
}

}  // namespace usher::session
