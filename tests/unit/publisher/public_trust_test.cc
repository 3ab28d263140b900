// What lies in the public folder is not believed: whoever can write to a web
// server's folder is not one who may sign.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/intake.h"
#include "publisher/publication.h"
#include "publisher/published_metadata.h"
#include "publisher/repository_check.h"
#include "publisher/repository_source.h"
#include "publisher/repository_walk.h"
#include "publisher/root_ceremony.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PublicTrustTest : public ::testing::Test {
 protected:
  PublicTrustTest() : dir_(folder_.MakeRepository()) {}

  fs::path Metadata(const std::string& name) const {
    return dir_ / "public/metadata" / name;
  }
  void Put(const fs::path& path, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(path, text, Access::kWorldRead).ok());
  }

  // Publishes one more update.
  absl::StatusOr<PublishResult> PublishMore() {
    const std::string version = std::to_string(++updates_);
    folder_.Write("run.sh", "#!/bin/sh\n");
    const fs::path description = folder_.Write(
        "u.toml", absl::StrCat("name = \"tool\"\nversion = \"", version,
                               "\"\ntitle = \"tool ", version,
                               "\"\n[[payload]]\nfile = "
                               "\"run.sh\"\n[handler.exec]\n"));
    {
      Workspace workspace = OpenForTest(dir_);
      const auto added =
          AddDescriptionFiles(workspace, {description}, TestTime());
      if (!added.ok()) return added.status();
    }
    return PublishNow(dir_);
  }
  absl::StatusOr<PublishResult> Renew() const {
    Workspace workspace = OpenForTest(dir_);
    PublishOptions options;
    options.expires = Expiries::Default(TestTime());
    options.renew = true;
    PassphraseSource none("", false);
    return Publish(workspace, options, none, TestTime());
  }
  absl::StatusOr<PublishResult> Refresh() const {
    Workspace workspace = OpenForTest(dir_);
    PassphraseSource none("", false);
    return RefreshTimestamp(workspace, TestTime() + absl::Hours(24), none);
  }
  absl::Status DraftRoot() const {
    const Workspace workspace = OpenForTest(dir_);
    return RootDraft::Next(workspace, TestTime() + absl::Hours(1)).status();
  }
  absl::Status RenewTheRoot() const {
    Workspace workspace = OpenForTest(dir_);
    PassphraseSource none("", false);
    return RenewRoot(workspace, TestTime() + absl::Hours(24 * 900), none)
        .status();
  }

  // Neither the timestamp nor a publication is signed, nothing is changed, and
  // signing everything afresh mends it.
  void ExpectRefused(HResult hresult) {
    const std::string before = Slurp(Metadata("timestamp.json"));
    const std::string settings = Slurp(dir_ / "usher-repository.json");
    for (const absl::Status& status :
         {Refresh().status(), PublishMore().status()}) {
      EXPECT_EQ(HResultOf(status), hresult) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("--renew"));
    }
    EXPECT_EQ(Slurp(Metadata("timestamp.json")), before);
    EXPECT_EQ(Slurp(dir_ / "usher-repository.json"), settings);
    const auto renewed = Renew();
    ASSERT_TRUE(renewed.ok()) << renewed.status();
    EXPECT_LT(renewed->timestamp_version, 100);
    EXPECT_LT(renewed->targets_version, 100);
    ExpectGood();
    EXPECT_TRUE(Refresh().ok());
    EXPECT_TRUE(PublishMore().ok());
    ExpectGood();
  }

  void ExpectGood() const {
    const auto report = CheckRepository(PathToUtf8(dir_),
                                        Slurp(dir_ / "root.json"), TestTime());
    EXPECT_TRUE(report.ok()) << report.status();
  }

  // Changes a document, signed again with the role's real key.
  template <typename Body, typename Change>
  void Forge(const std::string& name, Change change) const {
    PassphraseSource none("", false);
    const auto key =
        LoadKey(dir_ / "keys" / absl::StrCat(Body::kType, ".pem"), none);
    auto document = tuf::Parse<Body>(Slurp(Metadata(name)));
    ASSERT_TRUE(key.ok() && document.ok());
    change(document->body);
    ASSERT_TRUE(tuf::Sign(*document, {*key}).ok());
    Put(Metadata(name), tuf::Serialize(*document).value());
  }

  const TestFolder folder_;
  const fs::path dir_;
  int updates_ = 0;
};

