#include "service/rpc/server_pool.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/rpc/environment.h"
#include "service/rpc/server_build.h"
#include "service/rpc/server_shutdown.h"
#include "service/rpc/services.h"
#include "service/session/core.h"
#include "spdlog/spdlog.h"

namespace usher::rpc {
namespace {

// Beyond so many servers those without a connection are dropped.
constexpr size_t kKeptServers = 16;
}  // namespace

struct ServerPool::Entry {
  // In the order of construction; destroyed in reverse.
  Environment environment;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;

  Entry(session::Core& core, session::Caller caller)
      : environment{core, std::move(caller), {}},
        services(MakeServices(environment)) {}
};

ServerPool::ServerPool(session::Core& core, const ServerOptions& options,
                       transport::Listener& listener)
    : core_(core), options_(options), listener_(listener) {}

ServerPool::~ServerPool() { Shutdown(absl::InfinitePast()); }

absl::Status ServerPool::Serve(transport::Connection& connection) {
  const transport::PeerIdentity& peer = connection.peer();
  std::shared_ptr<Entry> entry;
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return Error(hr::kWuEServiceStop, "the service is stopping");
    const Key key(peer.credentials, peer.is_self);
    const auto it = servers_.find(key);
    if (it != servers_.end()) {
      entry = it->second;
    } else {
      USHER_RETURN_IF_ERROR(Start(peer, entry));
      if (servers_.size() >= kKeptServers) DropIdle();
      servers_.emplace(key, entry);
    }
  }
  spdlog::debug("connection from {} process {}", peer.credentials,
                peer.process_id);
  return connection.Serve(*entry->server);
}

absl::Status ServerPool::Start(const transport::PeerIdentity& peer,
                               std::shared_ptr<Entry>& entry) {
  entry = std::make_shared<Entry>(
      core_, session::Caller{peer.user, peer.is_administrator, peer.is_self});
  entry->server = BuildServer(options_, peer.credentials, entry->services);
  if (entry->server == nullptr) {
    return Error(hr::kWuEUnexpected, "gRPC could not start a server");
  }
  return absl::OkStatus();
}

void ServerPool::DropIdle() {
  std::vector<std::shared_ptr<Entry>> idle;
  for (auto it = servers_.begin(); it != servers_.end();) {
    if (listener_.OpenConnections(it->first.first) > 0) {
      ++it;
      continue;
    }
    idle.push_back(std::move(it->second));
    servers_.erase(it++);
  }
  // Shutting down waits for calls that still run: not on the accept thread.
  for (std::shared_ptr<Entry>& entry : idle) {
    core_.network().Post([entry = std::move(entry)] {
      ShutDown(*entry->server, absl::InfinitePast(), nullptr);
    });
  }
}

void ServerPool::Shutdown(absl::Time deadline) {
  absl::flat_hash_map<Key, std::shared_ptr<Entry>> servers;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    servers.swap(servers_);
  }
  for (auto& [key, entry] : servers) {
    ShutDown(*entry->server, deadline, &listener_);
  }
}

}  // namespace usher::rpc
