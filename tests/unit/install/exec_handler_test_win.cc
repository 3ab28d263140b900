// What only installers for Windows do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/test_child_win.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

class WindowsExecHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.Start().ok()); }
  // Installs the test program under a name.
  InstallResult Run(const std::string& name,
                    const std::vector<std::string>& arguments) {
    const auto key = test::Key(++next_);
    auto update = test::World::NewUpdate(key);
    world_.AddPayload(update, name, test::TestChild());
    for (const std::string& argument : arguments) {
      update.mutable_handler()->mutable_exec()->add_arguments(argument);
    }
    world_.catalog().Add(update);
    return world_.Install({key})[0];
  }

  test::TempDir dir_;
  test::World world_{dir_.path()};
  int next_ = 0;
};

// ERROR_SUCCESS_REBOOT_REQUIRED: sometime.
TEST_F(WindowsExecHandlerTest, Code3010AsksForARestart) {
  const InstallResult result = Run("setup.exe", {"exit", "3010"});
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED)
      << result.message;
  EXPECT_EQ(result.hresult, hr::kWuSRebootRequired);
  EXPECT_TRUE(result.reboot_required);
  EXPECT_TRUE(world_.engine().RebootRequired());
  EXPECT_FALSE(world_.engine().RebootRequiredBeforeInstallation());
}

// ERROR_SUCCESS_REBOOT_INITIATED: the installer has begun it.
TEST_F(WindowsExecHandlerTest, Code1641IsARestartUnderWay) {
  const InstallResult result = Run("setup.exe", {"exit", "1641"});
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED)
      << result.message;
  EXPECT_TRUE(result.reboot_required);
  EXPECT_TRUE(world_.engine().RebootRequiredBeforeInstallation());
}

TEST_F(WindowsExecHandlerTest, BatchFilesEndWithTheSameCodes) {
  const auto key = world_.AddScript(1, "exit /b 3010", "", nullptr);
  EXPECT_EQ(world_.Install({key})[0].hresult, hr::kWuSRebootRequired);
}

TEST_F(WindowsExecHandlerTest, CodesBeyondThirtyOneBits) {
  const InstallResult result = Run("setup.exe", {"exit", "3221225477"});
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  // 0xC0000005, an access violation.
  EXPECT_EQ(result.unmapped_result_code, -1073741819);
}

// With the folder it is beyond the 260 characters of old. Wine does not start
// programs by such a path, so that it is another payload's.
TEST_F(WindowsExecHandlerTest, ALongName) {
  const auto key = test::Key(++next_);
  auto update = test::World::NewUpdate(key);
  world_.AddPayload(update, "setup.exe", test::TestChild());
  world_.AddPayload(update, absl::StrCat(std::string(250, 'n'), ".dat"), "x");
  update.mutable_handler()->mutable_exec()->add_arguments("exit");
  update.mutable_handler()->mutable_exec()->add_arguments("0");
  world_.catalog().Add(update);
  const InstallResult result = world_.Install({key})[0];
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED)
      << result.message;
}

}  // namespace
}  // namespace usher::install
