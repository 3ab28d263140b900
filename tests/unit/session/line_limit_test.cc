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
  std::unique_ptr<LineLimit> limit_ = std::make_unique<LineLimit>(
      3, absl::Minutes(1),
      [this](const std::string& line) { written_.push_back(line); });
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

}  // namespace
}  // namespace usher::session