TEST_F(PublicTrustTest, AnOlderTimestampIsNotSignedAfresh) {
  ASSERT_TRUE(PublishMore().ok());
  const std::string old = Slurp(Metadata("timestamp.json"));
  ASSERT_TRUE(PublishMore().ok());
  Put(Metadata("timestamp.json"), old);
  ExpectRefused(hr::kWuERedirectorIdSmaller);
}

TEST_F(PublicTrustTest, AnOlderTimestampThatWasOnlyRefreshedNeither) {
  ASSERT_TRUE(PublishMore().ok());
  const std::string old = Slurp(Metadata("timestamp.json"));
  ASSERT_TRUE(Refresh().ok());
  Put(Metadata("timestamp.json"), old);
  ExpectRefused(hr::kWuERedirectorIdSmaller);
}

TEST_F(PublicTrustTest, AVersionThatNobodySignedIsNotSigned) {
  ASSERT_TRUE(PublishMore().ok());
  Put(Metadata("timestamp.json"),
      absl::StrReplaceAll(
          Slurp(Metadata("timestamp.json")),
          {{"\"version\": 1", "\"version\": 9223372036854775806"},
           {"\"version\":1", "\"version\":9223372036854775806"}}));
  ExpectRefused(hr::kWuEMetadataBadSignature);
}

TEST_F(PublicTrustTest, AllVersionsAtOnceAreRefused) {
  ASSERT_TRUE(PublishMore().ok());
  for (const int64_t version :
       {std::numeric_limits<int64_t>::max(), (int64_t{1} << 32) + 100}) {
    Forge<tuf::Timestamp>("timestamp.json", [&](tuf::Timestamp& body) {
      body.version = version;
    });
    ExpectRefused(hr::kWuEInvalidOperation);
  }
}

TEST_F(PublicTrustTest, AnotherDocumentOfTheSameVersionIsRefused) {
  ASSERT_TRUE(PublishMore().ok());
  Forge<tuf::Timestamp>("timestamp.json", [](tuf::Timestamp& body) {
    body.expires += absl::Hours(1);
  });
  ExpectRefused(hr::kWuERedirectorIdSmaller);
}

TEST_F(PublicTrustTest, WhatIsBelowTheTimestampIsWhatItNames) {
  for (const char* name : {"snapshot.json", "targets.json"}) {
    const auto published = PublishMore();
    ASSERT_TRUE(published.ok()) << published.status();
    const int64_t version = std::string(name) == "snapshot.json"
                                ? published->snapshot_version
                                : published->targets_version;
    // Signed with the real key, of that version, and not what is named.
    const std::string file = absl::StrCat(version, ".", name);
    if (std::string(name) == "snapshot.json") {
      Forge<tuf::Snapshot>(
          file, [](tuf::Snapshot& body) { body.expires -= absl::Hours(1); });
    } else {
      Forge<tuf::Targets>(file,
                          [](tuf::Targets& body) { body.targets.clear(); });
    }
    ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed);
  }
}

TEST_F(PublicTrustTest, NamesOfFilesAreNotCountedOn) {
  ASSERT_TRUE(PublishMore().ok());
  for (const char* role : {"targets", "snapshot"}) {
    for (const char* version : {"9223372036854775807", "9007199254740990"}) {
      Put(Metadata(absl::StrCat(version, ".", role, ".json")), "{}");
    }
  }
  const auto published = PublishMore();
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->targets_version, 2);
  EXPECT_EQ(published->snapshot_version, 2);
  EXPECT_FALSE(fs::exists(Metadata("9007199254740990.targets.json")));
  EXPECT_TRUE(fs::exists(Metadata("1.targets.json")));
  ExpectGood();
}

