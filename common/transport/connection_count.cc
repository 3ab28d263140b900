#include "common/transport/connection_count.h"

#include "absl/strings/str_cat.h"

namespace usher::transport {
namespace {

int Find(const absl::flat_hash_map<std::string, int>& counts,
         const std::string& key) {
  const auto it = counts.find(key);
  return it == counts.end() ? 0 : it->second;
}

void CountDown(absl::flat_hash_map<std::string, int>& counts,
               const std::string& key) {
  const auto it = counts.find(key);
  if (--it->second == 0) counts.erase(it);
}

}  // namespace

ConnectionCount::Place::~Place() { count_->Free(*this); }

std::shared_ptr<ConnectionCount::Place> ConnectionCount::Take() {
  absl::MutexLock lock(&mutex_);
  ++total_;
  return std::make_shared<Place>(shared_from_this());
}

std::string ConnectionCount::Refusal(const PeerIdentity& peer) const {
  const int max = max_ + (peer.is_administrator ? for_administrators_ : 0);
  if (max_ > 0 && known_ >= max) {
    return absl::StrCat("limits.connections (", max_, ") reached; refused ",
                        peer.user);
  }
  if (max_per_user_ > 0 && Find(by_user_, peer.user) >= max_per_user_) {
    return absl::StrCat("limits.connections_per_user (", max_per_user_,
                        ") reached by ", peer.user);
  }
  return "";
}

bool ConnectionCount::Identify(Place& place, const PeerIdentity& peer,
                               std::string& reason) {
  absl::MutexLock lock(&mutex_);
  if (peer.is_self && own_ < for_self_) {
    place.own_ = true;
    ++own_;
  } else {
    reason = Refusal(peer);
    if (!reason.empty()) return false;
    ++known_;
    ++by_user_[peer.user];
  }
  ++by_credentials_[peer.credentials];
  place.user_ = peer.user;
  place.credentials_ = peer.credentials;
  return true;
}

int ConnectionCount::With(const std::string& credentials) const {
  absl::MutexLock lock(&mutex_);
  return Find(by_credentials_, credentials);
}

int ConnectionCount::Total() const {
  absl::MutexLock lock(&mutex_);
  return total_;
}

void ConnectionCount::Free(const Place& place) {
  absl::MutexLock lock(&mutex_);
  --total_;
  if (place.user_.empty()) return;
  if (place.own_) {
    --own_;
  } else {
    --known_;
    CountDown(by_user_, place.user_);
  }
  CountDown(by_credentials_, place.credentials_);
}

}  // namespace usher::transport
