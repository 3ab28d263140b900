#include "service/self_check.h"

#include "absl/time/time.h"
#include "common/error.h"
#include "gtest/gtest.h"
#include "tests/unit/transport/raw_client.h"

namespace usher::daemon {
namespace {

TEST(SelfCheckTest, OneCheckMayFailWithoutAnAlarm) {
  for (const absl::Duration watchdog :
       {absl::Milliseconds(500), absl::Seconds(60), absl::Minutes(10)}) {
    const CheckTimes times = CheckTimesFor(watchdog);
    EXPECT_GT(times.retry, absl::ZeroDuration());
    EXPECT_LT(times.pause + times.timeout + times.retry + times.timeout,
              watchdog);
  }
}

TEST(SelfCheckTest, SaysThatNobodyIsThere) {
  EXPECT_EQ(HResultOf(CheckService(transport::NewAddress(), absl::Seconds(1),
                                   CancellationToken())),
            hr::kWuENoService);
}

}  // namespace
}  // namespace usher::daemon
