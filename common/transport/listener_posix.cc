#include <fcntl.h>
#include <grpcpp/server_posix.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/transport/peer_posix.h"
#include "common/transport/transport.h"

namespace usher::transport {
namespace {

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

class PosixConnection : public Connection {
 public:
  PosixConnection(Fd fd, PeerIdentity peer)
      : fd_(std::move(fd)), peer_(std::move(peer)) {}

  ~PosixConnection() override {
    // Closing alone would not do: the listener's watch has a second descriptor.
    if (fd_.get() >= 0) shutdown(fd_.get(), SHUT_RDWR);
  }

  const PeerIdentity& peer() const override { return peer_; }

  absl::Status Serve(grpc::Server& server) override {
    if (fd_.get() < 0) {
      return Error(hr::kWuEInvalidOperation, "connection is served already");
    }
    grpc::AddInsecureChannelFromFd(&server, fd_.Release());
    return absl::OkStatus();
  }

 private:
  Fd fd_;
  PeerIdentity peer_;
};

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

class PosixListener : public Listener {
 public:
  PosixListener(ListenOptions options, FileLock lock, Fd socket, Fd epoll,
                Fd stop, absl::optional<gid_t> administrators_gid)
      : options_(std::move(options)),
        administrators_gid_(administrators_gid),
        lock_(std::move(lock)),
        socket_(std::move(socket)),
        epoll_(std::move(epoll)),
        stop_(std::move(stop)),
        reserve_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

  ~PosixListener() override { PosixListener::Stop(); }

  absl::Status Start(AcceptCallback callback) override {
    if (thread_.joinable() || stopped_) {
      return Error(hr::kWuEInvalidOperation, "listener was started already");
    }
    callback_ = std::move(callback);
    thread_ = std::thread([this] { Loop(); });
    return absl::OkStatus();
  }

  void Stop() override {
    if (stopped_) return;
    stopped_ = true;
    // First the name, so that nobody connects to what is no longer accepted.
    unlink(options_.address.c_str());
    if (thread_.joinable()) {
      const uint64_t one = 1;
      // An eventfd write of 1 fails only when the counter is full.
      static_cast<void>(!write(stop_.get(), &one, sizeof(one)));
      thread_.join();
    }
    socket_.Reset();
  }

  int OpenConnections(const std::string& credentials) const override {
    absl::MutexLock lock(&mutex_);
    const auto it = by_credentials_.find(credentials);
    return it == by_credentials_.end() ? 0 : it->second;
  }

 private:
  struct Watched {
    Fd fd;
    std::string user;
    std::string credentials;
  };

  void Loop() {
    std::array<epoll_event, 64> events{};
    while (true) {
      const int count = epoll_wait(epoll_.get(), events.data(),
                                   static_cast<int>(events.size()), -1);
      if (count < 0) {
        if (errno == EINTR) continue;
        return;  // the epoll set itself is broken: nothing left to wait for
      }
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == stop_.get()) return;
        if (fd == socket_.get()) {
          Accept();
        } else {
          Forget(fd);
        }
      }
    }
  }

  void Accept() {
    Fd fd(
        accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) {
      if (errno == EMFILE || errno == ENFILE) {
        // Without this the pending connection would wake the loop for ever:
        // give up the reserve, take the connection, close it.
        reserve_.Reset();
        fd = Fd(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        fd.Reset();
        reserve_ = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
        Refuse("out of file descriptors");
      }
      return;
    }
    absl::StatusOr<PeerIdentity> peer = ReadPeer(fd.get(), administrators_gid_);
    if (!peer.ok()) {
      Refuse(std::string(peer.status().message()));
      return;
    }
    if (!options_.world_accessible && !peer->is_administrator) {
      Refuse(absl::StrCat(peer->user, " may not use this private service"));
      return;
    }
    if (!Watch(fd.get(), *peer)) return;
    callback_(
        std::make_unique<PosixConnection>(std::move(fd), *std::move(peer)));
  }

  // gRPC does not say when it drops a connection, so a second descriptor of
  // the same socket waits for the hang-up (gRPC shuts a socket down before it
  // closes it; so does the kernel when the peer goes).
  bool Watch(int fd, const PeerIdentity& peer) {
    Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (copy.get() < 0) {
      Refuse("out of file descriptors");
      return false;
    }
    std::string reason;
    {
      absl::MutexLock lock(&mutex_);
      if (options_.max_connections > 0 &&
          static_cast<int>(watched_.size()) >= options_.max_connections) {
        reason = absl::StrCat("limits.connections (", options_.max_connections,
                              ") reached; refused ", peer.user);
      } else if (options_.max_connections_per_user > 0 &&
                 by_user_[peer.user] >= options_.max_connections_per_user) {
        reason = absl::StrCat("limits.connections_per_user (",
                              options_.max_connections_per_user,
                              ") reached by ", peer.user);
      } else {
        epoll_event event{};
        event.events = 0;  // EPOLLHUP and EPOLLERR are always reported
        event.data.fd = copy.get();
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, copy.get(), &event) != 0) {
          reason = "cannot watch the connection";
        } else {
          ++by_user_[peer.user];
          ++by_credentials_[peer.credentials];
          const int key = copy.get();
          watched_[key] = Watched{std::move(copy), peer.user, peer.credentials};
          return true;
        }
      }
    }
    Refuse(reason);
    return false;
  }

  void Forget(int fd) {
    absl::MutexLock lock(&mutex_);
    const auto it = watched_.find(fd);
    if (it == watched_.end()) return;
    if (--by_user_[it->second.user] == 0) by_user_.erase(it->second.user);
    if (--by_credentials_[it->second.credentials] == 0) {
      by_credentials_.erase(it->second.credentials);
    }
    // Closing alone would not do: gRPC's descriptor may keep the socket in the
    // set for a moment longer.
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    watched_.erase(it);
  }

  void Refuse(const std::string& reason) const {
    if (options_.on_refused) options_.on_refused(reason);
  }

  const ListenOptions options_;
  const absl::optional<gid_t> administrators_gid_;
  const FileLock lock_;
  Fd socket_;
  Fd epoll_;
  Fd stop_;
  Fd reserve_;
  AcceptCallback callback_;
  std::thread thread_;
  bool stopped_ = false;

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<int, Watched> watched_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int> by_user_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int> by_credentials_ ABSL_GUARDED_BY(mutex_);
};

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
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  Fd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (epoll.get() < 0 || stop.get() < 0) {
    return SystemError(errno, "wait for connections at", options.address);
  }
  for (const int fd : {socket.get(), stop.get()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return SystemError(errno, "wait for connections at", options.address);
    }
  }
  return std::make_unique<PosixListener>(options, *std::move(lock),
                                         std::move(socket), std::move(epoll),
                                         std::move(stop), administrators_gid);
}

}  // namespace usher::transport
