#include "common/transport/socket_listener_posix.h"

#include <fcntl.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/transport/connection_count.h"

namespace usher::transport {
namespace {

constexpr int kPauseMilliseconds = 100;

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

// Each connection is watched twice over its life. Until its client speaks it is
// kept here, where silence costs two descriptors and ends after a while; gRPC
// would wait for ever and keep buffers for it. Then gRPC has it, and a second
// descriptor of the same socket waits for the hang-up, because gRPC does not
// say when it drops a connection (it shuts a socket down before it closes it;
// so does the kernel when the peer goes).
class PosixListener : public Listener {
 public:
  PosixListener(ListenOptions options, ListeningSocket socket, Fd epoll,
                Fd stop)
      : options_(std::move(options)),
        count_(std::make_shared<ConnectionCount>(options_)),
        path_(std::move(socket.path)),
        lock_(std::move(socket.lock)),
        read_peer_(std::move(socket.read_peer)),
        socket_(std::move(socket.fd)),
        epoll_(std::move(epoll)),
        stop_(std::move(stop)),
        reserve_(OpenReserve()) {}

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
    if (!path_.empty()) unlink(path_.c_str());
    if (thread_.joinable()) {
      const uint64_t one = 1;
      // An eventfd write of 1 fails only when the counter is full.
      static_cast<void>(!write(stop_.get(), &one, sizeof(one)));
      thread_.join();
    }
    socket_.Reset();
    for (auto& [key, watched] : watched_) watched.silent.reset();
    silent_.clear();
  }

  void CutOff() override {
    for (const auto& [key, watched] : watched_) {
      shutdown(watched.copy.get(), SHUT_RDWR);
    }
  }

  int OpenConnections(const std::string& credentials) const override {
    return count_->With(credentials);
  }

 private:
  struct Watched {
    // The second descriptor of the socket.
    Fd copy;
    std::shared_ptr<ConnectionCount::Place> place;
    // As long as its client has not spoken, and then it is in silent_.
    std::unique_ptr<PosixConnection> silent;
    uint64_t serial = 0;
  };

