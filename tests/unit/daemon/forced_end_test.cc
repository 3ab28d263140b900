#include "service/forced_end.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "gtest/gtest.h"

namespace usher::daemon {
namespace {

TEST(ForcedEndTest, ComesWhenAStopTakesTooLong) {
  CancellationToken stop;
  absl::Notification ended;
  const ForcedEnd forced(stop, absl::Milliseconds(1),
                         [&ended] { ended.Notify(); });
  stop.Cancel();
  ended.WaitForNotification();
}

TEST(ForcedEndTest, CountsFromTheBeginningIfTheStopWasAskedForBefore) {
  CancellationToken stop;
  stop.Cancel();
  absl::Notification ended;
  const ForcedEnd forced(stop, absl::Milliseconds(1),
                         [&ended] { ended.Notify(); });
  ended.WaitForNotification();
}

TEST(ForcedEndTest, DoesNotComeInTimeNorUnasked) {
  std::atomic<bool> ended = false;
  CancellationToken stop;
  {
    // Nobody asks: a wait for a stop would never end.
    const ForcedEnd forced(stop, absl::ZeroDuration(), [&] { ended = true; });
  }
  {
    const ForcedEnd forced(stop, absl::Hours(1), [&] { ended = true; });
    stop.Cancel();
  }
  EXPECT_FALSE(ended);
}

}  // namespace
}  // namespace usher::daemon
