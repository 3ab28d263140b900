#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/transport/socket_listener_posix.h"
#include "common/transport/transport.h"

namespace usher::transport {

absl::StatusOr<std::unique_ptr<Listener>> Listener::ListenLoopback(
    const ListenOptions& options, const PeerIdentity& everyone, int& port) {
  ListenOptions named = options;
  named.address = absl::StrCat("127.0.0.1:", port);
  ListeningSocket listening;
  listening.fd =
      Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = listening.fd.get();
  if (fd < 0) return SystemError(errno, "make", named.address);
  // Otherwise a port could not be had again for minutes after a restart. (That
  // two listen at one would take SO_REUSEPORT.)
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
          0 ||
      listen(fd, SOMAXCONN) != 0) {
    return SystemError(errno, "listen at", named.address);
  }
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return SystemError(errno, "look at", named.address);
  }
  port = ntohs(address.sin_port);
  named.address = absl::StrCat("127.0.0.1:", port);
  named.world_accessible = true;
  listening.read_peer =
      [everyone](int accepted) -> absl::StatusOr<PeerIdentity> {
    // As gRPC does with connections that it accepts itself.
    const int no_delay = 1;
    if (setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &no_delay,
                   sizeof(no_delay)) != 0) {
      return SystemError(errno, "prepare", "a connection");
    }
    return everyone;
  };
  return MakeSocketListener(named, std::move(listening));
}

}  // namespace usher::transport
