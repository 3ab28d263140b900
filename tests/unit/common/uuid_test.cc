#include "common/uuid.h"

#include <regex>
#include <set>
#include <string>

#include "common/error.h"
#include "gtest/gtest.h"

namespace usher {
namespace {

constexpr char kDnsNamespace[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

TEST(UuidTest, CanonicalFormIsLowerCase) {
  EXPECT_EQ(CanonicalUuid("6BA7B810-9DAD-11D1-80B4-00C04FD430C8").value(),
            kDnsNamespace);
}

TEST(UuidTest, RefusesOtherForms) {
  for (const char* text : {"", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
                           "6ba7b8109dad11d180b400c04fd430c8",
                           "6ba7b810-9dad-11d1-80b4-00c04fd430c",
                           "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
                           "6ba7b810-9dad-11d1-80b4000c04fd430c8"}) {
    EXPECT_EQ(HResultOf(CanonicalUuid(text).status()), hr::kEInvalidarg)
        << text;
  }
}

TEST(UuidTest, RandomOnesAreVersionFourAndDiffer) {
  // GoogleTest's own expressions know no sets and counts on Windows.
  const std::regex form(
      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = RandomUuid();
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(UuidTest, NamedOnesAreVersionFive) {
  // The example that RFC 9562, appendix A.4, gives.
  EXPECT_EQ(NamedUuid(kDnsNamespace, "www.example.com"),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(UuidTest, ResourceIdsAreLongAndDiffer) {
  EXPECT_TRUE(std::regex_match(RandomResourceId(), std::regex("[0-9a-f]{32}")));
  EXPECT_NE(RandomResourceId(), RandomResourceId());
}

}  // namespace
}  // namespace usher
