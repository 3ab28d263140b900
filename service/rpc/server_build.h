#ifndef USHER_SERVICE_RPC_SERVER_BUILD_H_
#define USHER_SERVICE_RPC_SERVER_BUILD_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "service/rpc/server_pool.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace usher::rpc {

// A running server with our limits, or null when gRPC could not start one.
// `name` is for gRPC's own accounts. Without `address` it listens nowhere:
// connections are handed over. With it ("127.0.0.1:0"), it listens there and
// sets `port`, to 0 when it could not.
std::unique_ptr<grpc::Server> BuildServer(
    const ServerOptions& options, const std::string& name,
    const std::vector<std::unique_ptr<grpc::Service>>& services,
    const std::string& address = {}, int* port = nullptr);

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_SERVER_BUILD_H_
