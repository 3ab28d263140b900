#include "common/fault_point.h"

#include <cstdio>

#include "gtest/gtest.h"
#include "tests/unit/common/process_end.h"

namespace usher {
namespace {

#ifdef USHER_FAULT_POINTS

// Reaches the points in a process of its own, in which the variable is first
// read.
void ReachThreeTimes() {
  SetVariable("USHER_FAULT", "test.step:2");
  USHER_FAULT_POINT("test.other");
  USHER_FAULT_POINT("test.step");
  fputs("once\n", stderr);
  fflush(stderr);
  USHER_FAULT_POINT("test.step");
  fputs("twice\n", stderr);
  fflush(stderr);
}

TEST(FaultPointDeathTest, KillsAtTheNamedCount) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // A killed process writes no buffer of its own.
  EXPECT_EXIT(ReachThreeTimes(), WasKilled, "^once\r?\n$");
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
