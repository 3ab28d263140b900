#ifndef USHER_SERVICE_RPC_STATUS_H_
#define USHER_SERVICE_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace usher::rpc {

// The gRPC status of a failed call, with a google.rpc.Status that holds a
// usher.v1.ErrorDetail as binary details; OK for OK.
grpc::Status ToGrpc(const absl::Status& status, const std::string& request_id);

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_STATUS_H_
