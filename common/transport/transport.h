#ifndef USHER_COMMON_TRANSPORT_TRANSPORT_H_
#define USHER_COMMON_TRANSPORT_TRANSPORT_H_

// The local transport: ordinary gRPC over a Unix socket (Linux) or a named
// pipe (Windows), with both ends known from the kernel. Platform twins:
// dial, listener and peer, each _posix.cc and _win.cc.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
class Server;
class ChannelArguments;
}  // namespace grpc

namespace usher::transport {

// Who is at the other end, as the kernel said at accept. Immutable.
struct PeerIdentity {
  // Key of the identity: "uid:1000" or a SID. Two connections with equal
  // `user` belong to the same owner of sessions.
  std::string user;
  // Everything that authorisation looks at, as one text (user and whether an
  // administrator): connections with equal `credentials` share a server.
  std::string credentials;
  // Root, the user the service itself runs as, or a member of the configured
  // administrators group; an elevated administrator or SYSTEM on Windows.
  bool is_administrator = false;
  // The service itself, by its process id, which nobody else can have as long
  // as it runs.
  bool is_self = false;
  // For logs only: process ids are reused.
  int64_t process_id = 0;
};

// An accepted connection that nobody has spoken on yet.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual const PeerIdentity& peer() const = 0;
  // Hands the connection to `server`, which then owns it. `server` must have
  // been built without a listening port. Call at most once.
  virtual absl::Status Serve(grpc::Server& server) = 0;
};

struct ListenOptions {
  // Socket path, or pipe name (`\\.\pipe\Usher`).
  std::string address;
  // Group whose members count as administrators besides root; empty: none.
  std::string administrators_group;
  // Everyone on the machine may connect; false: only the service's own user
  // and root (a private instance made with --state-dir).
  bool world_accessible = true;
  // Told, on the listener's thread, that it can accept nobody any more. May be
  // empty.
  std::function<void(const absl::Status& reason)> on_failed;
  // Open connections in all and for each user; 0: no limit. A connection
  // beyond them is closed at once, without a byte.
  int max_connections = 1024;
  int max_connections_per_user = 256;
  // Places beyond max_connections which only administrators may take, so that
  // other users together cannot shut them out.
  int places_for_administrators = 16;
  // Places beyond all limits for the service itself, which tries its own door:
  // nobody shall make it believe that it does not answer.
  int places_for_self = 4;
  // A client that has not begun to speak by then is disconnected.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // Told, on the listener's thread, whose connection was refused (empty if that
  // is not known) and why. May be empty; must not block.
  std::function<void(const std::string& user, const std::string& reason)>
      on_refused;
};

// Accepts connections until stopped.
class Listener {
 public:
  using AcceptCallback = std::function<void(std::unique_ptr<Connection>)>;

  // Binds the address. Fails with WU_E_OPERATIONINPROGRESS when another
  // process serves it; removes a socket file that nobody serves.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(
      const ListenOptions& options);
  // The same at a TCP port of 127.0.0.1, where the kernel does not tell who is
  // at the other end: everyone is `everyone`. Of `options` the limits and
  // on_refused count. `port` 0 means any that is free and becomes that one.
  // Null where connections cannot be handed to a server one by one (Windows):
  // gRPC has to listen itself then.
  static absl::StatusOr<std::unique_ptr<Listener>> ListenLoopback(
      const ListenOptions& options, const PeerIdentity& everyone, int& port);
  virtual ~Listener() = default;

  // Calls `callback` for each connection, one after the other, on a thread of
  // the listener's.
  virtual absl::Status Start(AcceptCallback callback) = 0;
  // Accepts no more, removes the socket file and waits for a running callback.
  // Connections already handed over go on.
  virtual void Stop() = 0;
  // Breaks the connections handed over that are still open. After Stop().
  virtual void CutOff() = 0;
  // Connections with these credentials that are open now. Thread-safe.
  virtual int OpenConnections(const std::string& credentials) const = 0;
};

struct DialOptions {
  // Empty: DefaultAddress().
  std::string address;
  // Who may be at the other end: root / SYSTEM / Administrators and the
  // caller's own user. Anything else is refused with E_ACCESSDENIED, so that
  // an impostor at the address learns nothing.
  bool verify_server = true;
  absl::Duration timeout = absl::Seconds(5);
};

// The address of the machine-wide service: /run/usher/usher.sock or
// \\.\pipe\Usher.
std::string MachineAddress();

// What the environment variable USHER_ADDRESS says, or MachineAddress().
std::string DefaultAddress();

// The address of a private service that keeps its things in `state_dir`, which
// is taken as absolute: `state_dir`/usher.sock, or \\.\pipe\Usher- and 16
// hexadecimal digits that stand for the folder, whatever the case of its
// letters.
std::string PrivateAddress(const std::filesystem::path& state_dir);

// The address that `text` from a file in `folder` means: a socket's path may
// be relative to the file.
std::string ResolveAddress(const std::string& text,
                           const std::filesystem::path& folder);

// Connects. The channel does not redial: once it breaks, dial again. Fails
// with WU_E_NO_SERVICE when nobody serves the address.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(
    const DialOptions& options, const grpc::ChannelArguments& arguments);

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_TRANSPORT_H_
