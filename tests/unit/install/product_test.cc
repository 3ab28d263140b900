// The archive handler, through the engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "common/file_io.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Content;
using test::Key;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class ProductTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.Start().ok()); }
  void ExpectGood(const std::vector<InstallResult>& results) {
    for (const InstallResult& result : results) {
      EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_SUCCEEDED)
          << result.message;
    }
    EXPECT_THAT(world_.Strays(), IsEmpty());
  }
  std::string Current() {
    return Content(test::InUse(world_.product("app")) / "bin/run");
  }

  test::TempDir dir_;
  test::World world_{dir_.path()};
};

TEST_F(ProductTest, InstallSwitchUninstall) {
  const auto one = world_.AddArchive(1, "app", "1.0", "one");
  const auto two = world_.AddArchive(2, "app", "2.0~rc1", "two");
  ExpectGood(world_.Install({one}));
  EXPECT_EQ(Current(), "one");
  ExpectGood(world_.Install({two}));
  EXPECT_EQ(Current(), "two");
  EXPECT_EQ(Content(world_.product("app") / "1.0/bin/run"), "one");
  EXPECT_EQ(test::InUse(world_.product("app")).filename(), "2.0~rc1");
  if (test::kIsUnix) {
    EXPECT_EQ(fs::read_symlink(world_.product("app") / "current"), "2.0~rc1");
  }

  ExpectGood(world_.Uninstall({two}));
  EXPECT_EQ(Current(), "one");
  EXPECT_FALSE(fs::exists(world_.product("app") / "2.0~rc1"));
  ExpectGood(world_.Uninstall({one}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

TEST_F(ProductTest, RemovesWhatACrashLeftOfTheList) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto two = world_.AddArchive(2, "app", "2", "two");
  ExpectGood(world_.Install({one}));
  const fs::path left = world_.product("app") / "..versions.0123abcd.tmp";
  ASSERT_TRUE(WriteFileAtomically(left, "1\n").ok());
  ExpectGood(world_.Install({two}));
  EXPECT_FALSE(fs::exists(left));
  ASSERT_TRUE(WriteFileAtomically(left, "1\n").ok());
  ExpectGood(world_.Uninstall({two}));
  ExpectGood(world_.Uninstall({one}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

TEST_F(ProductTest, UninstallingAnotherVersionKeepsTheSwitch) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto two = world_.AddArchive(2, "app", "2", "two");
  ExpectGood(world_.Install({one, two}));
  ExpectGood(world_.Uninstall({one}));
  EXPECT_EQ(Current(), "two");
}

TEST_F(ProductTest, ForcedInstallationReplacesTheVersion) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  ExpectGood(world_.Install({one}));
  fs::remove(world_.product("app") / "1/bin/run");
  InstallRequest request = world_.Request({one});
  request.is_forced = true;
  ExpectGood(world_.Run(request));
  EXPECT_EQ(Current(), "one");
}

TEST_F(ProductTest, BadArchiveLeavesTheOldVersion) {
  ExpectGood(world_.Install({world_.AddArchive(1, "app", "1", "one")}));
  auto bad = test::World::NewUpdate(Key(2));
  world_.AddPayload(bad, "x.tar",
                    test::MakeArchive({{"good", "x"}, {"../bad", "x"}}));
  bad.mutable_handler()->mutable_archive()->set_product("app");
  bad.mutable_handler()->mutable_archive()->set_version("2");
  world_.catalog().Add(bad);
  const auto results = world_.Install({Key(2)});
  EXPECT_EQ(results[0].hresult, hr::kWuEUhInvalidmetadata);
  EXPECT_EQ(Current(), "one");
  EXPECT_FALSE(fs::exists(world_.product("app") / "2"));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(ProductTest, FirstBadArchiveLeavesNothing) {
  auto bad = test::World::NewUpdate(Key(2));
  world_.AddPayload(bad, "x.tar", "no archive");
  bad.mutable_handler()->mutable_archive()->set_product("app");
  bad.mutable_handler()->mutable_archive()->set_version("2");
  world_.catalog().Add(bad);
  EXPECT_EQ(world_.Install({Key(2)})[0].hresult, hr::kWuEUhInvalidmetadata);
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

TEST_F(ProductTest, RefusesNamesThatAreNoFolder) {
  int n = 10;
  for (const std::string product : {"..", ".hidden", "a/b", "", "a b"}) {
    const auto key = world_.AddArchive(++n, product, "1", "x");
    EXPECT_EQ(world_.Install({key})[0].hresult, hr::kWuEUhInvalidmetadata);
  }
  for (const std::string version : {"..", "current", ".staging-1", "1/2"}) {
    const auto key = world_.AddArchive(++n, "app", version, "x");
    EXPECT_EQ(world_.Install({key})[0].hresult, hr::kWuEUhInvalidmetadata);
  }
  EXPECT_TRUE(fs::is_empty(world_.product("")));
}

TEST_F(ProductTest, ForcedUninstallationOfNothingIsFine) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  InstallRequest request = world_.Request({one}, Operation::kUninstall);
  request.is_forced = true;
  ExpectGood(world_.Run(request));
}

}  // namespace
}  // namespace usher::install
