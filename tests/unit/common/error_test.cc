#include "common/error.h"

#include <cerrno>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher {
namespace {

using ::testing::HasSubstr;

TEST(ErrorTest, CarriesHResultAndSubject) {
  const absl::Status status =
      Error(hr::kWuEUnknownId, "no such update", "update_id");
  EXPECT_EQ(HResultOf(status), hr::kWuEUnknownId);
  EXPECT_EQ(SubjectOf(status), "update_id");
  EXPECT_EQ(status.message(), "no such update");
  EXPECT_EQ(status.code(), FindHResult(hr::kWuEUnknownId)->code);
}

TEST(ErrorTest, TakesCallersCode) {
  const absl::Status status = Error(absl::StatusCode::kResourceExhausted,
                                    hr::kWuENoService, "too many");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(HResultOf(status), hr::kWuENoService);
  EXPECT_EQ(SubjectOf(status), "");
}

TEST(ErrorTest, UnknownHResultIsStillAFailure) {
  const absl::Status status = Error(0x8BADF00D, "odd");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(HResultOf(status), 0x8BADF00D);
}

TEST(ErrorTest, StatusWithoutHResultGetsOne) {
  EXPECT_EQ(HResultOf(absl::OkStatus()), hr::kSOk);
  EXPECT_EQ(HResultOf(absl::InvalidArgumentError("x")), hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(absl::CancelledError("x")), hr::kWuECallCancelled);
}

TEST(ErrorTest, AnnotateKeepsEverythingElse) {
  const absl::Status status =
      Annotate(Error(hr::kEAccessdenied, "no", "file"), "reading");
  EXPECT_EQ(status.message(), "reading: no");
  EXPECT_EQ(HResultOf(status), hr::kEAccessdenied);
  EXPECT_EQ(SubjectOf(status), "file");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "reading").ok());
}

TEST(ErrorTest, SystemErrorsAreMapped) {
  EXPECT_EQ(HResultOf(SystemError(ENOSPC, "write", "f")), hr::kErrorDiskFull);
  EXPECT_EQ(HResultOf(SystemError(EACCES, "open", "f")), hr::kEAccessdenied);
  const absl::Status missing = SystemError(ENOENT, "open", "/no/such");
  EXPECT_EQ(HResultOf(missing), hr::kErrorFileNotFound);
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr("cannot open /no/such: "));
}

absl::StatusOr<int> Doubled(absl::StatusOr<int> input) {
  USHER_ASSIGN_OR_RETURN(const int value, std::move(input));
  USHER_RETURN_IF_ERROR(value < 0 ? Error(hr::kEInvalidarg, "negative")
                                  : absl::OkStatus());
  return 2 * value;
}

TEST(ErrorTest, MacrosReturnEarly) {
  EXPECT_EQ(Doubled(4).value(), 8);
  EXPECT_EQ(HResultOf(Doubled(-1).status()), hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(Doubled(Error(hr::kWuENoUpdate, "none")).status()),
            hr::kWuENoUpdate);
}

}  // namespace
}  // namespace usher
