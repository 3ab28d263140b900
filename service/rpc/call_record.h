#ifndef USHER_SERVICE_RPC_CALL_RECORD_H_
#define USHER_SERVICE_RPC_CALL_RECORD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "service/rpc/environment.h"
#include "service/session/authority.h"

namespace usher::rpc {

// One call from its beginning to its line in the log.
class CallRecord {
 public:
  // What a call does to the log: reads that succeed are many and dull.
  enum class Kind { kRead, kChange };

  // `method` is "Service.Method" and must be a literal. The request id comes
  // from the metadata x-usher-request-id, or is made.
  CallRecord(const grpc::CallbackServerContext& context,
             const Environment& environment, const char* method, Kind kind);

  // What `handler` returns, an absl::Status or absl::StatusOr; or the reason
  // why this call may not be handled at all. Every handler is called by it.
  template <typename Handler>
  auto IfAdmitted(const Handler& handler) const -> decltype(handler()) {
    if (!admitted_.ok()) return admitted_;
    return handler();
  }

  // The reason why this call may not be handled; OK if it may.
  const absl::Status& admitted() const { return admitted_; }

  // Whoever was not admitted is nobody: never the one whom the door stands for.
  const session::Call& call() const { return call_; }
  // Writes the call's line and makes its gRPC status. Call once.
  grpc::Status Finish(const absl::Status& status) const;

 private:
  // Whether a line at `level` of the log may be written.
  bool MayLog(int level) const;

  session::Core& core_;
  const char* const method_;
  const Kind kind_;
  const std::chrono::steady_clock::time_point start_;
  session::Call call_;
  absl::Status admitted_;
};

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_CALL_RECORD_H_
