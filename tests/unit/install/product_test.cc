// The archive handler, through the engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.h"
#include "common/file_io.h"
#include "service/catalog/facts_source.h"
#include "service/install/archive_handler.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Content;
using test::Key;
using ::testing::HasSubstr;
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
  // As everybody else finds it: through "current", where there is such a thing.
  std::string Current() {
    return Content(catalog::CurrentFolder(world_.product("app")) / "bin/run");
  }
  // The same version again, of an update that supersedes `old`.
  catalog::UpdateKey AddSuperseding(int n, const catalog::UpdateKey& old,
                                    const std::string& content) {
    auto key = world_.AddArchive(n, "app", "1", content);
    auto description = world_.catalog().Describe(key).value();
    description.mutable_update()->add_superseded_update_ids(old.update_id);
    world_.catalog().Add(description);
    return key;
  }
  // One with the engine's part left to the test.
  Attempt NewAttempt(const catalog::UpdateKey& key,
                     const repository::v1::UpdateDescription& description) {
    Attempt attempt{.step_id = 99,
                    .key = key,
                    .description = &description,
                    .cache = &world_.cache(),
                    .work_dir = dir_.path() / "attempt"};
    EXPECT_TRUE(MakeDirectories(attempt.work_dir).ok());
    return attempt;
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

TEST_F(ProductTest, ANewRevisionsVersionTakesThePlaceOfTheOldOnes) {
  const auto other = world_.AddArchive(2, "app", "0.9", "other");
  const auto r1 = world_.AddArchive(1, "app", "1.0", "one");
  const auto r2 = world_.AddArchive(1, "app", "1.1", "two", 2);
  ExpectGood(world_.Install({other, r1}));
  ExpectGood(world_.Install({r2}));
  EXPECT_EQ(Current(), "two");
  EXPECT_FALSE(fs::exists(world_.product("app") / "1.0"));
  EXPECT_TRUE(fs::exists(world_.product("app") / "0.9"));
  ExpectGood(world_.Uninstall({r2}));
  EXPECT_EQ(Current(), "other");
  ExpectGood(world_.Uninstall({other}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

// On Windows they are one folder.
TEST_F(ProductTest, ANewRevisionsVersionMayDifferInCaseOnly) {
  const auto r1 = world_.AddArchive(1, "app", "1.0-RC", "one");
  const auto r2 = world_.AddArchive(1, "app", "1.0-rc", "two", 2);
  ExpectGood(world_.Install({r1}));
  ExpectGood(world_.Install({r2}));
  EXPECT_EQ(Current(), "two");
  EXPECT_EQ(fs::exists(world_.product("app") / "1.0-RC"), !test::kIsUnix);
  // Nobody else's, in whatever case.
  const auto other =
      world_.AddArchive(2, "app", test::kIsUnix ? "1.0-rc" : "1.0-Rc", "other");
  EXPECT_EQ(world_.Install({other})[0].hresult, hr::kErrorAlreadyExists);
  EXPECT_EQ(Current(), "two");
  ExpectGood(world_.Uninstall({r2}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

// As it was left before a new revision removed the old one's version.
TEST_F(ProductTest, UninstallingRemovesAllOfTheUpdatesVersions) {
  const auto r1 = world_.AddArchive(1, "app", "1.0", "one");
  const auto r2 = world_.AddArchive(1, "app", "1.1", "two", 2);
  ExpectGood(world_.Install({r1}));
  const fs::path kept = dir_.path() / "kept-version";
  fs::copy(world_.product("app") / "1.0", kept, fs::copy_options::recursive);
  ExpectGood(world_.Install({r2}));
  fs::rename(kept, world_.product("app") / "1.0");
  const std::string list = Content(world_.product("app") / ".versions");
  ASSERT_TRUE(WriteFileAtomically(world_.product("app") / ".versions",
                                  "1.0 " + r1.update_id + "\n" + list)
                  .ok());
  ExpectGood(world_.Uninstall({r2}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

TEST_F(ProductTest, WhatARevisionUnderAnotherNameLeftGoesWithTheUpdate) {
  const auto r1 = world_.AddArchive(1, "app", "1.0", "one");
  ExpectGood(world_.Install({r1}));
  world_.catalog().Forget(r1);
  const auto r2 = world_.AddArchive(1, "renamed", "1.1", "two", 2);
  ExpectGood(world_.Install({r2}));
  world_.catalog().Forget(r2);
  const auto r3 = world_.AddArchive(1, "again", "1.2", "three", 3);
  ExpectGood(world_.Install({r3}));
  EXPECT_EQ(Current(), "one");
  ExpectGood(world_.Uninstall({r3}));
  EXPECT_TRUE(fs::is_empty(world_.product("")));
  EXPECT_TRUE(fs::is_empty(dir_.path() / "work/kept"));
  EXPECT_EQ(world_.Uninstall({r3})[0].hresult, hr::kWuSAlreadyUninstalled);
}

TEST_F(ProductTest, ARevisionUnderTheOldNameTakesItsPlaceAgain) {
  ExpectGood(world_.Install({world_.AddArchive(1, "app", "1.0", "one")}));
  ExpectGood(world_.Install({world_.AddArchive(1, "other", "1", "two", 2)}));
  const auto r3 = world_.AddArchive(1, "app", "1.2", "three", 3);
  ExpectGood(world_.Install({r3}));
  EXPECT_EQ(Current(), "three");
  EXPECT_FALSE(fs::exists(world_.product("app") / "1.0"));
  ExpectGood(world_.Uninstall({r3}));
  EXPECT_TRUE(fs::is_empty(world_.product("")));
}

TEST_F(ProductTest, WhatARevisionOfAnotherKindLeftGoesWithTheUpdate) {
  ExpectGood(world_.Install({world_.AddArchive(1, "app", "1.0", "one")}));
  world_.AddScript(
      1, test::kDoNothing, test::kDoNothing,
      [](repository::v1::UpdateDescription& update) {
        update.mutable_update()->mutable_identity()->set_revision_number(2);
      });
  ExpectGood(world_.Install({Key(1, 2)}));
  ASSERT_TRUE(fs::exists(world_.product("app")));
  ExpectGood(world_.Uninstall({Key(1, 2)}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
  EXPECT_TRUE(fs::is_empty(dir_.path() / "work/kept"));
}

TEST_F(ProductTest, AnOlderRevisionIsUninstalled) {
  const auto r1 = world_.AddArchive(1, "app", "1.0", "one");
  ExpectGood(world_.Install({r1}));
  world_.catalog().Forget(r1);
  const auto r2 = world_.AddArchive(1, "app", "1.1", "two", 2);
  const InstallResult result = world_.Uninstall({r2})[0];
  EXPECT_EQ(result.hresult, hr::kSOk) << result.message;
  EXPECT_FALSE(fs::exists(world_.product("app")));
  EXPECT_FALSE(world_.catalog().HasReceipt(r1));
  EXPECT_THAT(world_.Strays(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(dir_.path() / "work/kept"));
  EXPECT_EQ(world_.Uninstall({r2})[0].hresult, hr::kWuSAlreadyUninstalled);
}

// Installed before descriptions were kept.
TEST_F(ProductTest, AnOlderRevisionOfWhichNothingIsKept) {
  const auto r1 = world_.AddArchive(1, "app", "1.0", "one");
  ExpectGood(world_.Install({r1}));
  world_.catalog().Forget(r1);
  fs::remove_all(dir_.path() / "work/kept");
  ExpectGood(world_.Uninstall({world_.AddArchive(1, "app", "1.1", "two", 2)}));
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

TEST_F(ProductTest, AVersionBelongsToOneUpdate) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto other = world_.AddArchive(2, "app", "1", "other");
  ExpectGood(world_.Install({one}));
  const InstallResult refused = world_.Install({other})[0];
  EXPECT_EQ(refused.hresult, hr::kErrorAlreadyExists);
  EXPECT_THAT(refused.message, HasSubstr(one.update_id));
  EXPECT_EQ(Current(), "one");
  EXPECT_THAT(world_.Strays(), IsEmpty());

  InstallRequest forced = world_.Request({other}, Operation::kUninstall);
  forced.is_forced = true;
  ExpectGood(world_.Run(forced));
  EXPECT_EQ(Current(), "one");

  ExpectGood(world_.Uninstall({one}));
  ExpectGood(world_.Install({other}));
  EXPECT_EQ(Current(), "other");
}

TEST_F(ProductTest, AVersionGoesToTheUpdateThatSupersedesItsOwn) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto two = AddSuperseding(2, one, "two");
  ExpectGood(world_.Install({one}));
  ExpectGood(world_.Install({two}));
  EXPECT_EQ(Current(), "two");
  ExpectGood(world_.Uninstall({one}));
  EXPECT_EQ(Current(), "two");
  ExpectGood(world_.Uninstall({two}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

TEST_F(ProductTest, AnInstallationTakenBackGivesTheVersionBack) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto two = AddSuperseding(2, one, "two");
  ExpectGood(world_.Install({one}));

  ArchiveHandler handler(world_.options().product_dir);
  const auto description = world_.catalog().Describe(two);
  ASSERT_TRUE(description.ok());
  const Attempt attempt = NewAttempt(two, *description);
  ASSERT_TRUE(handler.Prepare(attempt).ok());
  ASSERT_TRUE(handler.Apply(attempt).status.ok());
  EXPECT_EQ(Current(), "two");
  ASSERT_TRUE(handler.Undo(attempt, /*applying=*/true).ok());
  EXPECT_EQ(Current(), "one");

  // It is the first one's again.
  const auto other = world_.AddArchive(3, "app", "1", "other");
  EXPECT_THAT(world_.Install({other})[0].message, HasSubstr(one.update_id));
  ExpectGood(world_.Uninstall({one}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
}

// The journal may not take that it was.
TEST_F(ProductTest, AFirstInstallationCanBeTakenBackAgain) {
  const auto one = world_.AddArchive(1, "app", "1", "one");
  const auto description = world_.catalog().Describe(one);
  ASSERT_TRUE(description.ok());
  ArchiveHandler handler(world_.options().product_dir);
  const Attempt attempt = NewAttempt(one, *description);
  ASSERT_TRUE(handler.Prepare(attempt).ok());
  ASSERT_TRUE(handler.Apply(attempt).status.ok());
  ASSERT_TRUE(handler.Undo(attempt, /*applying=*/true).ok());
  EXPECT_FALSE(fs::exists(world_.product("app")));
  const absl::Status again = handler.Undo(attempt, /*applying=*/true);
  EXPECT_TRUE(again.ok()) << again;
  const auto recovery = handler.Recover(attempt);
  ASSERT_TRUE(recovery.ok()) << recovery.status();
  EXPECT_EQ(recovery->state, Recovery::State::kUndone);
}

// Before updates were written down beside the versions.
TEST_F(ProductTest, AVersionOfNobodyKnownIsAnybodys) {
  ExpectGood(world_.Install({world_.AddArchive(1, "app", "1", "one")}));
  ASSERT_TRUE(
      WriteFileAtomically(world_.product("app") / ".versions", "1\n").ok());
  const auto other = world_.AddArchive(2, "app", "1", "other");
  ExpectGood(world_.Install({other}));
  EXPECT_EQ(Current(), "other");
  ExpectGood(world_.Uninstall({other}));
  EXPECT_FALSE(fs::exists(world_.product("app")));
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

// Between two pieces of a file.
TEST_F(ProductTest, AbortWhileUnpackingLeavesTheOldVersion) {
  ExpectGood(world_.Install({world_.AddArchive(1, "app", "1", "one")}));
  // Longer than what is unpacked at a time, also when it is compressed.
  std::string noise(size_t{4} * 1024 * 1024, '\0');
  uint32_t state = 1;
  for (char& c : noise) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  const auto two = world_.AddArchive(2, "app", "2", noise);
  CancellationToken cancel;
  const auto watcher = std::make_shared<test::Watcher>(1);
  watcher->on_progress = [&cancel](int percent) {
    if (percent > 0) cancel.Cancel();
  };
  ASSERT_TRUE(
      world_.engine().Begin(world_.Request({two}), watcher, cancel).ok());
  watcher->Wait();
  const InstallResult& result = watcher->results[0];
  EXPECT_EQ(result.result_code, v1::OPERATION_RESULT_CODE_ABORTED)
      << result.message;
  EXPECT_EQ(result.hresult, hr::kWuECallCancelled);
  // Well before the change itself, and then its end.
  const std::vector<int>& percents = watcher->percents[0];
  ASSERT_GE(percents.size(), 3U);
  EXPECT_LT(percents[percents.size() - 2], 30);
  EXPECT_EQ(world_.History()[0].result_code(),
            v1::OPERATION_RESULT_CODE_ABORTED);
  EXPECT_EQ(Current(), "one");
  EXPECT_FALSE(fs::exists(world_.product("app") / "2"));
  EXPECT_FALSE(world_.catalog().HasReceipt(two));
  EXPECT_THAT(world_.Strays(), IsEmpty());
  // Nothing of it stands in the way of another attempt.
  ExpectGood(world_.Install({two}));
}

TEST_F(ProductTest, AbortInABundleNamesWhatIsDone) {
  const auto one = world_.AddArchive(1, "tool", "1", "one");
  const auto two = world_.AddArchive(2, "app", "1", "two");
  auto bundle = test::World::NewUpdate(Key(3));
  for (const auto& part : {one, two}) {
    auto* key = bundle.mutable_update()->add_bundled_updates();
    key->set_update_id(part.update_id);
    key->set_revision_number(part.revision);
  }
  world_.catalog().Add(bundle);
  CancellationToken cancel;
  const auto watcher = std::make_shared<test::Watcher>(1);
  // In the second part.
  watcher->on_progress = [&cancel](int percent) {
    if (percent > 50) cancel.Cancel();
  };
  ASSERT_TRUE(
      world_.engine().Begin(world_.Request({Key(3)}), watcher, cancel).ok());
  watcher->Wait();
  EXPECT_EQ(watcher->results[0].result_code, v1::OPERATION_RESULT_CODE_ABORTED);
  EXPECT_THAT(watcher->results[0].message, HasSubstr("1 of the bundle's 2"));
  EXPECT_TRUE(world_.catalog().HasReceipt(one));
  EXPECT_FALSE(fs::exists(world_.product("app")));
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
