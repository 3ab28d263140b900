#ifndef USHER_SERVICE_RPC_LOOPBACK_DOOR_H_
#define USHER_SERVICE_RPC_LOOPBACK_DOOR_H_

// A second door for languages whose gRPC cannot dial the local socket: TCP on
// the loopback address, off unless the configuration asks for it.
//
// TCP does not tell who is at the other end, so the file system does: whoever
// can read a door's secret is what that door takes everyone for. There are two
// doors, each with a port, a secret and one identity: "loopback:user", and
// "loopback:administrator", whose secret only the service's own user and
// administrators can read.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/rpc/server_pool.h"

namespace usher::session {
class Core;
}  // namespace usher::session

namespace usher::rpc {

struct LoopbackOptions {
  bool enabled = false;
  // 0: any that is free.
  int user_port = 0;
  int administrator_port = 0;
  // Where loopback-user.json and loopback-administrator.json are written:
  // {"address": "127.0.0.1:PORT", "secret": "64 hexadecimal digits"}.
  std::filesystem::path folder;
  // Whether every user of the machine may read loopback-user.json.
  bool world_accessible = true;
  // Open connections at each port, whoever made them; 0: no limit. Not on
  // Windows.
  int max_connections = 256;
  // As transport::ListenOptions::on_refused.
  std::function<void(const std::string& user, const std::string& reason)>
      on_refused;
};

// Thread-safe after Open.
class LoopbackDoor {
 public:
  // Listens, then writes the files; the secrets are new each time. Fails with
  // WU_E_OPERATIONINPROGRESS when a port is taken. `core` must outlive it.
  static absl::StatusOr<std::unique_ptr<LoopbackDoor>> Open(
      session::Core& core, const ServerOptions& server,
      const LoopbackOptions& options);
  ~LoopbackDoor();

  // Removes the files and serves no more; calls still running at `deadline`
  // are cancelled. Waits until all have ended.
  void Shutdown(absl::Time deadline);

 private:
  struct Door;

  LoopbackDoor();

  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_LOOPBACK_DOOR_H_
