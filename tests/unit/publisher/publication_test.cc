#include "publisher/publication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/file_io.h"
#include "publisher/intake.h"
#include "publisher/repository_check.h"
#include "publisher/repository_init.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

absl::StatusOr<CheckReport> Check(const fs::path& dir) {
  return CheckRepository(PathToUtf8(dir), Slurp(dir / "root.json"), TestTime());
}

void AddDebs(const fs::path& dir, const std::vector<fs::path>& files) {
  Workspace workspace = OpenForTest(dir);
  const auto added = AddDebFiles(workspace, files, {}, {}, TestTime());
  ASSERT_TRUE(added.ok()) << added.status();
}

TEST(PublicationTest, PublishesAndChecks) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  AddDebs(dir, {folder.MakeDeb("hello", "1.0")});
  const auto first = PublishNow(dir);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->changed);
  EXPECT_EQ(first->payloads_moved, 1);
  auto report = Check(dir);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->updates, 1);
  EXPECT_EQ(report->payloads_verified, 1);
  EXPECT_EQ(report->service_name, "Test updates");

  const auto same = PublishNow(dir);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_FALSE(same->changed);
  EXPECT_EQ(same->timestamp_version, 1);

  AddDebs(dir, {folder.MakeDeb("hello", "2.0")});
  const auto second = PublishNow(dir);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->changed);
  EXPECT_EQ(second->targets_version, 2);
  EXPECT_EQ(second->snapshot_version, 2);
  EXPECT_EQ(second->timestamp_version, 2);
  report = Check(dir);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->updates, 2);
}

TEST(PublicationTest, TheSameInputGivesTheSameCatalog) {
  const TestFolder packages;
  const fs::path one = packages.MakeDeb("one", "1.0");
  const fs::path two = packages.MakeDeb("two", "1.0");
  const TestFolder a;
  const TestFolder b;
  const fs::path first = a.MakeRepository();
  const fs::path second = b.MakeRepository();
  AddDebs(first, {one, two});
  AddDebs(second, {two});
  AddDebs(second, {one});
  const auto x = PublishNow(first);
  const auto y = PublishNow(second);
  ASSERT_TRUE(x.ok() && y.ok());
  EXPECT_EQ(x->catalog_sha256, y->catalog_sha256);
}

TEST(PublicationTest, KeepsOldVersionsForAWhile) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  for (int i = 1; i <= 4; ++i) {
    AddDebs(dir, {folder.MakeDeb("hello", std::to_string(i) + ".0")});
    Workspace workspace = OpenForTest(dir);
    PublishOptions options;
    options.expires = Expiries::Default(TestTime());
    options.keep = {2, absl::ZeroDuration()};
    PassphraseSource none("", false);
    ASSERT_TRUE(Publish(workspace, options, none, TestTime()).ok());
  }
  EXPECT_FALSE(fs::exists(dir / "public/metadata/2.targets.json"));
  EXPECT_TRUE(fs::exists(dir / "public/metadata/3.targets.json"));
  EXPECT_TRUE(fs::exists(dir / "public/metadata/4.snapshot.json"));
  const auto catalogs =
      std::distance(fs::directory_iterator(dir / "public/targets/catalog"),
                    fs::directory_iterator());
  EXPECT_EQ(catalogs, 2);
  EXPECT_TRUE(Check(dir).ok());
}

// Flips one byte in the middle of each public file in turn.
TEST(PublicationTest, CheckFindsAFlippedByteInEveryFile) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  AddDebs(dir, {folder.MakeDeb("hello", "1.0")});
  ASSERT_TRUE(PublishNow(dir).ok());
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(dir / "public")) {
    if (!entry.is_regular_file()) continue;
    const std::string good = Slurp(entry.path());
    for (const size_t at : {size_t{0}, good.size() / 2, good.size() - 2}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      std::ofstream(entry.path(), std::ios::binary) << bad;
      const auto report = Check(dir);
      EXPECT_FALSE(report.ok()) << entry.path() << " at " << at;
      const std::string name = entry.path().filename().string();
      // Documents are known by role ("snapshot.json") or by file.
      const std::string role = name.substr(name.find('.') + 1);
      EXPECT_THAT(std::string(report.status().message()),
                  ::testing::AnyOf(HasSubstr(name), HasSubstr(role)))
          << report.status();
    }
    std::ofstream(entry.path(), std::ios::binary) << good;
    ++files;
  }
  EXPECT_EQ(files, 6);
  EXPECT_TRUE(Check(dir).ok());
}

TEST(PublicationTest, CheckFindsExpiryAndAnotherRoot) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  ASSERT_TRUE(PublishNow(dir).ok());
  const auto later = CheckRepository(PathToUtf8(dir), Slurp(dir / "root.json"),
                                     TestTime() + absl::Hours(24 * 30));
  EXPECT_EQ(HResultOf(later.status()), hr::kCertEExpired) << later.status();
  const TestFolder other;
  const fs::path other_dir = other.MakeRepository();
  EXPECT_FALSE(CheckRepository(PathToUtf8(dir), Slurp(other_dir / "root.json"),
                               TestTime())
                   .ok());
}

