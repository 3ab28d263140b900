#ifndef USHER_COMMON_TRANSPORT_CONNECTION_COUNT_H_
#define USHER_COMMON_TRANSPORT_CONNECTION_COUNT_H_

// How many connections are open: in all, of each user, and with the same
// credentials.

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/transport/transport.h"

namespace usher::transport {

// Thread-safe. Places may be given back after the counter's owner is gone.
class ConnectionCount : public std::enable_shared_from_this<ConnectionCount> {
 public:
  // A connection's place; free again when it is destroyed.
  class Place {
   public:
    explicit Place(std::shared_ptr<ConnectionCount> count)
        : count_(std::move(count)) {}
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class ConnectionCount;
    const std::shared_ptr<ConnectionCount> count_;
    // Empty until the client is known. Guarded by the counter.
    std::string user_;
    std::string credentials_;
  };

  // 0: no limit.
  ConnectionCount(int max, int max_per_user)
      : max_(max), max_per_user_(max_per_user) {}

  // A place for a connection whose user is not known yet. Null, and why in
  // `reason`, if there is none.
  std::shared_ptr<Place> Take(std::string& reason);
  // Says whose it is. False, and why in `reason`, if that user has too many.
  bool Identify(Place& place, const PeerIdentity& peer, std::string& reason);
  int With(const std::string& credentials) const;
  int Total() const;

 private:
  void Free(const Place& place);

  const int max_;
  const int max_per_user_;
  mutable absl::Mutex mutex_;
  int total_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, int> by_user_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int> by_credentials_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_CONNECTION_COUNT_H_
