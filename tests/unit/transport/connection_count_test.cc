// Who gets a place when there are few.

#include "common/transport/connection_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace usher::transport {
namespace {

using ::testing::HasSubstr;

class ConnectionCountTest : public ::testing::Test {
 protected:
  using Places = std::vector<std::shared_ptr<ConnectionCount::Place>>;

  ConnectionCountTest() {
    options_.max_connections = 8;
    options_.max_connections_per_user = 4;
    options_.places_for_administrators = 2;
    options_.places_for_self = 1;
    count_ = std::make_shared<ConnectionCount>(options_);
  }

  static PeerIdentity User(const std::string& name) {
    PeerIdentity peer;
    peer.user = peer.credentials = name;
    return peer;
  }

  static PeerIdentity Administrator(const std::string& name) {
    PeerIdentity peer = User(name);
    peer.is_administrator = true;
    peer.credentials += " administrator";
    return peer;
  }

  static PeerIdentity Self() {
    PeerIdentity peer = Administrator("root");
    peer.is_self = true;
    return peer;
  }

  // As many places for `peer` as it gets, at most `wanted`.
  Places Take(const PeerIdentity& peer, int wanted) {
    Places places;
    while (static_cast<int>(places.size()) < wanted) {
      auto place = count_->Take();
      if (!count_->Identify(*place, peer, reason_)) break;
      places.push_back(std::move(place));
    }
    return places;
  }

  ListenOptions options_;
  std::shared_ptr<ConnectionCount> count_;
  std::string reason_;
};

TEST_F(ConnectionCountTest, UsersTogetherDoNotShutOutAdministrators) {
  const Places alice = Take(User("alice"), 100);
  EXPECT_EQ(alice.size(), 4U);
  EXPECT_THAT(reason_, HasSubstr("limits.connections_per_user (4)"));
  const Places bob = Take(User("bob"), 100);
  EXPECT_EQ(bob.size(), 4U);
  EXPECT_TRUE(Take(User("carol"), 1).empty());
  EXPECT_THAT(reason_, HasSubstr("limits.connections (8)"));
  EXPECT_THAT(reason_, HasSubstr("carol"));
  // What is kept for administrators is a number, too.
  const Places root = Take(Administrator("root"), 100);
  EXPECT_EQ(root.size(), 2U);
  EXPECT_THAT(reason_, HasSubstr("limits.connections (8)"));
}

TEST_F(ConnectionCountTest, AdministratorsTakeFromEverybodysPlacesToo) {
  const Places root = Take(Administrator("root"), 100);
  EXPECT_EQ(root.size(), 4U);
  const Places other = Take(Administrator("other"), 100);
  EXPECT_EQ(other.size(), 4U);
  EXPECT_TRUE(Take(User("alice"), 1).empty());
  EXPECT_EQ(Take(Administrator("third"), 100).size(), 2U);
}

TEST_F(ConnectionCountTest, TheServiceHasAPlaceBeyondAllLimits) {
  const Places root = Take(Administrator("root"), 100);
  const Places other = Take(Administrator("other"), 100);
  const Places third = Take(Administrator("third"), 100);
  EXPECT_EQ(root.size() + other.size() + third.size(), 10U);
  Places self = Take(Self(), 100);
  ASSERT_EQ(self.size(), 1U);
  EXPECT_EQ(count_->With("root administrator"), 5);
  self.clear();
  EXPECT_EQ(Take(Self(), 100).size(), 1U);
}

TEST_F(ConnectionCountTest, PlacesComeFreeAndTheUnknownCountAgainstNobody) {
  Places unknown;
  for (int i = 0; i < 20; ++i) unknown.push_back(count_->Take());
  EXPECT_EQ(count_->Total(), 20);
  for (int round = 0; round < 3; ++round) {
    const Places alice = Take(User("alice"), 100);
    EXPECT_EQ(alice.size(), 4U);
    EXPECT_EQ(count_->With("alice"), 4);
  }
  EXPECT_EQ(count_->With("alice"), 0);
  unknown.clear();
  EXPECT_EQ(count_->Total(), 0);
}

TEST_F(ConnectionCountTest, NoughtIsNoLimit) {
  options_.max_connections = 0;
  options_.max_connections_per_user = 0;
  count_ = std::make_shared<ConnectionCount>(options_);
  EXPECT_EQ(Take(User("alice"), 5000).size(), 5000U);
}

}  // namespace
}  // namespace usher::transport
