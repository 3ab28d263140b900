#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/transport/peer_posix.h"
#include "common/transport/socket_listener_posix.h"
#include "common/transport/transport.h"

namespace usher::transport {
namespace {

// A socket at `path` that nothing listens on any more goes; anything else that
// lies there stays and is an error.
absl::Status RemoveStaleSocket(const std::string& path,
                               const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : SystemError(errno, "look at", path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(path,
                              " exists and is not a socket; remove it or "
                              "configure another socket path"),
                 path);
  }
  const Fd probe(
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (probe.get() < 0) return SystemError(errno, "make a socket for", path);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0 ||
      errno == EAGAIN) {
    return Error(hr::kWuEOperationinprogress,
                 absl::StrCat("another program serves ", path), path);
  }
  if (unlink(path.c_str()) != 0) return SystemError(errno, "remove", path);
  return absl::OkStatus();
}

absl::StatusOr<Fd> BindAndListen(const ListenOptions& options,
                                 const sockaddr_un& address) {
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return SystemError(errno, "make", options.address);
  // Linux gives the socket file the mode of the socket: closed to others from
  // its first moment, opened on purpose afterwards.
  if (fchmod(fd.get(), 0600) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0) {
    return SystemError(errno, "bind", options.address);
  }
  auto remover =
      absl::MakeCleanup([&options] { unlink(options.address.c_str()); });
  if (listen(fd.get(), SOMAXCONN) != 0) {
    return SystemError(errno, "listen at", options.address);
  }
  if (options.world_accessible && chmod(options.address.c_str(), 0666) != 0) {
    return SystemError(errno, "open to everyone", options.address);
  }
  std::move(remover).Cancel();
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(
    const ListenOptions& options) {
  USHER_ASSIGN_OR_RETURN(const sockaddr_un address,
                         SocketAddress(options.address));
  absl::optional<gid_t> administrators_gid;
  if (!options.administrators_group.empty()) {
    USHER_ASSIGN_OR_RETURN(administrators_gid,
                           GroupId(options.administrators_group));
  }
  const auto folder = PathFromUtf8(options.address).parent_path();
  if (!folder.empty()) {
    USHER_RETURN_IF_ERROR(MakeDirectories(folder, options.world_accessible
                                                      ? Access::kWorldRead
                                                      : Access::kPrivate));
  }
  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(PathFromUtf8(options.address + ".lock"));
  if (!lock.ok()) {
    if (HResultOf(lock.status()) != hr::kWuEDsStorefilelocked) {
      return lock.status();
    }
    return Error(hr::kWuEOperationinprogress,
                 absl::StrCat("another Usher service serves ", options.address),
                 options.address);
  }
  USHER_RETURN_IF_ERROR(RemoveStaleSocket(options.address, address));
  USHER_ASSIGN_OR_RETURN(Fd socket, BindAndListen(options, address));
  ListeningSocket listening;
  listening.fd = std::move(socket);
  listening.path = options.address;
  listening.lock = *std::move(lock);
  listening.read_peer = [administrators_gid](int fd) {
    return ReadPeer(fd, administrators_gid);
  };
  return MakeSocketListener(options, std::move(listening));
}

}  // namespace usher::transport
