#ifndef USHER_SERVICE_RPC_JOB_WAIT_H_
#define USHER_SERVICE_RPC_JOB_WAIT_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/rpc/call_record.h"
#include "service/session/lookup.h"

namespace usher::rpc {

// A unary call that is answered once a job is settled; no thread waits.
// `take` makes the answer, `abandon` is called instead when the client has
// gone. With an error in `found` the call fails at once.
grpc::ServerUnaryReactor* WaitForJob(
    const CallRecord& record, absl::StatusOr<session::FoundJob> found,
    std::function<absl::Status(const session::FoundJob&)> take,
    std::function<void(const session::FoundJob&)> abandon);

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_JOB_WAIT_H_
