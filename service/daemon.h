#ifndef USHER_SERVICE_DAEMON_H_
#define USHER_SERVICE_DAEMON_H_

// The whole service, from its configuration to its socket.

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "common/file_io.h"
#include "common/transport/transport.h"
#include "service/config.h"
#include "service/rpc/server_pool.h"
#include "service/session/core.h"

namespace usher::daemon {

class Daemon {
 public:
  // Takes the lock of the state folder, which is there
  // (platform::MakeStateFolder), opens and recovers everything, and accepts
  // connections. WU_E_OPERATIONINPROGRESS when another daemon has the folder
  // or the socket; WU_E_SERVICE_STOP soon after `stop` is cancelled.
  static absl::StatusOr<std::unique_ptr<Daemon>> Start(
      const Config& config, const CancellationToken& stop);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Stops in order: no more connections, jobs parked, streams ended, calls
  // answered or, after `grace`, cancelled, everything written down.
  void Stop(absl::Duration grace);

 private:
  Daemon(Config config, FileLock lock);
  absl::Status Open(const CancellationToken& stop);
  absl::Status Listen();

  const Config config_;
  const FileLock lock_;
  std::unique_ptr<session::Core> core_;
  std::unique_ptr<transport::Listener> listener_;
  std::unique_ptr<rpc::ServerPool> servers_;
  std::unique_ptr<rpc::LoopbackDoor> loopback_;
};

}  // namespace usher::daemon

#endif  // USHER_SERVICE_DAEMON_H_
