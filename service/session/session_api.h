#ifndef USHER_SERVICE_SESSION_SESSION_API_H_
#define USHER_SERVICE_SESSION_SESSION_API_H_

// usher.v1.SessionService: what each call does. None of them blocks.

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/session/authority.h"
#include "service/session/session.h"

namespace google::protobuf {
class Empty;
}  // namespace google::protobuf
namespace usher::v1 {
class CloseSessionRequest;
class GetSessionRequest;
class ListSessionsRequest;
class ListSessionsResponse;
class OpenSessionRequest;
class OpenSessionResponse;
class Session;
class SessionEvent;
class UpdateSessionRequest;
class WatchSessionRequest;
}  // namespace usher::v1

namespace usher::session {

class Core;

absl::Status OpenSession(Core& core, const Call& call,
                         const v1::OpenSessionRequest& request,
                         v1::OpenSessionResponse& response);
absl::Status GetSession(Core& core, const Call& call,
                        const v1::GetSessionRequest& request,
                        v1::Session& response);
absl::Status UpdateSession(Core& core, const Call& call,
                           const v1::UpdateSessionRequest& request,
                           v1::Session& response);
absl::Status ListSessions(Core& core, const Call& call,
                          const v1::ListSessionsRequest& request,
                          v1::ListSessionsResponse& response);
absl::Status CloseSession(Core& core, const Call& call,
                          const v1::CloseSessionRequest& request,
                          google::protobuf::Empty& response);

// Holds a session while it lives.
class SessionHold {
 public:
  SessionHold(Core& core, std::shared_ptr<Session> session, uint64_t holder)
      : core_(core), session_(std::move(session)), holder_(holder) {}
  ~SessionHold();
  SessionHold(const SessionHold&) = delete;
  SessionHold& operator=(const SessionHold&) = delete;

 private:
  Core& core_;
  const std::shared_ptr<Session> session_;
  const uint64_t holder_;
};

// Begins WatchSession: fills the first event, before `ended` can be called.
// That is done once, on any thread, maybe before this returns, when the stream
// has to end.
absl::StatusOr<std::unique_ptr<SessionHold>> HoldSession(
    Core& core, const Call& call, const v1::WatchSessionRequest& request,
    v1::SessionEvent& first, std::function<void(SessionEnd)> ended);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_SESSION_API_H_
