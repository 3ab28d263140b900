#ifndef USHER_COMMON_TRANSPORT_SOCKET_LISTENER_POSIX_H_
#define USHER_COMMON_TRANSPORT_SOCKET_LISTENER_POSIX_H_

// Accepts at a socket of any kind.

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/file_io.h"
#include "common/transport/transport.h"

namespace usher::transport {

// A file descriptor with an owner.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Reset(); }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// A socket that listens, and what belongs to it.
struct ListeningSocket {
  Fd fd;
  // Its file, which goes when the listener stops; empty: none.
  std::string path;
  // Held as long as the listener.
  absl::optional<FileLock> lock;
  // Who is at the other end of an accepted connection.
  std::function<absl::StatusOr<PeerIdentity>(int fd)> read_peer;
};

// `options.address` names it in errors.
absl::StatusOr<std::unique_ptr<Listener>> MakeSocketListener(
    const ListenOptions& options, ListeningSocket socket);

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_SOCKET_LISTENER_POSIX_H_
