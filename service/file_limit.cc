#include "service/file_limit.h"

#include <algorithm>

namespace usher::daemon {
namespace {

// The database, transfers, installers, gRPC, and the places of administrators
// and of the service itself beyond the limits.
constexpr int64_t kOthers = 1024;
// The listener watches each connection by a descriptor of its own.
constexpr int64_t kFilesPerConnection = 2;
constexpr int64_t kDoors = 2;  // of the loopback port

}  // namespace

int64_t FilesWanted(const Config& config) {
  return kOthers + kFilesPerConnection * (config.connections +
                                          kDoors * config.connections_per_user);
}

bool FitConnections(int64_t files, Config& config) {
  const int64_t doors = config.loopback.enabled ? kDoors : 0;
  const int64_t places =
      (files - std::min(kOthers, files / 2)) / kFilesPerConnection;
  if (config.connections + doors * config.connections_per_user <= places) {
    return false;
  }
  // At least half of them for the socket.
  const int64_t per_user = std::clamp<int64_t>(places / (2 * kDoors), 1,
                                               config.connections_per_user);
  config.connections = static_cast<int>(
      std::clamp<int64_t>(places - doors * per_user, 1, config.connections));
  config.connections_per_user = static_cast<int>(per_user);
  return true;
}

}  // namespace usher::daemon
