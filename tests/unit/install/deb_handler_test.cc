// The deb handler with real packages in a private root.

#include "service/install/deb_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "service/install/dpkg_progress.h"
#include "service/platform/record_lock.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Content;
using test::Deb;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DebHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/dpkg")) GTEST_SKIP() << "no dpkg";
    test::MakeDpkgRoot(root_);
    ASSERT_TRUE(world_.Start().ok());
  }
  static Deb Package(const std::string& name, const std::string& version) {
    Deb deb;
    deb.name = name;
    deb.version = version;
    deb.files = {{"usr/share/" + name, version}};
    return deb;
  }
  std::map<std::string, DpkgState> Query(
      const std::vector<std::string>& names) {
    const auto states =
        Dpkg(world_.options().dpkg).Query(names, CancellationToken());
    EXPECT_TRUE(states.ok()) << states.status();
    return states.value_or(std::map<std::string, DpkgState>());
  }

  test::TempDir dir_;
  std::filesystem::path root_ = dir_.path() / "root";
  test::World world_{dir_.path()};
};

TEST_F(DebHandlerTest, InstallsUpgradesAndRemoves) {
  Deb user = Package("user", "1.0");
  user.depends = "lib (>= 1.0)";
  // In one run, so the order does not matter.
  const auto one = world_.AddDeb(1, {user, Package("lib", "1.0")});
  InstallResult result = world_.Install({one})[0];
  EXPECT_EQ(result.hresult, hr::kSOk) << result.message;
  EXPECT_EQ(Content(root_ / "usr/share/lib"), "1.0");
  EXPECT_TRUE(Query({"user"})["user"].complete);

  const auto two = world_.AddDeb(2, {Package("lib", "2.0")});
  EXPECT_EQ(world_.Install({two})[0].hresult, hr::kSOk);
  EXPECT_EQ(Query({"lib"})["lib"].version, "2.0");

  result = world_.Uninstall({one})[0];
  EXPECT_EQ(result.hresult, hr::kSOk) << result.message;
  EXPECT_FALSE(Query({"user"})["user"].present);
  EXPECT_FALSE(std::filesystem::exists(root_ / "usr/share/user"));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(DebHandlerTest, MissingDependencyFailsAndLeavesNothing) {
  Deb user = Package("user", "1.0");
  user.depends = "nowhere";
  const InstallResult result = world_.Install({world_.AddDeb(1, {user})})[0];
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  EXPECT_EQ(result.unmapped_result_code, 1);
  EXPECT_THAT(result.message, HasSubstr("nowhere"));
  EXPECT_FALSE(Query({"user"})["user"].present);
}

TEST_F(DebHandlerTest, PackageAsksForARestart) {
  Deb package = Package("kernel", "1.0");
  package.postinst = "touch \"$DPKG_ROOT/reboot-required\"";
  const InstallResult result = world_.Install({world_.AddDeb(1, {package})})[0];
  EXPECT_TRUE(result.reboot_required) << result.message;
  EXPECT_TRUE(world_.engine().RebootRequired());
  // The wish of another package, from before, is not this one's.
  EXPECT_FALSE(world_.Install({world_.AddDeb(2, {Package("other", "1")})})[0]
                   .reboot_required);
}

TEST_F(DebHandlerTest, AnotherPackageManagerIsBusy) {
  const auto key = world_.AddDeb(1, {Package("hello", "1.0")});
  {
    const auto lock = platform::RecordLock::Acquire(
        root_ / "var/lib/dpkg/lock-frontend", absl::ZeroDuration(),
        CancellationToken());
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(world_.Install({key})[0].hresult, hr::kWuEOperationinprogress);
  }
  EXPECT_EQ(world_.Install({key})[0].hresult, hr::kSOk);
}

TEST_F(DebHandlerTest, NotAPackage) {
  auto update = test::World::NewUpdate(test::Key(1));
  world_.AddPayload(update, "hello.deb", "not a package");
  update.mutable_handler()->mutable_deb();
  world_.catalog().Add(update);
  EXPECT_EQ(world_.Install({test::Key(1)})[0].hresult,
            hr::kWuEUhInvalidmetadata);
}

TEST_F(DebHandlerTest, ReportsProgress) {
  const auto key = world_.AddDeb(1, {Package("a1", "1"), Package("b1", "1")});
  const auto watcher = std::make_shared<test::Watcher>(1);
  ASSERT_TRUE(world_.engine()
                  .Begin(world_.Request({key}), watcher, CancellationToken())
                  .ok());
  watcher->Wait();
  const std::vector<int>& percents = watcher->percents[0];
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  EXPECT_EQ(percents.back(), 100);
  EXPECT_GE(percents.size(), 5u);
}

TEST(DebianPackageNameTest, IsNeverAnOption) {
  EXPECT_TRUE(IsDebianPackageName("hello"));
  EXPECT_TRUE(IsDebianPackageName("g++-12:amd64"));
  EXPECT_FALSE(IsDebianPackageName("--purge"));
  EXPECT_FALSE(IsDebianPackageName("-x"));
  EXPECT_FALSE(IsDebianPackageName("a"));
  EXPECT_FALSE(IsDebianPackageName(""));
  EXPECT_FALSE(IsDebianPackageName("hello:"));
  EXPECT_FALSE(IsDebianPackageName("Hello"));
  EXPECT_FALSE(IsDebianPackageName("a b"));
}

TEST(DpkgProgressTest, GoesForwardAndKeepsErrors) {
  std::vector<int> percents;
  DpkgProgress progress(2, [&](int percent) { percents.push_back(percent); });
  for (const char* line :
       {"processing: install: a", "status: a: half-installed",
        "status: a: unpacked", "status: b: installed",
        "status: b: half-installed", "status: b: unpacked",
        "status: a: half-configured", "status: a: installed",
        "status: b: installed", "status: b: unpacked", "garbage",
        "status: /x/c.deb : error : no space left"}) {
    progress.Line(line);
  }
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  EXPECT_EQ(percents.back(), 100);
  EXPECT_EQ(progress.errors(), "/x/c.deb : error : no space left");
  DpkgProgress failing(1, nullptr);
  failing.Line("status: c.deb: error : no space left");
  EXPECT_THAT(failing.errors(), HasSubstr("no space left"));
}

}  // namespace
}  // namespace usher::install
