#include "service/rpc/server_build.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <limits>

namespace usher::rpc {
namespace {

constexpr int kMinPingIntervalMs = 10'000;
constexpr int kMaxPingStrikes = 2;

}  // namespace

std::unique_ptr<grpc::Server> BuildServer(
    const ServerOptions& options, const std::string& name,
    const std::vector<std::unique_ptr<grpc::Service>>& services,
    const std::string& address, int* port) {
  grpc::ServerBuilder builder;
  if (!address.empty()) {
    // Two services on one port would share each other's calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), port);
  }
  for (const auto& service : services) builder.RegisterService(service.get());
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  // gRPC 1.51.1 does not bound streams, and floods of resets or CONTINUATION
  // frames were published after it (docs/dependencies.md): few streams for
  // each connection, small metadata, a memory quota for each caller's server
  // and the listener's limit on connections bound what a local caller can use
  // up. What it uses up is its own share.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             options.max_concurrent_streams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             options.max_metadata_bytes);
  grpc::ResourceQuota quota(name);
  quota.Resize(static_cast<size_t>(options.memory_bytes));
  builder.SetResourceQuota(quota);
  // The kernel tells at once when the other end of a local socket goes, so
  // nobody needs keepalive pings: the service sends none and disconnects
  // clients that send more than a few.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             std::numeric_limits<int>::max());
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  // A client takes its call back itself when the deadline has passed, and the
  // kernel tells when it has gone: no timer need do that here. gRPC runs
  // expired timers on threads that it never ends, as many as were ever busy at
  // once, so that clients with short deadlines would leave threads behind.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
  // There is no bandwidth-delay product to measure on a local socket.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return builder.BuildAndStart();
}

}  // namespace usher::rpc
