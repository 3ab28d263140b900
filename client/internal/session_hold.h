#ifndef USHER_CLIENT_INTERNAL_SESSION_HOLD_H_
#define USHER_CLIENT_INTERNAL_SESSION_HOLD_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>

#include "client/internal/session_core.h"
#include "client/internal/stream_set.h"
#include "usher/v1/session.pb.h"

namespace usher::internal {

// A WatchSession stream: holds the session, and is the first to notice a
// broken connection.
class SessionHold : public grpc::ClientReadReactor<v1::SessionEvent>,
                    public Stream {
 public:
  // Starts the stream on `link` for `core`, unless that is shut down. The
  // reactor keeps itself alive until gRPC is done with it.
  static std::shared_ptr<SessionHold> Start(
      const std::shared_ptr<SessionCore>& core, LinkPtr link);

  // Ends the stream without consequences.
  void Cancel() override { context_.TryCancel(); }

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  SessionHold(const std::shared_ptr<SessionCore>& core, LinkPtr link)
      : core_(core), streams_(core->streams()), link_(std::move(link)) {}

  const std::weak_ptr<SessionCore> core_;
  const std::shared_ptr<StreamSet> streams_;
  const LinkPtr link_;
  std::shared_ptr<SessionHold> self_;  // until OnDone
  grpc::ClientContext context_;
  v1::WatchSessionRequest request_;
  v1::SessionEvent event_;
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_SESSION_HOLD_H_
