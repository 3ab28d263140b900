#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/transport/peer_posix.h"
#include "common/transport/transport.h"

namespace usher::transport {
namespace {

absl::Status ConnectError(int error, const std::string& path) {
  switch (error) {
    case ENOENT:
    case ECONNREFUSED:
      return Error(hr::kWuENoService,
                   absl::StrCat("no Usher service answers at ", path,
                                "; is usherd running?"),
                   path);
    case EAGAIN:  // the accept queue stayed full for the whole timeout
    case ETIMEDOUT:
      return Error(hr::kWuETimeOut,
                   absl::StrCat("the Usher service at ", path,
                                " did not accept the connection in time"),
                   path);
    default:
      return SystemError(error, "connect to", path);
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(
    const DialOptions& options, const grpc::ChannelArguments& arguments) {
  const std::string path =
      options.address.empty() ? DefaultAddress() : options.address;
  USHER_ASSIGN_OR_RETURN(const sockaddr_un address, SocketAddress(path));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return SystemError(errno, "make a socket for", path);
  auto closer = absl::MakeCleanup([fd] { close(fd); });
  // A blocking connect honours the send timeout while the accept queue is
  // full; a non-blocking one would fail at once and could not be waited for.
  const timeval timeout = absl::ToTimeval(options.timeout);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0) {
    return SystemError(errno, "set the timeout of", path);
  }
  int result = 0;
  do {
    result = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                     sizeof(address));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return ConnectError(errno, path);
  if (options.verify_server) {
    USHER_ASSIGN_OR_RETURN(const uid_t uid, ReadPeerUid(fd));
    if (uid != 0 && uid != geteuid()) {
      return WithAdvice(
          Error(hr::kEAccessdenied,
                absl::StrCat("the service at ", path, " runs as user ", uid,
                             ", neither root nor you; nothing was sent"),
                path),
          "look who serves the socket: only root's services and your own are "
          "spoken to");
    }
  }
  const timeval none{};
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none)) != 0 ||
      fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
    return SystemError(errno, "prepare the connection to", path);
  }
  std::move(closer).Cancel();
  return grpc::CreateCustomInsecureChannelFromFd("usher", fd, arguments);
}

}  // namespace usher::transport