TEST(PublicationTest, TimestampAndRootAreRenewed) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  PassphraseSource none("", false);
  {
    Workspace workspace = OpenForTest(dir);
    EXPECT_EQ(HResultOf(RefreshTimestamp(workspace, TestTime(), none).status()),
              hr::kWuEInvalidOperation);
  }
  ASSERT_TRUE(PublishNow(dir).ok());
  const std::string first_root = Slurp(dir / "root.json");
  {
    Workspace workspace = OpenForTest(dir);
    const auto refreshed =
        RefreshTimestamp(workspace, TestTime() + absl::Hours(24 * 20), none);
    ASSERT_TRUE(refreshed.ok()) << refreshed.status();
    EXPECT_EQ(refreshed->timestamp_version, 2);
    const auto renewed =
        RenewRoot(workspace, TestTime() + absl::Hours(24 * 900), none);
    ASSERT_TRUE(renewed.ok()) << renewed.status();
    EXPECT_EQ(renewed->root_version, 2);
  }
  const auto report = CheckRepository(PathToUtf8(dir), first_root, TestTime());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->root_version, 2);
  EXPECT_EQ(report->timestamp_version, 2);
}

TEST(PublicationTest, AWrongPassphraseIsNamed) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository("correct horse");
  EXPECT_THAT(Slurp(dir / "keys/root.pem"), HasSubstr("ENCRYPTED"));
  EXPECT_EQ(fs::status(dir / "keys/root.pem").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  Workspace workspace = OpenForTest(dir);
  PublishOptions options;
  options.expires = Expiries::Default(TestTime());
  PassphraseSource wrong(folder.Write("wrong", "battery staple\n"), false);
  const auto failed = Publish(workspace, options, wrong, TestTime());
  EXPECT_EQ(HResultOf(failed.status()), hr::kEInvalidarg);
  EXPECT_THAT(std::string(failed.status().message()),
              HasSubstr("passphrase does not open it"));
  EXPECT_FALSE(fs::exists(dir / "public/metadata/timestamp.json"));
  PassphraseSource right(folder.path() / "passphrase", false);
  const auto done = Publish(workspace, options, right, TestTime());
  EXPECT_TRUE(done.ok()) << done.status();
}

TEST(PublicationTest, TwoPublishersExcludeEachOther) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  const Workspace first = OpenForTest(dir);
  EXPECT_EQ(HResultOf(Workspace::Open(dir, Workspace::Mode::kWrite).status()),
            hr::kWuEDsStorefilelocked);
  EXPECT_TRUE(Workspace::Open(dir, Workspace::Mode::kRead).ok());
}

TEST(PublicationTest, InitNeverOverwrites) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  const std::string root = Slurp(dir / "root.json");
  PassphraseSource none("", false);
  InitOptions options;
  options.service_name = "Other";
  EXPECT_EQ(HResultOf(InitRepository(dir, options, none, TestTime()).status()),
            hr::kWuEDuplicateItem);
  EXPECT_EQ(Slurp(dir / "root.json"), root);
}

TEST(PublicationTest, GarbageIsCollectedOnlyWhenNothingNamesIt) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  AddDebs(dir, {folder.MakeDeb("hello", "1.0")});
  ASSERT_TRUE(PublishNow(dir).ok());
  {
    Workspace workspace = OpenForTest(dir);
    const auto draft = workspace.LoadDraft();
    ASSERT_TRUE(draft.ok());
    const std::string id = draft->Sorted().front()->update_id;
    EXPECT_EQ(HResultOf(RemoveUpdates(workspace, {id + ":9"}).status()),
              hr::kWuEDsNodataNosuchrevision);
    ASSERT_TRUE(RemoveUpdates(workspace, {id + ":1"}).ok());
    // Still in a public catalog.
    const auto kept = CollectGarbage(workspace, false);
    ASSERT_TRUE(kept.ok()) << kept.status();
    EXPECT_EQ(kept->files, 0);
    PublishOptions options;
    options.expires = Expiries::Default(TestTime());
    options.keep = {1, absl::ZeroDuration()};
    PassphraseSource none("", false);
    ASSERT_TRUE(Publish(workspace, options, none, TestTime()).ok());
    const auto collected = CollectGarbage(workspace, false);
    ASSERT_TRUE(collected.ok()) << collected.status();
    EXPECT_EQ(collected->files, 1);
  }
  EXPECT_TRUE(Check(dir).ok());
}

TEST(PublicationTest, AMissingPayloadStopsEverything) {
  const TestFolder folder;
  const fs::path dir = folder.MakeRepository();
  AddDebs(dir, {folder.MakeDeb("hello", "1.0")});
  fs::remove_all(dir / "waiting");
  const auto result = PublishNow(dir);
  EXPECT_EQ(HResultOf(result.status()), hr::kWuESourceAbsent);
  EXPECT_FALSE(fs::exists(dir / "public/metadata/timestamp.json"));
}

TEST(PublicationTest, DescriptionFilesNeedAGreaterRevisionToChange) {
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  folder.Write("run.sh", "#!/bin/sh\n");
  const std::string base =
      "name = \"tool\"\nversion = \"1\"\n[[payload]]\nfile = \"run.sh\"\n"
      "[handler.exec]\n";
  const auto add = [&](const std::string& head) {
    return AddDescriptionFiles(workspace, {folder.Write("u.toml", head + base)},
                               TestTime());
  };
  ASSERT_TRUE(add("title = \"A\"\n").ok());
  const auto same = add("title = \"A\"\n");
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ((*same)[0].change, DraftChange::kUnchanged);
  EXPECT_EQ(HResultOf(add("title = \"B\"\n").status()),
            hr::kWuEDsDuplicateupdateid);
  const auto revised = add("title = \"B\"\nrevision = 2\n");
  ASSERT_TRUE(revised.ok()) << revised.status();
  EXPECT_EQ((*revised)[0].change, DraftChange::kRevised);
}

}  // namespace
}  // namespace usher::publisher
