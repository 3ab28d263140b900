#ifndef USHER_SERVICE_RPC_UNARY_H_
#define USHER_SERVICE_RPC_UNARY_H_

// How a unary call of the session layer becomes a gRPC call.

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "common/cancellation.h"
#include "service/rpc/call_record.h"
#include "service/rpc/environment.h"
#include "service/session/core.h"
#include "service/session/thread_pool.h"

namespace usher::rpc {

// Answers on the thread that read the request. For calls that do not block.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Inline(
    Environment& environment, grpc::CallbackServerContext* context,
    const char* method, CallRecord::Kind kind,
    absl::Status (*handler)(session::Core&, const session::Call&,
                            const Request&, Response&),
    const Request* request, Response* response) {
  const CallRecord record(*context, environment, method, kind);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(record.Finish(record.IfAdmitted([&] {
    return handler(environment.core, record.call(), *request, *response);
  })));
  return reactor;
}

// A unary call that is answered from a pool.
class PooledReactor : public grpc::ServerUnaryReactor {
 public:
  explicit PooledReactor(const CallRecord& record) : record_(record) {}
  const CallRecord& record() const { return record_; }
  const CancellationToken& cancel() const { return cancel_; }

 private:
  void OnCancel() override { CancellationToken(cancel_).Cancel(); }
  void OnDone() override { delete this; }

  const CallRecord record_;
  const CancellationToken cancel_;
};

// Answers from `pool`. For calls that read or write the database or wait for
// servers; `handler` is told when the client gives up.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* OnPool(
    Environment& environment, grpc::CallbackServerContext* context,
    const char* method, CallRecord::Kind kind, session::ThreadPool& pool,
    absl::Status (*handler)(session::Core&, const session::Call&,
                            const Request&, Response&,
                            const CancellationToken&),
    const Request* request, Response* response) {
  auto* const reactor =
      new PooledReactor(CallRecord(*context, environment, method, kind));
  if (!reactor->record().admitted().ok()) {
    // Whoever may call nothing has no claim to a thread.
    reactor->Finish(reactor->record().Finish(reactor->record().admitted()));
    return reactor;
  }
  pool.Post(environment.caller, [&core = environment.core, reactor, handler,
                                 request, response] {
    const absl::Status status =
        reactor->cancel().cancelled()
            ? absl::CancelledError("the client gave up")
            : reactor->record().IfAdmitted([&] {
                return handler(core, reactor->record().call(), *request,
                               *response, reactor->cancel());
              });
    reactor->Finish(reactor->record().Finish(status));
  });
  return reactor;
}

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_UNARY_H_
