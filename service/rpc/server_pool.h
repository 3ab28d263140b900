#ifndef USHER_SERVICE_RPC_SERVER_POOL_H_
#define USHER_SERVICE_RPC_SERVER_POOL_H_

// One grpc::Server for each distinct credentials, so that the caller of a call
// is known by construction. gRPC itself would only offer the peer string
// "fd:N", and descriptor numbers are reused: it must never authorise anything.

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/transport/transport.h"

namespace usher::session {
class Core;
}  // namespace usher::session

namespace usher::rpc {

// Limits of each server; settings of [service].
struct ServerOptions {
  // Calls at a time on one connection.
  int max_concurrent_streams = 128;
  // Bytes of one request. No request of the API needs more; the largest is a
  // root.json (512 KiB).
  int max_receive_bytes = 4 * 1024 * 1024;
  // Bytes of the metadata of one call.
  int max_metadata_bytes = 16 * 1024;
  // Bytes that gRPC may use for the buffers of one server.
  int64_t memory_bytes = int64_t{64} * 1024 * 1024;
};

// Thread-safe.
class ServerPool {
 public:
  // For connections of `listener`'s, which like `core` must outlive the pool.
  ServerPool(session::Core& core, const ServerOptions& options,
             transport::Listener& listener);
  // As after Shutdown().
  ~ServerPool();

  // Hands a connection to the server of its credentials.
  absl::Status Serve(transport::Connection& connection);

  // Serves no more; calls still running at `deadline` are cancelled. Waits
  // until all have ended. After the listener's Stop().
  void Shutdown(absl::Time deadline);

 private:
  struct Entry;

  absl::Status Start(const transport::PeerIdentity& peer,
                     std::shared_ptr<Entry>& entry);
  void DropIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  session::Core& core_;
  const ServerOptions options_;
  transport::Listener& listener_;

  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // By credentials, and whether it is the service itself that calls.
  using Key = std::pair<std::string, bool>;
  absl::flat_hash_map<Key, std::shared_ptr<Entry>> servers_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_SERVER_POOL_H_
