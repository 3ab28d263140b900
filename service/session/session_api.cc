#include "service/session/session_api.h"

#include <google/protobuf/empty.pb.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "service/session/core.h"
#include "service/session/field_mask.h"
#include "service/session/lookup.h"
#include "service/session/page.h"
#include "service/session/proto_time.h"
#include "service/session/text.h"
#include "usher/v1/session.pb.h"

namespace usher::session {
namespace {

constexpr size_t kMaxProxyTextBytes = 256;
constexpr int kMaxBypassEntries = 64;
// What an empty ClientApplicationID reads as (UAMG-015).
constexpr char kUnknownApplication[] = "Unknown";

absl::Status CheckProperties(const v1::Session& session) {
  USHER_RETURN_IF_ERROR(
      CheckLocale(session.user_locale(), "session.user_locale"));
  const v1::WebProxy& proxy = session.web_proxy();
  USHER_RETURN_IF_ERROR(
      CheckProxyAddress(proxy.address(), "session.web_proxy.address"));
  USHER_RETURN_IF_ERROR(CheckText(proxy.user_name(), kMaxProxyTextBytes,
                                  "session.web_proxy.user_name"));
  USHER_RETURN_IF_ERROR(CheckText(proxy.password(), kMaxProxyTextBytes,
                                  "session.web_proxy.password"));
  if (proxy.bypass_list_size() > kMaxBypassEntries) {
    return Error(hr::kEInvalidarg,
                 "session.web_proxy.bypass_list has more than 64 entries",
                 "session.web_proxy.bypass_list");
  }
  for (const std::string& entry : proxy.bypass_list()) {
    USHER_RETURN_IF_ERROR(
        CheckBypassEntry(entry, "session.web_proxy.bypass_list"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status OpenSession(Core& core, const Call& call,
                         const v1::OpenSessionRequest& request,
                         v1::OpenSessionResponse& response) {
  USHER_RETURN_IF_ERROR(core.CheckRunning());
  USHER_RETURN_IF_ERROR(CheckText(request.client_application_id(),
                                  kMaxApplicationIdBytes,
                                  "client_application_id"));
  if (!request.user_locale().empty()) {
    USHER_RETURN_IF_ERROR(CheckLocale(request.user_locale(), "user_locale"));
  }
  USHER_ASSIGN_OR_RETURN(
      const SessionManager::Opened opened,
      core.sessions().Open(call.caller,
                           request.client_application_id().empty()
                               ? kUnknownApplication
                               : request.client_application_id(),
                           request.read_only(),
                           request.user_locale().empty()
                               ? core.locale()
                               : request.user_locale()));
  opened.session->Read(*response.mutable_session());
  response.set_attached(opened.attached);
  return absl::OkStatus();
}

absl::Status GetSession(Core& core, const Call& call,
                        const v1::GetSessionRequest& request,
                        v1::Session& response) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.name()));
  session->Read(response);
  return absl::OkStatus();
}

absl::Status UpdateSession(Core& core, const Call& call,
                           const v1::UpdateSessionRequest& request,
                           v1::Session& response) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.session().name()));
  USHER_RETURN_IF_ERROR(
      session->Change([&request](v1::Session& properties) -> absl::Status {
        constexpr absl::string_view kWritable[] = {"user_locale", "web_proxy"};
        USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(),
                                        EmptyMask::kRefused, kWritable,
                                        request.session(), properties));
        return CheckProperties(properties);
      }));
  core.persistence().SaveSession(session);
  session->Read(response);
  return absl::OkStatus();
}

absl::Status ListSessions(Core& core, const Call& call,
                          const v1::ListSessionsRequest& request,
                          v1::ListSessionsResponse& response) {
  if (request.all_callers()) {
    USHER_RETURN_IF_ERROR(
        Authorize(call.caller, Right::kAllSessions, core.policy()));
  }
  const std::vector<std::shared_ptr<Session>> sessions =
      request.all_callers() ? core.sessions().ListAll()
                            : core.sessions().List(call.caller);
  return FillPage<v1::Session>(
      request.page_size(), request.page_token(), sessions.size(),
      [&sessions](size_t i) {
        return PageEntry{absl::ToUnixMicros(sessions[i]->key().create_time),
                         sessions[i]->key().id};
      },
      [&sessions](size_t i, v1::Session& session) {
        sessions[i]->Read(session);
      },
      *response.mutable_sessions(), *response.mutable_next_page_token());
}

absl::Status CloseSession(Core& core, const Call& call,
                          const v1::CloseSessionRequest& request,
                          google::protobuf::Empty& /*response*/) {
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSessionToClose(core, call, request.name()));
  core.sessions().Close(session);
  return absl::OkStatus();
}

SessionHold::~SessionHold() {
  session_->Release(holder_, core_.clock().Now());
  core_.sessions().ArmExpiry();
}

absl::StatusOr<std::unique_ptr<SessionHold>> HoldSession(
    Core& core, const Call& call, const v1::WatchSessionRequest& request,
    v1::SessionEvent& first, std::function<void(SessionEnd)> ended) {
  USHER_RETURN_IF_ERROR(core.CheckRunning());
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.name()));
  // Before Hold: from then on `ended` may be called, and read it.
  first.set_kind(v1::SessionEvent::KIND_ATTACHED);
  SetDuration(core.limits().session_idle_timeout,
              *first.mutable_idle_timeout());
  USHER_ASSIGN_OR_RETURN(const uint64_t holder,
                         session->Hold(std::move(ended)));
  auto hold = std::make_unique<SessionHold>(core, session, holder);
  // A stop between the first check and Hold would have missed this stream.
  USHER_RETURN_IF_ERROR(core.CheckRunning());
  return hold;
}

}  // namespace usher::session
