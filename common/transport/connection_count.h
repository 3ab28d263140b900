#ifndef USHER_COMMON_TRANSPORT_CONNECTION_COUNT_H_
#define USHER_COMMON_TRANSPORT_CONNECTION_COUNT_H_

// How many connections are open: in all, of each user, and with the same
// credentials.

#include <memory>
#include <string>
#include <utility>

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
    // All guarded by the counter; empty until the client is known.
    std::string user_;
    std::string credentials_;
    // One of the service's own places.
    bool own_ = false;
  };

  // With the limits of `options`.
  explicit ConnectionCount(const ListenOptions& options)
      : max_(options.max_connections),
        max_per_user_(options.max_connections_per_user),
        for_administrators_(options.places_for_administrators),
        for_self_(options.places_for_self) {}

  // A place for a connection whose user is not known yet: no limit counts
  // before that, so that nobody unknown shuts out somebody who would be let in.
  // Whoever asks must bound how many remain unknown.
  std::shared_ptr<Place> Take();
  // Says whose it is. False, and why in `reason`, if there are too many.
  bool Identify(Place& place, const PeerIdentity& peer, std::string& reason);
  int With(const std::string& credentials) const;
  // All that have a place, known or not.
  int Total() const;

 private:
  // Why `peer` may have no place beside those that are taken; empty: it may.
  std::string Refusal(const PeerIdentity& peer) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Free(const Place& place);

  const int max_;
  const int max_per_user_;
  const int for_administrators_;
  const int for_self_;
  mutable absl::Mutex mutex_;
  int total_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of the known ones: those that count, and those in the service's places.
  int known_ ABSL_GUARDED_BY(mutex_) = 0;
  int own_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, int> by_user_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int> by_credentials_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::transport

#endif  // USHER_COMMON_TRANSPORT_CONNECTION_COUNT_H_
