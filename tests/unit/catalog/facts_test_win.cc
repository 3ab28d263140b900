// What Linux has at fixed places, Windows has not: anybody may make folders in
// the root of its drive, and must not be able to say so what the machine is.

#include <filesystem>
#include <fstream>
#include <system_error>

#include "common/win32.h"
#include "gmock/gmock.h"
#include "service/catalog/facts.h"

namespace usher::catalog {
namespace {

using ::testing::IsEmpty;
namespace fs = std::filesystem;

// Works in the root of the system's drive, as the service does; what a test
// puts there goes with it.
class WindowsFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (fs::exists(etc_) || fs::exists(var_)) {
      GTEST_SKIP() << "the drive has folders with these names";
    }
    made_ = true;
    fs::create_directories(etc_);
    fs::create_directories(var_ / "lib" / "dpkg");
    fs::current_path(drive_);
  }
  void TearDown() override {
    if (!made_) return;
    fs::current_path(before_);
    std::error_code error;
    fs::remove_all(etc_, error);
    fs::remove_all(var_, error);
  }

  const fs::path before_ = fs::current_path();
  const fs::path drive_ = win32::SystemFolder().root_path();
  const fs::path etc_ = drive_ / "etc";
  const fs::path var_ = drive_ / "var";
  bool made_ = false;
};

TEST_F(WindowsFactsTest, AFileInTheRootSaysNothingAboutTheMachine) {
  std::ofstream(etc_ / "os-release") << "ID=debian\nVERSION_ID=99\n";
  std::ofstream(var_ / "lib" / "dpkg" / "status")
      << "Package: hello\nStatus: install ok installed\nVersion: 1\n\n";
  Facts facts{FactsOptions()};
  const auto machine = facts.Current();
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_EQ((*machine)->family, "windows");
  EXPECT_EQ((*machine)->distribution, "");
  EXPECT_EQ((*machine)->version, MachineVersion());
  EXPECT_THAT((*machine)->packages, IsEmpty());
}

TEST_F(WindowsFactsTest, AFolderInTheRootStopsNoSearch) {
  fs::create_directories(var_ / "lib" / "dpkg" / "status");
  fs::create_directories(etc_ / "os-release");
  Facts facts{FactsOptions()};
  const auto machine = facts.Current();
  ASSERT_TRUE(machine.ok()) << machine.status();
  EXPECT_THAT((*machine)->packages, IsEmpty());
}

}  // namespace
}  // namespace usher::catalog
