#include "service/platform/record_lock.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "service/platform/process.h"
#include "tests/unit/install/temp_dir.h"

namespace usher::platform {
namespace {

class RecordLockTest : public ::testing::Test {
 protected:
  install::test::TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "lock";
  CancellationToken never_;
};

TEST_F(RecordLockTest, OneAtATime) {
  {
    const auto first = RecordLock::Acquire(path_, absl::ZeroDuration(), never_);
    ASSERT_TRUE(first.ok()) << first.status();
    const auto second =
        RecordLock::Acquire(path_, absl::Milliseconds(20), never_);
    EXPECT_EQ(HResultOf(second.status()), hr::kWuEOperationinprogress);
  }
  EXPECT_TRUE(RecordLock::Acquire(path_, absl::ZeroDuration(), never_).ok());
}

TEST_F(RecordLockTest, WaitsForTheHolder) {
  auto held = RecordLock::Acquire(path_, absl::ZeroDuration(), never_);
  ASSERT_TRUE(held.ok());
  absl::Notification waiting;
  std::thread waiter([&] {
    waiting.Notify();
    EXPECT_TRUE(RecordLock::Acquire(path_, absl::Minutes(1), never_).ok());
  });
  waiting.WaitForNotification();
  { const RecordLock gone = std::move(*held); }
  waiter.join();
}

TEST_F(RecordLockTest, CancelEndsTheWait) {
  const auto held = RecordLock::Acquire(path_, absl::ZeroDuration(), never_);
  ASSERT_TRUE(held.ok());
  CancellationToken cancel;
  absl::Status status;
  std::thread waiter([&] {
    status = RecordLock::Acquire(path_, absl::Minutes(1), cancel).status();
  });
  cancel.Cancel();
  waiter.join();
  EXPECT_EQ(HResultOf(status), hr::kWuECallCancelled);
}

}  // namespace
}  // namespace usher::platform
