#include "client/internal/serial_queue.h"

#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::internal {
namespace {

TEST(SerialQueueTest, RunsInOrderOfTime) {
  SerialQueue queue;
  std::vector<int> order;
  absl::Notification done;
  queue.Post(
      [&] {
        order.push_back(3);
        done.Notify();
      },
      absl::Milliseconds(50));
  queue.Post([&] { order.push_back(1); });
  queue.Post([&] { order.push_back(2); });
  done.WaitForNotification();
  EXPECT_THAT(order, ::testing::ElementsAre(1, 2, 3));
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
