#include "common/transport/connection_count.h"

#include "absl/strings/str_cat.h"

namespace usher::transport {

ConnectionCount::Place::~Place() { count_->Free(*this); }

std::shared_ptr<ConnectionCount::Place> ConnectionCount::Take(
    std::string& reason) {
  absl::MutexLock lock(&mutex_);
  if (max_ > 0 && total_ >= max_) {
    reason = absl::StrCat("limits.connections (", max_, ") reached");
    return nullptr;
  }
  ++total_;
  return std::make_shared<Place>(shared_from_this());
}

bool ConnectionCount::Identify(Place& place, const PeerIdentity& peer,
                               std::string& reason) {
  absl::MutexLock lock(&mutex_);
  int& open = by_user_[peer.user];
  if (max_per_user_ > 0 && open >= max_per_user_) {
    reason = absl::StrCat("limits.connections_per_user (", max_per_user_,
                          ") reached by ", peer.user);
    return false;
  }
  ++open;
  ++by_credentials_[peer.credentials];
  place.user_ = peer.user;
  place.credentials_ = peer.credentials;
  return true;
}

int ConnectionCount::With(const std::string& credentials) const {
  absl::MutexLock lock(&mutex_);
  const auto it = by_credentials_.find(credentials);
  return it == by_credentials_.end() ? 0 : it->second;
}

int ConnectionCount::Total() const {
  absl::MutexLock lock(&mutex_);
  return total_;
}

void ConnectionCount::Free(const Place& place) {
  absl::MutexLock lock(&mutex_);
  --total_;
  if (place.user_.empty()) return;
  if (--by_user_[place.user_] == 0) by_user_.erase(place.user_);
  if (--by_credentials_[place.credentials_] == 0) {
    by_credentials_.erase(place.credentials_);
  }
}

}  // namespace usher::transport
