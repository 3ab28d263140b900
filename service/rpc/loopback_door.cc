#include "service/rpc/loopback_door.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/transport/transport.h"
#include "common/uuid.h"
#include "service/rpc/environment.h"
#include "service/rpc/server_build.h"
#include "service/rpc/server_shutdown.h"
#include "service/rpc/services.h"
#include "spdlog/spdlog.h"

namespace usher::rpc {

struct LoopbackDoor::Door {
  // In the order of construction; destroyed in reverse.
  Environment environment;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
  // None if `server` listens itself.
  std::unique_ptr<transport::Listener> listener;
  std::filesystem::path file;

  Door(session::Core& core, session::Caller caller)
      : environment{core, std::move(caller),
                    RandomResourceId() + RandomResourceId()},
        services(MakeServices(environment)) {}

  absl::Status Open(const ServerOptions& options,
                    const LoopbackOptions& loopback, int port,
                    std::filesystem::path path, Access access) {
    const std::string wanted = absl::StrCat("127.0.0.1:", port);
    const absl::Status listening = Listen(options, loopback, port);
    if (!listening.ok() || port == 0) {
      return Error(
          hr::kWuEOperationinprogress,
          absl::StrCat("cannot listen at ", wanted,
                       "; another program may have that port, choose another "
                       "one in [loopback] or 0 for any",
                       listening.ok() ? "" : ": ", listening.message()),
          wanted);
    }
    file = std::move(path);
    const nlohmann::json content = {
        {"address", absl::StrCat("127.0.0.1:", port)},
        {"secret", environment.secret}};
    USHER_RETURN_IF_ERROR(
        WriteFileAtomically(file, absl::StrCat(content.dump(), "\n"), access));
    spdlog::info("also listening at 127.0.0.1:{} for {}, see {}", port,
                 environment.caller.user, PathToUtf8(file));
    return absl::OkStatus();
  }

  absl::Status Listen(const ServerOptions& options,
                      const LoopbackOptions& loopback, int& port) {
    transport::PeerIdentity everyone;
    everyone.user = everyone.credentials = environment.caller.user;
    everyone.is_administrator = environment.caller.is_administrator;
    transport::ListenOptions listen;
    listen.max_connections = 0;
    listen.max_connections_per_user = loopback.max_connections;
    listen.places_for_administrators = 0;
    if (loopback.on_refused) {
      // Nobody has shown a secret yet.
      listen.on_refused = [told = loopback.on_refused](
                              const std::string& /*user*/,
                              const std::string& reason) {
        told(kUnknownCaller, reason);
      };
    }
    USHER_ASSIGN_OR_RETURN(
        listener, transport::Listener::ListenLoopback(listen, everyone, port));
    if (listener == nullptr) {
      server = BuildServer(options, environment.caller.user, services,
                           absl::StrCat("127.0.0.1:", port), &port);
    } else {
      server = BuildServer(options, environment.caller.user, services);
    }
    if (server == nullptr) {
      return Error(hr::kWuEUnexpected, "gRPC could not start a server");
    }
    if (listener == nullptr) return absl::OkStatus();
    return listener->Start(
        [this](const std::unique_ptr<transport::Connection>& connection) {
          connection->Serve(*server).IgnoreError();
        });
  }
};

LoopbackDoor::LoopbackDoor() = default;

LoopbackDoor::~LoopbackDoor() { Shutdown(absl::UnixEpoch()); }

absl::StatusOr<std::unique_ptr<LoopbackDoor>> LoopbackDoor::Open(
    session::Core& core, const ServerOptions& server,
    const LoopbackOptions& options) {
  std::unique_ptr<LoopbackDoor> door(new LoopbackDoor());
  door->doors_.push_back(std::make_unique<Door>(
      core, session::Caller{"loopback:user", /*is_administrator=*/false}));
  USHER_RETURN_IF_ERROR(door->doors_.back()->Open(
      server, options, options.user_port, options.folder / "loopback-user.json",
      options.world_accessible ? Access::kUsersRead : Access::kPrivate));
  door->doors_.push_back(std::make_unique<Door>(
      core,
      session::Caller{"loopback:administrator", /*is_administrator=*/true}));
  USHER_RETURN_IF_ERROR(door->doors_.back()->Open(
      server, options, options.administrator_port,
      options.folder / "loopback-administrator.json", Access::kPrivate));
  return door;
}

void LoopbackDoor::Shutdown(absl::Time deadline) {
  for (const std::unique_ptr<Door>& door : doors_) {
    std::error_code error;
    if (!door->file.empty()) std::filesystem::remove(door->file, error);
    if (door->listener != nullptr) door->listener->Stop();
    if (door->server == nullptr) continue;
    ShutDown(*door->server, deadline, door->listener.get());
  }
  doors_.clear();
}

}  // namespace usher::rpc
