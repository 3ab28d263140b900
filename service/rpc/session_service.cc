#include <memory>
#include <utility>

#include "service/rpc/pull_stream.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/session_api.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class WatchSessionStream : public PullStream<v1::SessionEvent> {
 public:
  using PullStream::PullStream;

  void Open(session::Core& core, const v1::WatchSessionRequest& request) {
    std::weak_ptr<PullStream> weak = weak_from_this();
    absl::StatusOr<std::unique_ptr<session::SessionHold>> hold =
        record().IfAdmitted([&] {
          return session::HoldSession(core, record().call(), request, first_,
                                      [weak, this](session::SessionEnd end) {
                                        if (const auto self = weak.lock()) {
                                          EndWith(end);
                                        }
                                      });
        });
    {
      absl::MutexLock lock(&state_mutex_);
      error_ = hold.status();
      if (hold.ok()) hold_ = *std::move(hold);
    }
    Begin();
  }

 private:
  void EndWith(session::SessionEnd end) {
    {
      absl::MutexLock lock(&state_mutex_);
      if (end_set_) return;
      end_set_ = true;
      end_ = end;
    }
    Pump();
  }

  Step Next(v1::SessionEvent& event) override {
    absl::MutexLock lock(&state_mutex_);
    if (!error_.ok()) return {Step::kFinish, error_};
    if (!first_sent_) {
      first_sent_ = true;
      event = first_;
      return {Step::kMessage, {}};
    }
    if (!end_set_) return {};
    event.Clear();
    event.set_kind(end_ == session::SessionEnd::kClosed
                       ? v1::SessionEvent::KIND_CLOSED
                       : v1::SessionEvent::KIND_SERVICE_STOPPING);
    return {Step::kLastMessage, absl::OkStatus()};
  }

  void Ended() override {
    std::unique_ptr<session::SessionHold> hold;
    absl::MutexLock lock(&state_mutex_);
    hold = std::move(hold_);
  }

  v1::SessionEvent first_;
  absl::Mutex state_mutex_;
  absl::Status error_ ABSL_GUARDED_BY(state_mutex_);
  std::unique_ptr<session::SessionHold> hold_ ABSL_GUARDED_BY(state_mutex_);
  bool first_sent_ ABSL_GUARDED_BY(state_mutex_) = false;
  bool end_set_ ABSL_GUARDED_BY(state_mutex_) = false;
  session::SessionEnd end_ ABSL_GUARDED_BY(state_mutex_) =
      session::SessionEnd::kClosed;
};

class SessionServiceImpl : public v1::SessionService::CallbackService {
 public:
  explicit SessionServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* OpenSession(
      grpc::CallbackServerContext* context,
      const v1::OpenSessionRequest* request,
      v1::OpenSessionResponse* response) override {
    return Inline(environment_, context, "SessionService.OpenSession",
                  Kind::kChange, &session::OpenSession, request, response);
  }

  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context,
                                       const v1::GetSessionRequest* request,
                                       v1::Session* response) override {
    return Inline(environment_, context, "SessionService.GetSession",
                  Kind::kRead, &session::GetSession, request, response);
  }

  grpc::ServerUnaryReactor* UpdateSession(
      grpc::CallbackServerContext* context,
      const v1::UpdateSessionRequest* request, v1::Session* response) override {
    return Inline(environment_, context, "SessionService.UpdateSession",
                  Kind::kChange, &session::UpdateSession, request, response);
  }

  grpc::ServerUnaryReactor* ListSessions(
      grpc::CallbackServerContext* context,
      const v1::ListSessionsRequest* request,
      v1::ListSessionsResponse* response) override {
    return Inline(environment_, context, "SessionService.ListSessions",
                  Kind::kRead, &session::ListSessions, request, response);
  }

  grpc::ServerUnaryReactor* CloseSession(
      grpc::CallbackServerContext* context,
      const v1::CloseSessionRequest* request,
      google::protobuf::Empty* response) override {
    return Inline(environment_, context, "SessionService.CloseSession",
                  Kind::kChange, &session::CloseSession, request, response);
  }

  grpc::ServerWriteReactor<v1::SessionEvent>* WatchSession(
      grpc::CallbackServerContext* context,
      const v1::WatchSessionRequest* request) override {
    auto stream = std::make_shared<WatchSessionStream>(CallRecord(
        *context, environment_, "SessionService.WatchSession", Kind::kChange));
    stream->Open(environment_.core, *request);
    return stream.get();
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSessionService(Environment& environment) {
  return std::make_unique<SessionServiceImpl>(environment);
}

}  // namespace usher::rpc
