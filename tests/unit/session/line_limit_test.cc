// No caller fills the log.

#include "service/session/line_limit.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LineLimitTest : public ::testing::Test {
 protected:
  // How many of `wanted` lines come through.
  int Admitted(const std::string& who, int wanted) {
    int admitted = 0;
    for (int i = 0; i < wanted; ++i) {
      if (limit_->Admit(who, now_)) ++admitted;
    }
    return admitted;
  }

  std::vector<std::string> written_;
  void Limit(const LineLimit::Limits& limits) {
    limit_ = std::make_unique<LineLimit>(
        limits, [this](const std::string& line) { written_.push_back(line); });
  }

  LineLimitTest() { Limit({3, 1'000'000, absl::Minutes(1)}); }

  std::unique_ptr<LineLimit> limit_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
};

TEST_F(LineLimitTest, SaysWhatItLeavesOut) {
  EXPECT_EQ(Admitted("alice", 3), 3);
  EXPECT_THAT(written_, IsEmpty());
  EXPECT_EQ(Admitted("alice", 5), 0);
  EXPECT_THAT(written_, ElementsAre(HasSubstr("caller=alice has caused 3")));
  // Others write on.
  EXPECT_EQ(Admitted("bob", 1), 1);
  EXPECT_EQ(written_.size(), 1U);
  now_ += absl::Minutes(1);
  // Whoever comes next brings it out.
  EXPECT_EQ(Admitted("bob", 1), 1);
  EXPECT_EQ(written_.size(), 2U);
  EXPECT_THAT(written_.back(), HasSubstr("caller=alice 5 more suppressed"));
  EXPECT_EQ(Admitted("alice", 4), 3);
}

TEST_F(LineLimitTest, TheEndBringsOutTheRest) {
  Admitted("alice", 10);
  limit_.reset();
  EXPECT_EQ(written_.size(), 2U);
  EXPECT_THAT(written_.back(), HasSubstr("caller=alice 7 more suppressed"));
}

TEST_F(LineLimitTest, TooManyCallersShareOneCount) {
  for (int i = 0; i < 1024; ++i) {
    EXPECT_EQ(Admitted(absl::StrCat("user", i), 1), 1);
  }
  EXPECT_EQ(Admitted("late", 2), 2);
  EXPECT_EQ(Admitted("later", 2), 1);
  EXPECT_EQ(Admitted("user7", 9), 2);
  now_ += absl::Minutes(1);
  EXPECT_EQ(Admitted("later", 9), 3);
}

TEST_F(LineLimitTest, ManyCallersTogetherDoNotFillItEither) {
  Limit({3, 10, absl::Minutes(1)});
  int admitted = 0;
  for (int i = 0; i < 20; ++i) {
    admitted += Admitted(absl::StrCat("user", i), 2);
  }
  EXPECT_EQ(admitted, 10);
  EXPECT_THAT(written_, ElementsAre(HasSubstr("caller=all has caused 10")));
  now_ += absl::Minutes(1);
  EXPECT_EQ(Admitted("user1", 5), 3);
  EXPECT_THAT(written_[1], HasSubstr("caller=all 30 more suppressed"));
}

TEST_F(LineLimitTest, AClockThatIsSetBackEndsThePeriod) {
  EXPECT_EQ(Admitted("alice", 5), 3);
  // Read before the last one's and asked after it.
  now_ -= absl::Milliseconds(1);
  EXPECT_EQ(Admitted("alice", 1), 0);
  now_ -= absl::Minutes(30);
  EXPECT_EQ(Admitted("alice", 5), 3);
  EXPECT_THAT(written_[1], HasSubstr("caller=alice 3 more suppressed"));
}

}  // namespace
}  // namespace usher::session
