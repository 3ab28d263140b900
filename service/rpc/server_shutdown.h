#ifndef USHER_SERVICE_RPC_SERVER_SHUTDOWN_H_
#define USHER_SERVICE_RPC_SERVER_SHUTDOWN_H_

#include "absl/time/time.h"

namespace grpc {
class Server;
}  // namespace grpc
namespace usher::transport {
class Listener;
}  // namespace usher::transport

namespace usher::rpc {

// Shuts `server` down; calls that still run at `deadline` are cancelled. Waits
// until all have ended. gRPC would wait for ever for a client that does not
// read what it is sent: a moment behind the deadline the connections that
// `listener`, which was stopped, has handed over are cut off. `listener` may be
// null, and then that is not done.
void ShutDown(grpc::Server& server, absl::Time deadline,
              transport::Listener* listener);

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_SERVER_SHUTDOWN_H_
