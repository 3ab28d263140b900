// The deb handler with real packages in a private root.

#include "service/install/deb_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/install/dpkg_progress.h"
#include "service/platform/record_lock.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Content;
using test::Deb;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kFailed = v1::OPERATION_RESULT_CODE_FAILED;
constexpr int kAborted = v1::OPERATION_RESULT_CODE_ABORTED;

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
  // One with the engine's part left to the test.
  Attempt NewAttempt(const repository::v1::UpdateDescription& description) {
    Attempt attempt{.step_id = 99,
                    .key = test::Key(1),
                    .description = &description,
                    .cache = &world_.cache(),
                    .work_dir = dir_.path() / "attempt",
                    .kept_dir = dir_.path() / "kept",
                    .log_dir = dir_.path()};
    EXPECT_TRUE(MakeDirectories(attempt.work_dir).ok());
    return attempt;
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

TEST_F(DebHandlerTest, AbortedWhileAnotherPackageManagerIsBusy) {
  world_.options().dpkg.lock_timeout = absl::Minutes(1);
  ASSERT_TRUE(world_.Start().ok());
  const auto key = world_.AddDeb(1, {Package("hello", "1.0")});
  const auto watcher = std::make_shared<test::Watcher>(1);
  absl::Notification applying;
  watcher->on_progress = [&applying](int percent) {
    if (percent >= 30 && !applying.HasBeenNotified()) applying.Notify();
  };
  CancellationToken cancel;
  const auto lock =
      platform::RecordLock::Acquire(root_ / "var/lib/dpkg/lock-frontend",
                                    absl::ZeroDuration(), CancellationToken());
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE(
      world_.engine().Begin(world_.Request({key}), watcher, cancel).ok());
  applying.WaitForNotification();
  cancel.Cancel();
  watcher->Wait();
  EXPECT_EQ(watcher->results[0].result_code, kAborted)
      << watcher->results[0].message;
  EXPECT_FALSE(Query({"hello"})["hello"].present);
}

TEST_F(DebHandlerTest, RunIsCancelledBeforeItBegins) {
  CancellationToken cancelled;
  cancelled.Cancel();
  for (const bool interrupt : {false, true}) {
    int exit_code = 0;
    const absl::Status status =
        Dpkg(world_.options().dpkg)
            .Run({.action = {"--configure", "--pending"},
                  .log = dir_.path() / "log",
                  .run_timeout = absl::Minutes(1),
                  .cancel = interrupt ? CancellationToken() : cancelled,
                  .interrupt = interrupt ? cancelled : CancellationToken()},
                 &exit_code);
    EXPECT_EQ(HResultOf(status), hr::kWuEUhOperationcancelled);
    EXPECT_FALSE(std::filesystem::exists(dir_.path() / "log"));
  }
}

TEST_F(DebHandlerTest, FreshPackageWhosePostinstFailsIsRemoved) {
  Deb bad = Package("bad", "1.0");
  bad.postinst = "echo no such luck >&2; exit 1";
  const InstallResult result =
      world_.Install({world_.AddDeb(1, {Package("good", "1.0"), bad})})[0];
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  EXPECT_THAT(result.message, HasSubstr("no such luck"));
  EXPECT_THAT(result.message, Not(HasSubstr("could not be taken back")));
  const auto states = Query({"bad", "good"});
  EXPECT_FALSE(states.at("bad").present);
  EXPECT_FALSE(states.at("good").present);
}

TEST_F(DebHandlerTest, FreshPackageThatCannotBeRemovedIsNamed) {
  Deb bad = Package("bad", "1.0");
  bad.postinst = "exit 1";
  bad.prerm = "echo cannot go >&2; exit 1";
  bad.postrm = "exit 1";
  const InstallResult result = world_.Install({world_.AddDeb(1, {bad})})[0];
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  EXPECT_TRUE(Query({"bad"})["bad"].present);
  EXPECT_THAT(result.message, ContainsRegex("bad is 1.0 [a-z]+-[a-z]+, was "
                                            "not installed"));
}

TEST_F(DebHandlerTest, FailedUpgradeIsNamed) {
  ASSERT_EQ(
      world_.Install({world_.AddDeb(1, {Package("hello", "1.0")})})[0].hresult,
      hr::kSOk);
  Deb bad = Package("hello", "2.0");
  bad.postinst = "exit 1";
  const auto two = world_.AddDeb(2, {bad});
  const InstallResult result = world_.Install({two})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  EXPECT_THAT(result.message,
              HasSubstr("hello is 2.0 half-configured, was 1.0"));
  EXPECT_THAT(result.message, HasSubstr("dpkg --configure -a"));
  EXPECT_EQ(world_.History()[0].message(), result.message);
  EXPECT_FALSE(world_.catalog().HasReceipt(two));

  // Tried again it leaves everything as it was, and a good version mends it.
  EXPECT_THAT(world_.Install({two})[0].message,
              Not(HasSubstr("could not be taken back")));
  EXPECT_EQ(Query({"hello"})["hello"].status, "half-configured");
  EXPECT_EQ(
      world_.Install({world_.AddDeb(3, {Package("hello", "3.0")})})[0].hresult,
      hr::kSOk);
  EXPECT_TRUE(Query({"hello"})["hello"].complete);
}

TEST_F(DebHandlerTest, FailedUpgradeIsConfiguredIfItNowCanBe) {
  ASSERT_EQ(
      world_.Install({world_.AddDeb(1, {Package("hello", "1.0")})})[0].hresult,
      hr::kSOk);
  Deb moody = Package("hello", "2.0");
  moody.postinst =
      "test -e \"$DPKG_ROOT/tried\" || "
      "{ touch \"$DPKG_ROOT/tried\"; exit 1; }";
  const InstallResult result = world_.Install({world_.AddDeb(2, {moody})})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_THAT(result.message, HasSubstr("hello is 2.0, was 1.0"));
  EXPECT_TRUE(Query({"hello"})["hello"].complete);
}

TEST_F(DebHandlerTest, SecondOfTwoFails) {
  ASSERT_EQ(world_
                .Install({world_.AddDeb(
                    1, {Package("aa", "1.0"), Package("bb", "1.0")})})[0]
                .hresult,
            hr::kSOk);
  Deb bad = Package("bb", "2.0");
  bad.preinst = "exit 1";
  // What came new with them goes again.
  const InstallResult result = world_.Install(
      {world_.AddDeb(2, {Package("aa", "2.0"), Package("cc", "2.0"), bad})})[0];
  EXPECT_EQ(result.hresult, hr::kWuEUhInstallerfailure);
  EXPECT_THAT(result.message, HasSubstr("aa is 2.0, was 1.0"));
  EXPECT_THAT(result.message, Not(HasSubstr("bb is")));
  const auto states = Query({"aa", "bb", "cc"});
  EXPECT_TRUE(states.at("aa").complete);
  EXPECT_EQ(states.at("bb").version, "1.0");
  EXPECT_TRUE(states.at("bb").complete);
  EXPECT_FALSE(states.at("cc").present);
}

TEST_F(DebHandlerTest, WhatAHalfConfiguredUpgradeNeedsStays) {
  ASSERT_EQ(
      world_.Install({world_.AddDeb(1, {Package("user", "1.0")})})[0].hresult,
      hr::kSOk);
  Deb user = Package("user", "2.0");
  user.depends = "lib";
  user.postinst = "exit 1";
  const InstallResult result =
      world_.Install({world_.AddDeb(2, {user, Package("lib", "2.0")})})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_THAT(result.message,
              HasSubstr("user is 2.0 half-configured, was 1.0"));
  EXPECT_THAT(result.message, HasSubstr("lib is 2.0, was not installed"));
  EXPECT_TRUE(Query({"lib"})["lib"].complete);
}

TEST_F(DebHandlerTest, FailedRemovalIsNamed) {
  Deb stubborn = Package("stubborn", "1.0");
  stubborn.prerm = "exit 1";
  const auto one = world_.AddDeb(1, {Package("meek", "1.0"), stubborn});
  ASSERT_EQ(world_.Install({one})[0].hresult, hr::kSOk);
  const InstallResult result = world_.Uninstall({one})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_THAT(result.message, HasSubstr("meek is not installed, was 1.0"));
  EXPECT_THAT(result.message, Not(HasSubstr("stubborn is")));
  EXPECT_TRUE(Query({"stubborn"})["stubborn"].complete);
  EXPECT_TRUE(world_.catalog().HasReceipt(one));
}

// With what was there before, the packages do not tell whether dpkg ran.
TEST_F(DebHandlerTest, AnInterruptedReinstallationIsNotTakenForDone) {
  const auto one = world_.AddDeb(1, {Package("hello", "1.0")});
  ASSERT_EQ(world_.Install({one})[0].hresult, hr::kSOk);
  const auto description = world_.catalog().Describe(one);
  ASSERT_TRUE(description.ok());
  const Attempt attempt = NewAttempt(*description);
  DebHandler handler(world_.options().dpkg);
  ASSERT_TRUE(handler.Prepare(attempt).ok());
  const auto recovery = handler.Recover(attempt);
  ASSERT_TRUE(recovery.ok()) << recovery.status();
  EXPECT_EQ(recovery->state, Recovery::State::kUndone);
}

TEST_F(DebHandlerTest, CommitsAgainWithoutItsWorkFolder) {
  const auto one = world_.AddDeb(1, {Package("hello", "1.0")});
  const auto description = world_.catalog().Describe(one);
  ASSERT_TRUE(description.ok());
  const Attempt attempt = NewAttempt(*description);
  DebHandler handler(world_.options().dpkg);
  ASSERT_TRUE(handler.Prepare(attempt).ok());
  const ApplyResult applied = handler.Apply(attempt);
  ASSERT_TRUE(applied.status.ok()) << applied.status;
  // Without either it has nothing to keep.
  ASSERT_TRUE(RemoveTree(attempt.work_dir).ok());
  EXPECT_FALSE(handler.Commit(attempt).ok());

  ASSERT_TRUE(MakeDirectories(attempt.work_dir).ok());
  ASSERT_TRUE(handler.Prepare(attempt).ok());
  ASSERT_TRUE(handler.Commit(attempt).ok());
  ASSERT_TRUE(RemoveTree(attempt.work_dir).ok());
  const absl::Status again = handler.Commit(attempt);
  EXPECT_TRUE(again.ok()) << again;
  EXPECT_EQ(Content(attempt.kept_dir / "packages"), "hello\n");
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
