#include "client/internal/session_hold.h"

#include <memory>
#include <utility>

namespace usher::internal {

std::shared_ptr<SessionHold> SessionHold::Start(
    const std::shared_ptr<SessionCore>& core, LinkPtr link) {
  std::shared_ptr<SessionHold> hold(new SessionHold(core, std::move(link)));
  hold->self_ = hold;
  hold->request_.set_name(hold->link_->session);
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
  // Whatever ended it (a stopping service, a closed session, a broken
  // connection), the session is no longer held here.
  const std::shared_ptr<SessionHold> self = std::move(self_);
  if (const std::shared_ptr<SessionCore> core = core_.lock()) {
    // Not on gRPC's thread: the last reference to the core may go with it.
    core->maintenance().Post([weak = core_, link = link_] {
      if (const std::shared_ptr<SessionCore> alive = weak.lock()) {
        alive->MarkBroken(link);
      }
    });
  }
}

}  // namespace usher::internal