TEST_F(PublicTrustTest, AFolderThatCannotBeListedIsNotAnEmptyOne) {
  const auto versions = VersionsOf(Metadata("1.root.json"), "root");
  EXPECT_FALSE(versions.ok());
  EXPECT_THAT(std::string(versions.status().message()),
              HasSubstr("1.root.json"));
  const auto none = VersionsOf(dir_ / "nothing", "root");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->empty());
}

TEST_F(PublicTrustTest, WhatIsMissingIsMadeAgain) {
  ASSERT_TRUE(PublishMore().ok());
  fs::remove(Metadata("1.targets.json"));
  const auto refreshed = Refresh();
  EXPECT_EQ(HResultOf(refreshed.status()), hr::kWuEInvalidOperation)
      << refreshed.status();
  const auto published = PublishNow(dir_);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->targets_version, 2);
  fs::remove(Metadata("timestamp.json"));
  const auto again = PublishNow(dir_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->timestamp_version, 3);
  ExpectGood();
}

TEST_F(PublicTrustTest, ARootThatNobodySignedBeginsNoCeremony) {
  ASSERT_TRUE(PublishMore().ok());
  auto planted = tuf::Parse<tuf::Root>(Slurp(dir_ / "root.json"));
  ASSERT_TRUE(planted.ok());
  const auto intruder = tuf::PrivateKey::Generate("ed25519");
  ASSERT_TRUE(intruder.ok());
  planted->body.version = 2;
  planted->body.keys[intruder->key_id()] = intruder->public_key();
  planted->body.roles["root"].key_ids.push_back(intruder->key_id());
  ASSERT_TRUE(tuf::Sign(*planted, {*intruder}).ok());
  for (const char* name : {"2.root.json", "7.root.json"}) {
    Put(Metadata(name), tuf::Serialize(*planted).value());
    for (const absl::Status& status :
         {DraftRoot(), RenewTheRoot(), Refresh().status(),
          PublishMore().status()}) {
      EXPECT_FALSE(status.ok()) << name;
      EXPECT_THAT(std::string(status.message()), HasSubstr(name));
      EXPECT_THAT(std::string(status.message()), HasSubstr("remove it"));
    }
    fs::remove(Metadata(name));
  }
  EXPECT_TRUE(DraftRoot().ok());
  // Another one in the place of the one that clients are given.
  planted->body.version = 1;
  ASSERT_TRUE(tuf::Sign(*planted, {*intruder}).ok());
  Put(Metadata("1.root.json"), tuf::Serialize(*planted).value());
  EXPECT_THAT(std::string(DraftRoot().message()),
              HasSubstr("is another root than"));
}

TEST_F(PublicTrustTest, ARootBetweenItsTwoPlacesIsTheNewest) {
  ASSERT_TRUE(PublishMore().ok());
  const std::string first = Slurp(dir_ / "root.json");
  ASSERT_TRUE(RenewTheRoot().ok());
  const std::string second = Slurp(dir_ / "root.json");
  ASSERT_NE(first, second);
  // As a kill leaves them.
  Put(dir_ / "root.json", first);
  EXPECT_TRUE(DraftRoot().ok());
  EXPECT_TRUE(Refresh().ok());
  EXPECT_EQ(Slurp(dir_ / "root.json"), second);
  ExpectGood();
}

TEST_F(PublicTrustTest, FoldersOfOlderVersionsWorkOnceTheyAreVerified) {
  ASSERT_TRUE(PublishMore().ok());
  const auto forget = [this] {
    Workspace workspace = OpenForTest(dir_);
    workspace.settings().signed_last.clear();
    ASSERT_TRUE(workspace.SaveSettings().ok());
  };
  forget();
  // Nothing to do, and remembered from then on.
  const auto same = PublishNow(dir_);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_FALSE(same->changed);
  EXPECT_EQ(OpenForTest(dir_).settings().signed_last.size(), 1U);
  forget();
  EXPECT_TRUE(Refresh().ok());
  EXPECT_EQ(OpenForTest(dir_).settings().signed_last.size(), 1U);
  forget();
  Put(Metadata("timestamp.json"),
      absl::StrReplaceAll(Slurp(Metadata("timestamp.json")),
                          {{"\"version\": 2", "\"version\": 3"},
                           {"\"version\":2", "\"version\":3"}}));
  ExpectRefused(hr::kWuEMetadataBadSignature);
}

