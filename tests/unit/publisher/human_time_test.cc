#include "publisher/human_time.h"

#include <gtest/gtest.h>

#include <string>

#include "common/error.h"
#include "common/package_version.h"

namespace usher::publisher {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

TEST(HumanTimeTest, ReadsSpansAndDates) {
  const struct {
    const char* text;
    absl::Time expected;
  } kCases[] = {
      {"in 90 days", kNow + absl::Hours(90 * 24)},
      {"2 weeks", kNow + absl::Hours(14 * 24)},
      {"36h", kNow + absl::Hours(36)},
      {"1 week 2 days", kNow + absl::Hours(9 * 24)},
      {"1 Month", kNow + absl::Hours(30 * 24)},
      {"2027-01-31T00:00:00Z", absl::FromUnixSeconds(1801353600)},
      {"2027-01-31", absl::FromUnixSeconds(1801353600)},
  };
  for (const auto& c : kCases) {
    const auto time = ParseFutureTime(c.text, kNow);
    ASSERT_TRUE(time.ok()) << c.text << ": " << time.status();
    EXPECT_EQ(*time, c.expected) << c.text;
  }
}

TEST(HumanTimeTest, RefusesTheRest) {
  for (const char* text :
       {"", "soon", "90", "days", "in days", "-3 days", "0 days",
        "5 fortnights", "2001-01-01", "99999999 years", "101 years"}) {
    const auto time = ParseFutureTime(text, kNow);
    EXPECT_EQ(HResultOf(time.status()), hr::kEInvalidarg) << text;
  }
}

TEST(HumanTimeTest, SpansMayBeNothing) {
  const struct {
    const char* text;
    absl::Duration expected;
  } kCases[] = {{"0", absl::ZeroDuration()},
                {"0 days", absl::ZeroDuration()},
                {"0s", absl::ZeroDuration()},
                {"1 week 2 days", absl::Hours(9 * 24)}};
  for (const auto& c : kCases) {
    const auto span = ParseSpan(c.text);
    ASSERT_TRUE(span.ok()) << c.text << ": " << span.status();
    EXPECT_EQ(*span, c.expected) << c.text;
  }
}

TEST(HumanTimeTest, WhatIsRecommendedIsTaken) {
  for (const char* text : {"in 2 days", "soon", "2027-01-31", "1", ""}) {
    const absl::Status status = ParseSpan(text).status();
    EXPECT_EQ(HResultOf(status), hr::kEInvalidarg) << text;
    const std::string message(status.message());
    EXPECT_NE(message.find("\"1 week 2 days\""), std::string::npos) << message;
    EXPECT_EQ(message.find("\"in "), text[0] == 'i' ? 12U : std::string::npos)
        << message;
    EXPECT_EQ(message.find("T00:00"), std::string::npos) << message;
  }
  EXPECT_TRUE(ParseSpan("90 days").ok());
  EXPECT_TRUE(ParseSpan("36h").ok());
}

TEST(DebianVersionTest, OrdersLikeDpkg) {
  // Ascending.
  const char* kVersions[] = {
      "0",    "1.0~rc1",  "1.0~rc1-1", "1.0",  "1.0-1", "1.0-1+b1", "1.0-2",
      "1.0a", "1.0+dfsg", "1.2",       "1.10", "1:0.1", "2:0"};
  for (size_t i = 0; i < std::size(kVersions); ++i) {
    for (size_t j = 0; j < std::size(kVersions); ++j) {
      const int order = CompareDebianVersions(kVersions[i], kVersions[j]);
      EXPECT_EQ(order < 0, i < j) << kVersions[i] << " " << kVersions[j];
      EXPECT_EQ(order > 0, i > j) << kVersions[i] << " " << kVersions[j];
    }
  }
  EXPECT_EQ(CompareDebianVersions("1.01", "1.1"), 0);
}

}  // namespace
}  // namespace usher::publisher
