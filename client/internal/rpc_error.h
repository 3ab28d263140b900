#ifndef USHER_CLIENT_INTERNAL_RPC_ERROR_H_
#define USHER_CLIENT_INTERNAL_RPC_ERROR_H_

#include <string>

#include "absl/status/status.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace usher::internal {

// Rebuilds the service's error from a failed call: the HRESULT, message and
// subject of the usher.v1.ErrorDetail in its grpc-status-details-bin trailer.
// Without one, or with one that makes no sense, the canonical code decides.
absl::Status FromGrpc(const grpc::Status& status);

// True when the connection failed, rather than the service answering an error.
bool IsBrokenConnection(const grpc::Status& status);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_RPC_ERROR_H_
