#include "common/fault_point.h"

#include <csignal>
#include <cstdlib>

#include "gtest/gtest.h"

namespace usher {
namespace {

#ifdef USHER_FAULT_POINTS

// Reaches the points in a process of its own, in which the variable is first
// read.
void ReachThreeTimes() {
  setenv("USHER_FAULT", "test.step:2", 1);
  USHER_FAULT_POINT("test.other");
  USHER_FAULT_POINT("test.step");
  fputs("once\n", stderr);
  USHER_FAULT_POINT("test.step");
  fputs("twice\n", stderr);
}

TEST(FaultPointDeathTest, KillsAtTheNamedCount) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ReachThreeTimes(), ::testing::KilledBySignal(SIGKILL),
              "^once\n$");
}

#endif  // USHER_FAULT_POINTS

TEST(FaultPointTest, DoesNothingUnlessNamed) {
  bool passed = false;
  USHER_FAULT_POINT("test.unnamed");
  passed = true;
  EXPECT_TRUE(passed);
}

}  // namespace
}  // namespace usher