  void Loop() {
    std::array<epoll_event, 64> events{};
    while (true) {
      const int count =
          epoll_wait(epoll_.get(), events.data(),
                     static_cast<int>(events.size()), DropSilent());
      if (count < 0) {
        if (errno == EINTR) continue;
        // The epoll set itself is broken: nothing left to wait for.
        if (options_.on_failed) {
          options_.on_failed(
              SystemError(errno, "wait for connections at", options_.address));
        }
        return;
      }
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == stop_.get()) return;
        if (fd == socket_.get()) {
          Accept();
        } else if ((events[i].events & (EPOLLHUP | EPOLLERR)) != 0) {
          Forget(fd);
        } else {
          HandOver(fd);
        }
      }
    }
  }

  // Ends connections whose clients have been silent for too long. Returns for
  // how many milliseconds there is nothing more to do; -1: no end in sight.
  int DropSilent() {
    const absl::Time now = absl::Now();
    while (!silent_.empty()) {
      // All may be silent for equally long, so the oldest is due first.
      const auto [deadline, key] = silent_.begin()->second;
      if (deadline > now) {
        return static_cast<int>(std::clamp<int64_t>(
            absl::ToInt64Milliseconds(deadline - now) + 1, 1, 60'000));
      }
      const std::string user = watched_.at(key).silent->peer().user;
      Refuse(user,
             absl::StrCat(user, " connected and said nothing for ",
                          absl::FormatDuration(options_.handshake_timeout)));
      Forget(key);
    }
    return -1;
  }

  void Accept() {
    // It could not always be had again.
    if (reserve_.get() < 0) reserve_ = OpenReserve();
    Fd fd(
        accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) {
      switch (errno) {
        case EMFILE:
        case ENFILE:
          GiveUpReserve();
          return;
        case ENOBUFS:
        case ENOMEM:
          Refuse("", "out of memory");
          Pause();
          return;
        default:  // the client has gone again
          return;
      }
    }
    absl::StatusOr<PeerIdentity> peer = read_peer_(fd.get());
    if (!peer.ok()) {
      Refuse("", std::string(peer.status().message()));
      return;
    }
    const std::string user = peer->user;
    // The reason is told before the client sees the end.
    const std::string reason = Admit(fd, *std::move(peer));
    if (!reason.empty()) Refuse(user, reason);
  }

  // A pending connection that nobody takes would wake the loop for ever: gives
  // up the reserve, takes the connection, closes it.
  void GiveUpReserve() {
    reserve_.Reset();
    Fd fd(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const bool taken = fd.get() >= 0;
    fd.Reset();
    reserve_ = OpenReserve();
    Refuse("", "out of file descriptors");
    // Somebody else was faster, or the whole machine has none.
    if (!taken) Pause();
  }

  // Nothing can be done at present: not even refused.
  void Pause() {
    pollfd stop = {stop_.get(), POLLIN, 0};
    poll(&stop, 1, kPauseMilliseconds);
  }

  static Fd OpenReserve() {
    return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }

  // Takes `fd` in. Returns why not, or "".
  std::string Admit(Fd& fd, PeerIdentity peer) {
    if (!options_.world_accessible && !peer.is_administrator) {
      return absl::StrCat(peer.user, " may not use this private service");
    }
    std::string reason;
    Watched watched;
    watched.place = count_->Take();
    if (!count_->Identify(*watched.place, peer, reason)) return reason;
    watched.copy = Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (watched.copy.get() < 0) return "out of file descriptors";
    const int key = watched.copy.get();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = key;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, key, &event) != 0) {
      return "cannot watch the connection";
    }
    watched.silent =
        std::make_unique<PosixConnection>(std::move(fd), std::move(peer));
    watched.serial = ++last_serial_;
    silent_[watched.serial] = {absl::Now() + options_.handshake_timeout, key};
    watched_[key] = std::move(watched);
    return "";
  }

  // Its client has spoken.
  void HandOver(int key) {
    const auto it = watched_.find(key);
    if (it == watched_.end() || it->second.silent == nullptr) return;
    epoll_event event{};
    event.events = 0;  // EPOLLHUP and EPOLLERR are always reported
    event.data.fd = key;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, key, &event) != 0) {
      Forget(key);
      return;
    }
    silent_.erase(it->second.serial);
    callback_(std::move(it->second.silent));
  }

  void Forget(int key) {
    const auto it = watched_.find(key);
    if (it == watched_.end()) return;
    // Closing alone would not do: gRPC's descriptor may keep the socket in the
    // set for a moment longer.
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, key, nullptr);
    silent_.erase(it->second.serial);
    watched_.erase(it);
  }

  void Refuse(const std::string& user, const std::string& reason) const {
    if (options_.on_refused) options_.on_refused(user, reason);
  }

  const ListenOptions options_;
  const std::shared_ptr<ConnectionCount> count_;
  const std::string path_;
  const absl::optional<FileLock> lock_;
  const std::function<absl::StatusOr<PeerIdentity>(int fd)> read_peer_;
  Fd socket_;
  Fd epoll_;
  Fd stop_;
  Fd reserve_;
  AcceptCallback callback_;
  std::thread thread_;
  bool stopped_ = false;

  // The thread's, and after its end that of Stop() and CutOff(). By the second
  // descriptor.
  absl::flat_hash_map<int, Watched> watched_;
  // Until when, and which: in the order in which they came.
  std::map<uint64_t, std::pair<absl::Time, int>> silent_;
  uint64_t last_serial_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> MakeSocketListener(
    const ListenOptions& options, ListeningSocket socket) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  Fd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (epoll.get() < 0 || stop.get() < 0) {
    return SystemError(errno, "wait for connections at", options.address);
  }
  for (const int fd : {socket.fd.get(), stop.get()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return SystemError(errno, "wait for connections at", options.address);
    }
  }
  return std::make_unique<PosixListener>(options, std::move(socket),
                                         std::move(epoll), std::move(stop));
}

}  // namespace usher::transport
