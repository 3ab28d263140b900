#include "client/internal/session_hold.h"

#include <memory>
#include <utility>

namespace usher::internal {

std::shared_ptr<SessionHold> SessionHold::Start(
    const std::shared_ptr<SessionCore>& core, LinkPtr link) {
  std::shared_ptr<SessionHold> hold(new SessionHold(core, std::move(link)));
  if (!hold->streams_->Add(hold.get())) return hold;
  hold->self_ = hold;
  hold->request_.set_name(hold->link_->session);
  SessionCore::Prepare(hold->context_, {.deadline = absl::InfiniteDuration()});
  hold->link_->sessions->async()->WatchSession(&hold->context_, &hold->request_,
                                               hold.get());
  hold->StartRead(&hold->event_);
  hold->StartCall();
  return hold;
}

void SessionHold::OnReadDone(bool ok) {
  if (ok) StartRead(&event_);
}

void SessionHold::OnDone(const grpc::Status&) {
  RunOffGrpcThreads([self = std::move(self_)]() mutable {
    // Whatever ended it (a stopping service, a closed session, a broken
    // connection), the session is no longer held here.
    if (const std::shared_ptr<SessionCore> core = self->core_.lock()) {
      core->MarkBroken(self->link_);
    }
    const std::shared_ptr<StreamSet> streams = self->streams_;
    streams->BeginRelease(self.get());
    self = nullptr;
    streams->EndRelease();
  });
}

}  // namespace usher::internal
