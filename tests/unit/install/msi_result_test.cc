#include "service/install/msi_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/error.h"

namespace usher::install {
namespace {

using ::testing::HasSubstr;

ApplyResult Result(int code, Operation operation = Operation::kInstall) {
  return MsiResult(operation, code, "what the log says", "update");
}

TEST(MsiResultTest, Successes) {
  EXPECT_TRUE(Result(0).status.ok());
  EXPECT_FALSE(Result(0).outcome.reboot_required);
  EXPECT_TRUE(Result(3010).status.ok());
  EXPECT_TRUE(Result(3010).outcome.reboot_required);
  EXPECT_FALSE(Result(3010).outcome.restart_mandatory);
  EXPECT_TRUE(Result(1641).status.ok());
  EXPECT_TRUE(Result(1641).outcome.reboot_required);
  EXPECT_TRUE(Result(1641).outcome.restart_mandatory);
}

TEST(MsiResultTest, NotInstalledIsFineWhenUninstalling) {
  for (const int code : {1605, 1614}) {
    const ApplyResult removed = Result(code, Operation::kUninstall);
    EXPECT_TRUE(removed.status.ok());
    EXPECT_EQ(removed.outcome.hresult, hr::kWuSAlreadyUninstalled);
    EXPECT_EQ(HResultOf(Result(code).status), hr::kWuEUhInstallerfailure);
  }
}

TEST(MsiResultTest, FailuresHaveTheirOwnCodes) {
  const struct {
    int code;
    HResult hresult;
  } kCases[] = {
      {1602, hr::kWuEUhOperationcancelled},
      {1603, hr::kWuEUhInstallerfailure},
      {1618, hr::kWuEInstallNotAllowed},
      {1619, hr::kWuEUhInvalidmetadata},
      {1620, hr::kWuEUhInvalidmetadata},
      {1625, hr::kEAccessdenied},
      {1633, hr::kWuEUhInvalidmetadata},
      {1639, hr::kWuEUhInvalidmetadata},
      {112, hr::kErrorDiskFull},
      {-1, hr::kWuEUhInstallerfailure},
      {4711, hr::kWuEUhInstallerfailure},
  };
  for (const auto& c : kCases) {
    const ApplyResult result = Result(c.code);
    EXPECT_EQ(HResultOf(result.status), c.hresult) << c.code;
    EXPECT_EQ(result.outcome.unmapped_result_code, c.code);
    EXPECT_THAT(std::string(result.status.message()),
                HasSubstr(std::to_string(c.code)));
    EXPECT_THAT(std::string(result.status.message()),
                HasSubstr("what the log says"));
    EXPECT_EQ(SubjectOf(result.status), "update");
  }
}

}  // namespace
}  // namespace usher::install