TEST_F(PublicTrustTest, BookkeepingOfABackupGoesOn) {
  ASSERT_TRUE(PublishMore().ok());
  const std::string backup = Slurp(dir_ / "usher-repository.json");
  ASSERT_TRUE(PublishMore().ok());
  ASSERT_TRUE(Refresh().ok());
  Put(dir_ / "usher-repository.json", backup);
  const auto published = PublishMore();
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->targets_version, 3);
  EXPECT_EQ(published->timestamp_version, 4);
  ExpectGood();
}

TEST_F(PublicTrustTest, WhatABackupDoesNotKnowIsNotSignedAgain) {
  ASSERT_TRUE(PublishMore().ok());
  ASSERT_TRUE(RenewTheRoot().ok());
  // As the documentation says: all but what is served, and of that roots and
  // payloads.
  const fs::path backup = folder_.path() / "backup";
  fs::copy(dir_, backup, fs::copy_options::recursive);
  for (const auto& file : fs::directory_iterator(backup / "public/metadata")) {
    if (!absl::EndsWith(PathToUtf8(file.path()), ".root.json")) {
      fs::remove(file.path());
    }
  }
  fs::remove_all(backup / "public/targets/catalog");
  ASSERT_TRUE(PublishMore().ok());
  ASSERT_TRUE(Refresh().ok());
  const fs::path seen = folder_.path() / "seen";
  fs::rename(dir_, seen);
  fs::rename(backup, dir_);
  PublishOptions options;
  options.expires = Expiries::Default(TestTime());
  options.min_version = 10;
  PassphraseSource none("", false);
  const auto publish = [&]() -> absl::StatusOr<PublishResult> {
    Workspace workspace = OpenForTest(dir_);
    return Publish(workspace, options, none, TestTime());
  };
  auto published = publish();
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->targets_version, 10);
  EXPECT_EQ(published->snapshot_version, 10);
  EXPECT_EQ(published->timestamp_version, 10);
  EXPECT_TRUE(published->missing_roots.empty());
  // Reached, also one by one.
  published = publish();
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_FALSE(published->changed);
  ASSERT_TRUE(Refresh().ok());
  options.min_version = 11;
  published = publish();
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->snapshot_version, 11);
  EXPECT_EQ(published->timestamp_version, 12);
  // Who has seen the state that was lost follows.
  EarlierState earlier;
  earlier.timestamp = Slurp(seen / "public/metadata/timestamp.json");
  earlier.snapshot = Slurp(seen / "public/metadata/2.snapshot.json");
  const auto source = OpenRepositorySource(PathToUtf8(dir_));
  const auto verified =
      VerifyRepository(*source, Slurp(dir_ / "root.json"), TestTime(), earlier);
  EXPECT_TRUE(verified.ok()) << verified.status();
}

TEST_F(PublicTrustTest, OlderRootsAreMissed) {
  ASSERT_TRUE(PublishMore().ok());
  ASSERT_TRUE(RenewTheRoot().ok());
  fs::remove(Metadata("1.root.json"));
  const auto published = PublishMore();
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_THAT(published->missing_roots, ::testing::ElementsAre("1.root.json"));
  fs::remove(Metadata("2.root.json"));
  EXPECT_THAT(std::string(PublishMore().status().message()),
              HasSubstr("restore it, and all older roots"));
}

