#include "client/internal/serial_queue.h"

#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::internal {
namespace {

TEST(SerialQueueTest, RunsInOrderOfTime) {
  SerialQueue queue;
  absl::Notification all_posted;
  absl::Notification done;
  std::vector<int> order;
  queue.Post([&] { all_posted.WaitForNotification(); });
  queue.Post([&] {
    order.push_back(3);
    done.Notify();
  });
  // Due in the past, whenever the test comes to run.
  queue.Post([&] { order.push_back(2); }, -absl::Hours(1));
  queue.Post([&] { order.push_back(1); }, -absl::Hours(2));
  all_posted.Notify();
  done.WaitForNotification();
  EXPECT_THAT(order, ::testing::ElementsAre(1, 2, 3));
}

TEST(SerialQueueTest, RunsNothingBeforeItsTime) {
  SerialQueue queue;
  absl::Notification done;
  const absl::Time posted = absl::Now();
  queue.Post([&] { done.Notify(); }, absl::Milliseconds(20));
  done.WaitForNotification();
  EXPECT_GE(absl::Now() - posted, absl::Milliseconds(20));
}

TEST(SerialQueueTest, StopDropsWhatWaits) {
  bool ran = false;
  SerialQueue queue;
  queue.Post([&] { ran = true; }, absl::Hours(1));
  queue.Stop();
  queue.Post([&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST(SerialQueueTest, MayBeDestroyedByItsOwnTask) {
  auto queue = std::make_unique<SerialQueue>();
  absl::Notification begun;
  absl::Notification done;
  queue->Post([&] {
    begun.WaitForNotification();
    EXPECT_TRUE(queue->OnThread());
    queue = nullptr;
    done.Notify();
  });
  EXPECT_FALSE(queue->OnThread());
  begun.Notify();
  done.WaitForNotification();
  EXPECT_EQ(queue, nullptr);
}

}  // namespace
}  // namespace usher::internal
