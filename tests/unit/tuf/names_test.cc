#include <string>

#include "absl/time/time.h"
#include "common/tuf/metadata_codec.h"
#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

TEST(ExpiryTest, ReadsExactlyOneForm) {
  const absl::Time time = ParseExpiry("2030-01-31T23:59:58Z").value();
  EXPECT_EQ(time, absl::FromCivil(absl::CivilSecond(2030, 1, 31, 23, 59, 58),
                                  absl::UTCTimeZone()));
  EXPECT_EQ(FormatExpiry(time), "2030-01-31T23:59:58Z");
}

TEST(ExpiryTest, RefusesEveryOtherForm) {
  for (const char* text :
       {"", "2030-01-31", "2030-01-31T23:59:58", "2030-01-31T23:59:58.5Z",
        "2030-01-31T23:59:58+00:00", "2030-01-31 23:59:58Z",
        "2030-02-30T00:00:00Z", "2030-1-31T00:00:00ZZ", "2030-13-01T00:00:00Z",
        "2030-01-31T24:00:00Z", "2030-01-31T23:59:60Z", " 2030-01-31T23:59:5Z",
        "10000-01-01T00:00:00Z", "infinite-future"}) {
    EXPECT_FALSE(ParseExpiry(text).ok()) << text;
  }
}

TEST(TargetNameTest, TakesOrdinaryNames) {
  for (const char* name : {"a", "catalog/catalog.usc", "a b/\xC3\xA9?#%.txt",
                           "..a/...", "x/c:d"}) {
    EXPECT_TRUE(IsConfinedTargetName(name)) << name;
  }
}

TEST(TargetNameTest, RefusesWhatLeavesItsFolder) {
  for (const std::string& name :
       {std::string(), std::string("/etc/passwd"), std::string("../a"),
        std::string("a/../../b"), std::string("a/.."), std::string("."),
        std::string("a//b"), std::string("a/"), std::string("a\\..\\b"),
        std::string("C:evil"), std::string("c:/evil"), std::string("a\0b", 3),
        std::string("a\nb"), std::string(1025, 'a')}) {
    EXPECT_FALSE(IsConfinedTargetName(name)) << name;
  }
}

TEST(RoleNameTest, FileNamesStayInTheirFolder) {
  EXPECT_EQ(RoleFileName("targets"), "targets.json");
  EXPECT_EQ(RoleFileName("../delegated"), "..%2Fdelegated.json");
  EXPECT_EQ(RoleFileName("a?#\xC3\xA9~"), "a%3F%23%C3%A9~.json");
  EXPECT_TRUE(IsRoleName("../delegated"));
  EXPECT_FALSE(IsRoleName(""));
  EXPECT_FALSE(IsRoleName("a\nb"));
  EXPECT_FALSE(IsRoleName(std::string(256, 'a')));
}

}  // namespace
}  // namespace usher::tuf
