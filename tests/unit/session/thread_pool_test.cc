// Who waits for whom.

#include "service/session/thread_pool.h"

#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::session {
namespace {

using ::testing::ElementsAre;

const Caller kAlice{"alice", false};
const Caller kBob{"bob", false};
const Caller kRoot{"root", true};

class ThreadPoolTest : public ::testing::Test {
 protected:
  // Work that says its name.
  std::function<void()> Say(const std::string& name) {
    return [this, name] {
      absl::MutexLock lock(&mutex_);
      said_.push_back(name);
    };
  }

  std::vector<std::string> said() {
    absl::MutexLock lock(&mutex_);
    return said_;
  }

  absl::Mutex mutex_;
  std::vector<std::string> said_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(ThreadPoolTest, CallersTakeTurns) {
  absl::Notification go;
  ThreadPool pool(1);
  pool.Post([&go] { go.WaitForNotification(); });
  for (const char* name : {"a1", "a2", "a3", "a4"}) {
    pool.Post(kAlice, Say(name));
  }
  for (const char* name : {"b1", "b2"}) pool.Post(kBob, Say(name));
  pool.Post(Say("own"));
  go.Notify();
  pool.Drain();
  EXPECT_THAT(said(), ElementsAre("a1", "b1", "own", "a2", "b2", "a3", "a4"));
}

TEST_F(ThreadPoolTest, TheServiceThatTriesItsOwnDoorHasItsTurn) {
  absl::Notification go;
  ThreadPool pool(1);
  pool.Post([&go] { go.WaitForNotification(); });
  for (const char* name : {"r1", "r2", "r3"}) pool.Post(kRoot, Say(name));
  pool.Post(Caller{kRoot.user, true, /*is_self=*/true}, Say("self"));
  go.Notify();
  pool.Drain();
  EXPECT_THAT(said(), ElementsAre("r1", "self", "r2", "r3"));
}

TEST_F(ThreadPoolTest, LongWorkOfUsersDoesNotHoldUpAdministrators) {
  absl::Notification go;
  ThreadPool pool(2, /*for_administrators=*/1);
  for (const Caller& caller : {kAlice, kBob, kAlice, kBob}) {
    pool.Post(caller, [&go] { go.WaitForNotification(); });
  }
  absl::Notification root;
  pool.Post(kRoot, [&root] { root.Notify(); });
  root.WaitForNotification();
  absl::Notification own;
  pool.Post([&own] { own.Notify(); });
  own.WaitForNotification();
  go.Notify();
}

TEST_F(ThreadPoolTest, TheReservedThreadTakesNothingOfUsers) {
  absl::Notification busy;
  absl::Notification go;
  ThreadPool pool(1, /*for_administrators=*/1);
  pool.Post(kAlice, [&] {
    busy.Notify();
    go.WaitForNotification();
  });
  busy.WaitForNotification();
  pool.Post(kBob, Say("bob"));
  // The same user as an administrator and otherwise is two callers.
  pool.Post(Caller{"bob", true}, Say("bob the administrator"));
  pool.Run(Say("own"));
  EXPECT_THAT(said(), ElementsAre("bob the administrator", "own"));
  go.Notify();
  pool.Drain();
  EXPECT_THAT(said(), ElementsAre("bob the administrator", "own", "bob"));
}

TEST_F(ThreadPoolTest, EverythingQueuedRunsBeforeTheEnd) {
  {
    ThreadPool pool(1, /*for_administrators=*/1);
    for (int i = 0; i < 3; ++i) {
      pool.Post(kAlice, Say("x"));
      pool.Post(kRoot, Say("x"));
    }
  }
  EXPECT_EQ(said().size(), 6U);
}

}  // namespace
}  // namespace usher::session
