// Installations on a file system that fills up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>
#include <memory>

#include "common/error.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Content;
namespace fs = std::filesystem;

class FullDiskTest : public ::testing::Test {
 protected:
  // Products, and the work folder that must be beside them.
  void SetUp() override {
    ASSERT_TRUE(MakeDirectories(disk_).ok());
    if (mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=4m") != 0) {
      GTEST_SKIP() << "a small file system cannot be mounted without root; "
                      "the full-disk cases are not tested here";
    }
    mounted_ = true;
    world_ = std::make_unique<test::World>(dir_.path());
    world_->options().product_dir = disk_ / "products";
    world_->options().work_dir = disk_ / "work";
    ASSERT_TRUE(world_->Start().ok());
  }
  void TearDown() override {
    world_.reset();
    if (mounted_) {
      EXPECT_EQ(umount2(disk_.c_str(), MNT_DETACH), 0);
    }
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(disk_)) {
      paths.push_back(entry.path().lexically_relative(disk_).string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  test::TempDir dir_;
  const fs::path disk_ = dir_.path() / "disk";
  std::unique_ptr<test::World> world_;
  bool mounted_ = false;
};

TEST_F(FullDiskTest, WhileUnpackingTheOldVersionStays) {
  const auto one = world_->AddArchive(1, "app", "1", "one");
  ASSERT_EQ(world_->Install({one})[0].hresult, hr::kSOk);
  const std::vector<std::string> before = Paths();
  // Small as an archive and too large as files.
  const auto two =
      world_->AddArchive(2, "app", "2", std::string(size_t{8} << 20, 'x'));
  const InstallResult result = world_->Install({two})[0];
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_FAILED);
  EXPECT_EQ(result.hresult, hr::kErrorDiskFull) << result.message;
  EXPECT_EQ(Content(test::InUse(world_->product("app")) / "bin/run"), "one");
  EXPECT_EQ(Paths(), before);
  EXPECT_FALSE(world_->catalog().HasReceipt(two));
  // With room it goes.
  const auto three = world_->AddArchive(3, "app", "3", "three");
  EXPECT_EQ(world_->Install({three})[0].hresult, hr::kSOk);
}

TEST_F(FullDiskTest, WhileCopyingPayloadsNothingIsRun) {
  const auto key = world_->AddScript(
      1, "touch $STATE/ran", "", [this](repository::v1::UpdateDescription& u) {
        world_->AddPayload(u, "large", std::string(size_t{8} << 20, 'x'));
      });
  const std::vector<std::string> before = Paths();
  const InstallResult result = world_->Install({key})[0];
  EXPECT_EQ(result.hresult, hr::kErrorDiskFull) << result.message;
  EXPECT_FALSE(fs::exists(dir_.path() / "ran"));
  // The folder of the logs is there for good.
  std::vector<std::string> after = Paths();
  std::erase(after, "work/log");
  std::erase(after, "work/attempts");
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace usher::install
