// What becomes of a change that is made and cannot be written down: the disk
// is full, or the database locked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/error.h"
#include "common/file_io.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Content;
using test::Key;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
namespace fs = std::filesystem;

constexpr int kSucceeded = v1::OPERATION_RESULT_CODE_SUCCEEDED;
constexpr int kWithErrors = v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS;
constexpr int kFailed = v1::OPERATION_RESULT_CODE_FAILED;
constexpr int kAborted = v1::OPERATION_RESULT_CODE_ABORTED;

class UnwrittenTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.Start().ok()); }
  void Execute(const std::string& sql) {
    const absl::Status status =
        world_.database().Write([&sql](store::Connection& connection) {
          return connection.Execute(sql);
        });
    ASSERT_TRUE(status.ok()) << status;
  }
  // From now on no step can be noted as applied.
  void RefuseNotes() {
    Execute(
        "CREATE TRIGGER note BEFORE UPDATE ON install_step WHEN NEW.state = 3 "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  }
  // Nor an update as finished.
  void RefuseResults() {
    Execute(
        "CREATE TRIGGER result BEFORE UPDATE ON install_update WHEN "
        "NEW.result_code != 0 BEGIN SELECT RAISE(ABORT, 'the disk is full'); "
        "END");
  }
  // Nor a part of a bundle as done, as if the service were killed after it.
  void DieAfterAPart() {
    Execute(
        "CREATE TRIGGER part BEFORE UPDATE ON install_step WHEN NEW.state = 4 "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    RefuseResults();
  }
  void TakeAllAgain() {
    Execute(
        "DROP TRIGGER IF EXISTS note; DROP TRIGGER IF EXISTS part; "
        "DROP TRIGGER IF EXISTS result");
  }
  // Update 3, of 1 ("app"), which always needs a restart if `restart`, and 2
  // ("tool").
  void AddBundle(bool restart) {
    auto bundle = test::World::NewUpdate(Key(3));
    for (const auto& part : {world_.AddArchive(1, "app", "1", "one"),
                             world_.AddArchive(2, "tool", "1", "two")}) {
      auto* key = bundle.mutable_update()->add_bundled_updates();
      key->set_update_id(part.update_id);
      key->set_revision_number(part.revision);
    }
    world_.catalog().Add(bundle);
    if (restart) world_.AlwaysRequiresReboot(Key(1));
  }
  // The one entry of history says what was told, up to the remark that it
  // could not be written down.
  void ExpectTold(const InstallResult& told) {
    const auto history = world_.History();
    ASSERT_THAT(history, SizeIs(1));
    EXPECT_EQ(history[0].result_code(), told.result_code);
    EXPECT_EQ(history[0].hresult(), told.hresult);
    EXPECT_EQ(history[0].unmapped_result_code(), told.unmapped_result_code);
    EXPECT_THAT(told.message, StartsWith(history[0].message()));
    EXPECT_THAT(world_.Strays(), IsEmpty());
  }
  InstallResult Resume(const InstallRequest& request) {
    const auto watcher = std::make_shared<test::Watcher>(1);
    EXPECT_TRUE(world_.engine()
                    .Resume(request.job_id, watcher, CancellationToken())
                    .ok());
    watcher->Wait();
    return watcher->results[0];
  }
  std::string Current() {
    return Content(test::InUse(world_.product("app")) / "bin/run");
  }

  test::TempDir dir_;
  test::World world_{dir_.path()};
};

TEST_F(UnwrittenTest, TheNextStartFindsTheChange) {
  // In the place of the same version, which Commit removes.
  const auto r1 = world_.AddArchive(1, "app", "1", "one");
  const auto r2 = world_.AddArchive(1, "app", "1", "two", 2);
  ASSERT_EQ(world_.Install({r1})[0].result_code, kSucceeded);
  RefuseNotes();
  RefuseResults();
  const InstallResult result = world_.Install({r2})[0];
  EXPECT_EQ(result.result_code, kWithErrors);
  EXPECT_THAT(result.message, HasSubstr("could not be written down"));
  EXPECT_EQ(Current(), "two");
  EXPECT_TRUE(world_.catalog().HasReceipt(r2));

  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  const auto unfinished = world_.engine().Unfinished();
  ASSERT_THAT(unfinished, SizeIs(1));
  EXPECT_EQ(unfinished[0].results[0].result_code, kSucceeded)
      << unfinished[0].results[0].message;
  ASSERT_THAT(world_.History(), SizeIs(2));
  EXPECT_EQ(world_.History()[0].result_code(),
            v1::OPERATION_RESULT_CODE_SUCCEEDED);
  EXPECT_EQ(Current(), "two");
  EXPECT_TRUE(world_.catalog().HasReceipt(r2));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

// Which its handler cannot find again.
TEST_F(UnwrittenTest, TheNextStartKnowsWhatAnInstallerSaid) {
  const auto key = world_.AddScript(
      1, "exit 10", test::kDoNothing,
      [](repository::v1::UpdateDescription& update) {
        auto* exit = update.mutable_handler()->mutable_exec()->add_exit_codes();
        exit->set_code(10);
        exit->set_meaning(
            repository::v1::ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED);
      });
  RefuseNotes();
  RefuseResults();
  EXPECT_EQ(world_.Install({key})[0].result_code, kWithErrors);
  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  ASSERT_THAT(world_.History(), SizeIs(1));
  EXPECT_EQ(world_.History()[0].result_code(),
            v1::OPERATION_RESULT_CODE_SUCCEEDED)
      << world_.History()[0].message();
  EXPECT_TRUE(world_.engine().RebootRequired());
  EXPECT_TRUE(world_.catalog().HasReceipt(key));
  // With what was kept for it.
  EXPECT_EQ(world_.Uninstall({key})[0].hresult, hr::kSOk);
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(UnwrittenTest, TheNextStartKnowsThatAnInstallerFailed) {
  const auto key = world_.AddScript(1, "exit 3", "", nullptr);
  RefuseResults();
  const InstallResult told = world_.Install({key})[0];
  EXPECT_EQ(told.unmapped_result_code, 3) << told.message;
  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  ExpectTold(told);
}

// What a rule says by then is no word of the installer's.
TEST_F(UnwrittenTest, ARuleDoesNotOverruleAnInstallerThatFailed) {
  const auto key = world_.AddScript(
      1, "exit 3", "", [this](repository::v1::UpdateDescription& update) {
        update.mutable_is_installed()->mutable_file()->set_path(
            PathToUtf8(dir_.path() / "made"));
      });
  RefuseResults();
  const InstallResult told = world_.Install({key})[0];
  TakeAllAgain();
  ASSERT_TRUE(WriteFileAtomically(dir_.path() / "made", "").ok());
  ASSERT_TRUE(world_.Start().ok());
  ExpectTold(told);
  EXPECT_FALSE(world_.catalog().HasReceipt(key));
}

TEST_F(UnwrittenTest, WhatComesNextWritesAFailureDownFirst) {
  const auto bad = world_.AddScript(1, "exit 3", "", nullptr);
  const auto good = world_.AddArchive(2, "app", "1", "one");
  RefuseResults();
  world_.Install({bad});
  // Still not possible.
  EXPECT_THAT(world_.Install({good})[0].message, HasSubstr("earlier result"));
  TakeAllAgain();
  EXPECT_EQ(world_.Install({good})[0].result_code, kSucceeded);
  ASSERT_THAT(world_.History(), SizeIs(2));
  EXPECT_EQ(world_.History()[1].unmapped_result_code(), 3);
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(UnwrittenTest, WhatFailedAtOnceIsNotTriedAgainByItself) {
  auto bad = test::World::NewUpdate(Key(1));
  world_.AddPayload(bad, "x.tar", "no archive");
  bad.mutable_handler()->mutable_archive()->set_product("app");
  bad.mutable_handler()->mutable_archive()->set_version("1");
  world_.catalog().Add(bad);
  RefuseResults();
  const InstallResult told = world_.Install({Key(1)})[0];
  EXPECT_EQ(told.hresult, hr::kWuEUhInvalidmetadata);
  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  ExpectTold(told);
}

TEST_F(UnwrittenTest, TheNextStartKnowsThatTheUserAborted) {
  const auto key = world_.AddScript(1, test::kDoNothing, "", nullptr);
  RefuseResults();
  CancellationToken cancel;
  const auto watcher = std::make_shared<test::Watcher>(1);
  // At the last moment before it is run.
  watcher->on_progress = [&cancel](int percent) {
    if (percent >= 30) cancel.Cancel();
  };
  ASSERT_TRUE(
      world_.engine().Begin(world_.Request({key}), watcher, cancel).ok());
  watcher->Wait();
  EXPECT_EQ(watcher->results[0].result_code, kAborted);
  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  ExpectTold(watcher->results[0]);
}

TEST_F(UnwrittenTest, AResultThatCanBeWrittenEndsIt) {
  const auto r1 = world_.AddArchive(1, "app", "1", "one");
  const auto r2 = world_.AddArchive(1, "app", "2", "two", 2);
  ASSERT_EQ(world_.Install({r1})[0].result_code, kSucceeded);
  RefuseNotes();
  EXPECT_EQ(world_.Install({r2})[0].result_code, kWithErrors);
  EXPECT_THAT(world_.History(), SizeIs(2));
  EXPECT_THAT(world_.Strays(), IsEmpty());
  EXPECT_FALSE(fs::exists(world_.product("app") / "1"));
  EXPECT_EQ(Current(), "two");
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_THAT(world_.engine().Unfinished(), IsEmpty());
}

// Else the next start would take back what came after it.
TEST_F(UnwrittenTest, WhatComesNextWritesItDownFirst) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto two = world_.AddArchive(2, "app", "2", "two");
  RefuseNotes();
  RefuseResults();
  EXPECT_EQ(world_.Install({one})[0].result_code, kWithErrors);
  // Still not possible.
  const InstallResult refused = world_.Install({two})[0];
  EXPECT_EQ(refused.result_code, kFailed);
  EXPECT_THAT(refused.message, HasSubstr("earlier result"));
  EXPECT_EQ(Current(), "one");

  TakeAllAgain();
  EXPECT_EQ(world_.Install({two})[0].result_code, kSucceeded);
  ASSERT_THAT(world_.History(), SizeIs(2));
  EXPECT_EQ(world_.History()[1].update_identity().update_id(), one.update_id);
  EXPECT_EQ(world_.History()[1].result_code(),
            v1::OPERATION_RESULT_CODE_SUCCEEDED);
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_EQ(Current(), "two");
  EXPECT_EQ(Content(world_.product("app") / "1/bin/run"), "one");
  EXPECT_THAT(world_.History(), SizeIs(2));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(UnwrittenTest, ABundleGoesOnAtTheNextStart) {
  AddBundle(/*restart=*/false);
  RefuseNotes();
  RefuseResults();
  const InstallRequest request = world_.Request({Key(3)});
  const InstallResult result = world_.Run(request)[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_THAT(result.message, HasSubstr("1 of the bundle's 2"));
  EXPECT_FALSE(fs::exists(world_.product("tool")));

  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_THAT(world_.Strays(), IsEmpty());
  const InstallResult resumed = Resume(request);
  EXPECT_EQ(resumed.result_code, kSucceeded) << resumed.message;
  EXPECT_TRUE(fs::exists(world_.product("tool")));
}

TEST_F(UnwrittenTest, ARestartThatAPartNeedsOutlivesTheService) {
  AddBundle(/*restart=*/true);
  DieAfterAPart();
  const InstallRequest request = world_.Request({Key(3)});
  world_.Run(request);
  TakeAllAgain();
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_TRUE(world_.engine().RebootRequiredBeforeInstallation());
  const InstallResult resumed = Resume(request);
  EXPECT_EQ(resumed.hresult, hr::kWuEInstallNotAllowed) << resumed.message;
  EXPECT_TRUE(resumed.reboot_required);
  EXPECT_FALSE(fs::exists(world_.product("tool")));
}

TEST_F(UnwrittenTest, ARestartThatCameFulfilsTheWishOfAPart) {
  AddBundle(/*restart=*/true);
  DieAfterAPart();
  const InstallRequest request = world_.Request({Key(3)});
  world_.Run(request);
  TakeAllAgain();
  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_FALSE(world_.engine().RebootRequired());
  const InstallResult resumed = Resume(request);
  EXPECT_EQ(resumed.hresult, hr::kSOk) << resumed.message;
  EXPECT_FALSE(resumed.reboot_required);
  EXPECT_FALSE(world_.engine().RebootRequired());
}

TEST_F(UnwrittenTest, ARestartThatCameFulfilsTheWishOfAnUpdate) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  world_.AlwaysRequiresReboot(one);
  RefuseResults();
  EXPECT_TRUE(world_.Install({one})[0].reboot_required);
  TakeAllAgain();
  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_EQ(world_.History()[0].result_code(),
            v1::OPERATION_RESULT_CODE_SUCCEEDED);
  EXPECT_FALSE(world_.engine().RebootRequired());
}

TEST_F(UnwrittenTest, AnUpdateOfWhichNothingCanBeKeptIsInstalledAllTheSame) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  ASSERT_TRUE(
      WriteFileAtomically(dir_.path() / "work/kept", "not a folder").ok());
  const InstallResult result = world_.Install({one})[0];
  EXPECT_EQ(result.result_code, kWithErrors) << result.message;
  EXPECT_THAT(result.message, HasSubstr("kept"));
  EXPECT_TRUE(world_.catalog().HasReceipt(one));
}

}  // namespace
}  // namespace usher::install
