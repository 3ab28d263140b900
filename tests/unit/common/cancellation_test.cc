#include "common/cancellation.h"

#include <thread>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace usher {
namespace {

TEST(CancellationTest, RunsCallbacksOnce) {
  const CancellationToken token;
  CancellationToken copy = token;
  int calls = 0;
  token.OnCancel([&calls] { ++calls; });
  EXPECT_FALSE(token.cancelled());
  copy.Cancel();
  copy.Cancel();
  EXPECT_TRUE(token.cancelled());
  EXPECT_EQ(calls, 1);
}

TEST(CancellationTest, RunsLateCallbackAtOnce) {
  CancellationToken token;
  token.Cancel();
  bool called = false;
  token.OnCancel([&called] { called = true; });
  EXPECT_TRUE(called);
}

TEST(CancellationTest, ForgottenCallbackDoesNotRun) {
  CancellationToken token;
  bool called = false;
  token.Forget(token.OnCancel([&called] { called = true; }));
  token.Cancel();
  EXPECT_FALSE(called);
}

TEST(CancellationTest, WaitEndsWithCancel) {
  CancellationToken token;
  std::thread canceller([&token] { token.Cancel(); });
  EXPECT_TRUE(token.WaitFor(absl::Seconds(60)));
  canceller.join();
}

TEST(CancellationTest, WaitEndsWithTime) {
  const CancellationToken token;
  EXPECT_FALSE(token.WaitFor(absl::Milliseconds(1)));
}

}  // namespace
}  // namespace usher