TEST_F(PublicTrustTest, PayloadsThatAreGoneAreMissed) {
  ASSERT_TRUE(PublishMore().ok());
  const fs::path payloads = dir_ / "public/targets/payloads";
  fs::path payload;
  for (const auto& file : fs::recursive_directory_iterator(payloads)) {
    if (file.is_regular_file()) payload = file.path();
  }
  const std::string content = Slurp(payload);
  // Of the same size: it is read only when everything is signed afresh.
  Put(payload, std::string(content.size(), 'x'));
  EXPECT_TRUE(PublishNow(dir_).ok());
  EXPECT_EQ(HResultOf(Renew().status()), hr::kWuESourceAbsent);
  fs::remove(payload);
  for (const absl::Status& status :
       {PublishNow(dir_).status(), Renew().status()}) {
    EXPECT_EQ(HResultOf(status), hr::kWuESourceAbsent) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("add their updates again"));
  }
  Put(payload, content);
  EXPECT_TRUE(Renew().ok());
  ExpectGood();
}

TEST_F(PublicTrustTest, VersionsEndBeforeTheNumbersDo) {
  ASSERT_TRUE(PublishMore().ok());
  {
    Workspace workspace = OpenForTest(dir_);
    workspace.settings().timestamp_version = (int64_t{1} << 53) - 1;
    ASSERT_TRUE(workspace.SaveSettings().ok());
  }
  EXPECT_EQ(HResultOf(Refresh().status()), hr::kWuEMaxCapacityReached);
  EXPECT_EQ(HResultOf(PublishMore().status()), hr::kWuEMaxCapacityReached);
  ExpectGood();
}

// --- what stays for readers ---

TEST_F(PublicTrustTest, WhatWasPublicWithinADayStays) {
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(PublishMore().ok());
  const auto there = [this](int version) {
    return fs::exists(Metadata(absl::StrCat(version, ".targets.json"))) &&
           fs::exists(Metadata(absl::StrCat(version, ".snapshot.json")));
  };
  // More than --keep says: all within the hour.
  for (int version = 1; version <= 8; ++version) EXPECT_TRUE(there(version));
  const auto catalogs = [this] {
    return std::distance(
        fs::directory_iterator(dir_ / "public/targets/catalog"),
        fs::directory_iterator());
  };
  EXPECT_EQ(catalogs(), 8);
  // The first three have followed each other two days ago; the third was the
  // present one until the fourth was made, today.
  for (int version = 1; version <= 3; ++version) {
    for (const char* role : {"targets", "snapshot"}) {
      fs::last_write_time(
          Metadata(absl::StrCat(version, ".", role, ".json")),
          fs::file_time_type::clock::now() - std::chrono::hours(48));
    }
  }
  ASSERT_TRUE(PublishMore().ok());
  EXPECT_FALSE(there(1));
  EXPECT_FALSE(there(2));
  for (int version = 3; version <= 9; ++version) EXPECT_TRUE(there(version));
  EXPECT_EQ(catalogs(), 7);
  ExpectGood();
}

TEST_F(PublicTrustTest, ARootIsAnnouncedByANewTimestampOfTheSameExpiry) {
  PassphraseSource none("", false);
  Workspace workspace = OpenForTest(dir_);
  const auto nothing = AnnounceRoot(workspace, none, TestTime());
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_FALSE(nothing->has_value());
  PublishOptions options;
  options.expires = Expiries::Default(TestTime());
  options.expires.timestamp = TestTime() + absl::Hours(5);
  ASSERT_TRUE(Publish(workspace, options, none, TestTime()).ok());
  const auto announced = AnnounceRoot(workspace, none, TestTime());
  ASSERT_TRUE(announced.ok() && announced->has_value()) << announced.status();
  EXPECT_EQ((*announced)->timestamp_version, 2);
  EXPECT_EQ((*announced)->timestamp_expires, options.expires.timestamp);
  // It has expired by then.
  const auto later =
      AnnounceRoot(workspace, none, TestTime() + absl::Hours(24));
  ASSERT_TRUE(later.ok() && later->has_value()) << later.status();
  EXPECT_EQ((*later)->timestamp_expires,
            Expiries::Default(TestTime() + absl::Hours(24)).timestamp);
}

}  // namespace
}  // namespace usher::publisher
