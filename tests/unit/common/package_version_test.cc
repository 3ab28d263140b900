#include "common/package_version.h"

#include <string>

#include "gtest/gtest.h"

namespace usher {
namespace {

int Sign(int value) { return value < 0 ? -1 : (value > 0 ? 1 : 0); }

struct Case {
  std::string a;
  std::string b;
  int order;
};

class DebianVersionTest : public ::testing::TestWithParam<Case> {};

TEST_P(DebianVersionTest, Orders) {
  const Case& c = GetParam();
  EXPECT_EQ(Sign(CompareDebianVersions(c.a, c.b)), c.order)
      << c.a << " " << c.b;
  EXPECT_EQ(Sign(CompareDebianVersions(c.b, c.a)), -c.order);
}

// Those of Debian Policy 5.6.12 and of dpkg's own tests.
INSTANTIATE_TEST_SUITE_P(
    Policy, DebianVersionTest,
    ::testing::Values(
        Case{"1.0", "1.0", 0}, Case{"1.0-1", "1.0-1", 0},
        Case{"0:1.0", "1.0", 0}, Case{"1.0", "1.0-0", 0},
        Case{"1.0-1", "1.0-2", -1}, Case{"1.9", "1.10", -1},
        Case{"1.0-9", "1.0-10", -1}, Case{"1:1.0", "2.0", 1},
        Case{"1:1.0", "2:0.1", -1}, Case{"~~", "~~a", -1}, Case{"~~a", "~", -1},
        Case{"~", "", -1}, Case{"", "a", -1}, Case{"1.0~rc1", "1.0", -1},
        Case{"1.0~rc1-1", "1.0-1", -1}, Case{"1.0a", "1.0+", -1},
        Case{"1.0+b1", "1.0", 1}, Case{"1.0-1+b1", "1.0-1", 1},
        Case{"2.10-3", "2.10-2", 1}, Case{"1.0-1~bpo12+1", "1.0-1", -1},
        Case{"001", "1", 0}, Case{"1.2.3", "1.2.3.0", -1}, Case{"a", "b", -1},
        Case{"12345678901234567890", "12345678901234567891", -1},
        Case{"1.0-1-1", "1.0-1-2", -1}, Case{"2.36-9+deb12u4", "2.36-9", 1},
        Case{"5.10.0-1", "5.9.0-1", 1}));

TEST(DottedVersionTest, Orders) {
  EXPECT_EQ(Sign(CompareDottedVersions("10.0.19045", "10.0.9200")), 1);
  EXPECT_EQ(Sign(CompareDottedVersions("12", "12.0")), 0);
  EXPECT_EQ(Sign(CompareDottedVersions("12", "12.5")), -1);
  EXPECT_EQ(Sign(CompareDottedVersions("", "1")), -1);
  EXPECT_EQ(Sign(CompareDottedVersions("1.b", "1.a")), 1);
}

TEST(DebianNamesTest, Checks) {
  EXPECT_TRUE(IsDebianPackageName("libstdc++6"));
  EXPECT_TRUE(IsDebianPackageName("0ad"));
  for (const char* bad : {"", "a", "Upper", "-x", "a/b", "a b", "ü2"}) {
    EXPECT_FALSE(IsDebianPackageName(bad)) << bad;
  }
  EXPECT_TRUE(IsDebianVersion("1:2.3~rc1+dfsg-4"));
  for (const char* bad : {"", ":1", "x:1", "1_2", "1 2", "1:"}) {
    EXPECT_FALSE(IsDebianVersion(bad)) << bad;
  }
}

}  // namespace
}  // namespace usher
