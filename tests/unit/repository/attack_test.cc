// A server that lies. Each lie is refused by name, and what was trusted stays.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/repository/repository.h"
#include "tests/unit/repository/test_server.h"
#include "tests/unit/repository/test_site.h"

namespace usher::repository {
namespace {

using ::testing::StartsWith;

class AttackTest : public ::testing::Test {
 protected:
  // A client that trusts version 1 of everything.
  AttackTest() : client_(site_.NewClient()) {
    EXPECT_TRUE(client_->Refresh(cancel_).ok());
    before_ = ReadFolder(site_.options.metadata_dir);
  }

  // The refresh fails so and names `file`, whose trusted copy and those of
  // what comes after it are unchanged; what was usable still is.
  void ExpectRefused(HResult hr, const std::string& file) {
    const absl::Status status = client_->Refresh(cancel_).status();
    EXPECT_EQ(HResultOf(status), hr) << status;
    EXPECT_THAT(std::string(status.message()), StartsWith(file + ": "));
    EXPECT_EQ(SubjectOf(status), file);
    ExpectStillTrusted();
  }

  void ExpectStillTrusted() {
    const std::map<std::string, std::string> after =
        ReadFolder(site_.options.metadata_dir);
    EXPECT_EQ(after.size(), 4U);
    EXPECT_EQ(after.at("targets.json"), before_.at("targets.json"));
    EXPECT_EQ(after.at("snapshot.json"), before_.at("snapshot.json"));
    const auto reopened = Repository::Open(site_.options);
    ASSERT_TRUE(reopened.ok());
    const RefreshOutcome trusted = (*reopened)->Trusted().value();
    EXPECT_EQ(trusted.targets_version, 1);
    EXPECT_EQ(trusted.catalogs.at(0).sha256, Sha256Of("first catalog"));
  }

  void ExpectAllUnchanged() {
    EXPECT_EQ(ReadFolder(site_.options.metadata_dir), before_);
  }

  void Change(const std::string& name,
              const std::function<void(std::string&)>& change) {
    std::string text = ReadText(site_.Metadata(name));
    ASSERT_FALSE(text.empty());
    change(text);
    WriteText(site_.Metadata(name), text);
  }

  TestSite site_;
  CancellationToken cancel_;
  std::unique_ptr<Repository> client_;
  std::map<std::string, std::string> before_;
};

// Each byte of the signed part matters; these lie in it and keep the JSON
// valid.
void FlipVersion(std::string& text) {
  const size_t position = text.find("\"version\":2");
  ASSERT_NE(position, std::string::npos);
  text[position + 10] = '3';
}

void FlipExpiry(std::string& text) {
  const size_t position = text.find("\"expires\":\"20");
  ASSERT_NE(position, std::string::npos);
  text[position + 13] ^= 1;
}

void Truncate(std::string& text) { text.resize(text.size() / 2); }

TEST_F(AttackTest, FlippedByteInTimestamp) {
  site_.PublishNext();
  Change("timestamp.json", FlipExpiry);
  ExpectRefused(hr::kWuEMetadataBadSignature, "timestamp.json");
  ExpectAllUnchanged();
}

TEST_F(AttackTest, FlippedByteInSnapshot) {
  site_.PublishNext();
  Change("2.snapshot.json", FlipExpiry);
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "snapshot.json");
}

TEST_F(AttackTest, FlippedByteInTargets) {
  site_.PublishNext();
  Change("2.targets.json", FlipExpiry);
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_EQ(SubjectOf(status), "targets.json");
  EXPECT_EQ(client_->Trusted().value().targets_version, 1);
  EXPECT_EQ(ReadText(site_.options.metadata_dir / "targets.json"),
            before_.at("targets.json"));
}

TEST_F(AttackTest, FlippedByteInRoot) {
  site_.root.body.version = 2;
  site_.WriteRoot();
  Change("2.root.json", FlipExpiry);
  ExpectRefused(hr::kWuEMetadataBadSignature, "root.json");
  ExpectAllUnchanged();
  site_.WriteRoot();
  Change("2.root.json", FlipVersion);
  ExpectRefused(hr::kWuEMetadataBadSignature, "root.json");
  ExpectAllUnchanged();
}

TEST_F(AttackTest, TruncatedMetadata) {
  site_.PublishNext();
  Change("timestamp.json", Truncate);
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "timestamp.json");
  ExpectAllUnchanged();
  site_.Write();
  Change("2.snapshot.json", Truncate);
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "snapshot.json");
  site_.root.body.version = 2;
  site_.WriteRoot();
  Change("2.root.json", Truncate);
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "root.json");
}

TEST_F(AttackTest, ExpiredMetadata) {
  const absl::Time past = absl::FromUnixSeconds(1700000000);
  const absl::Time later = site_.timestamp.body.expires;
  site_.timestamp.body.expires = past;
  site_.PublishNext();
  ExpectRefused(hr::kCertEExpired, "timestamp.json");
  ExpectAllUnchanged();

  site_.timestamp.body.expires = later;
  site_.snapshot.body.expires = past;
  site_.PublishNext();
  ExpectRefused(hr::kCertEExpired, "snapshot.json");

  site_.root.body.version = 2;
  site_.root.body.expires = past;
  site_.WriteRoot();
  ExpectRefused(hr::kCertEExpired, "root.json");
  // Not stuck: a fresh root helps, without registering again.
  site_.root.body.version = 3;
  site_.root.body.expires = later;
  site_.WriteRoot();
  site_.snapshot.body.expires = later;
  site_.PublishNext();
  EXPECT_EQ(client_->Refresh(cancel_).value().root_version, 3);
}

TEST_F(AttackTest, RolledBackTimestamp) {
  const std::string old = ReadText(site_.Metadata("timestamp.json"));
  site_.PublishNext();
  ASSERT_TRUE(client_->Refresh(cancel_).ok());
  before_ = ReadFolder(site_.options.metadata_dir);
  WriteText(site_.Metadata("timestamp.json"), old);
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuERedirectorIdSmaller);
  EXPECT_EQ(SubjectOf(status), "timestamp.json");
  ExpectAllUnchanged();
}

TEST_F(AttackTest, RolledBackSnapshot) {
  site_.PublishNext();
  ASSERT_TRUE(client_->Refresh(cancel_).ok());
  before_ = ReadFolder(site_.options.metadata_dir);
  site_.snapshot.body.version = 1;
  site_.timestamp.body.version = 3;
  site_.Write();
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuERedirectorIdSmaller);
  EXPECT_EQ(SubjectOf(status), "timestamp.json");
  ExpectAllUnchanged();
}

TEST_F(AttackTest, RolledBackTargets) {
  site_.PublishNext();
  ASSERT_TRUE(client_->Refresh(cancel_).ok());
  site_.targets.body.version = 1;
  site_.snapshot.body.version = 3;
  site_.timestamp.body.version = 3;
  site_.Write();
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuERedirectorIdSmaller);
  EXPECT_EQ(SubjectOf(status), "snapshot.json");
  EXPECT_EQ(client_->Trusted().value().targets_version, 2);
}

TEST_F(AttackTest, WrongKey) {
  ++site_.timestamp.body.version;
  WriteText(site_.Metadata("timestamp.json"),
            tuf::TestRepository::Signed(site_.timestamp, {site_.snapshot_key}));
  ExpectRefused(hr::kWuEMetadataBadSignature, "timestamp.json");
  ExpectAllUnchanged();
}

TEST_F(AttackTest, ThresholdNotMetByOneKeyUnderTwoIds) {
  site_.root.body.version = 2;
  site_.root.body.keys["alias"] = site_.timestamp_key.public_key();
  site_.root.body.roles["timestamp"].key_ids.push_back("alias");
  site_.root.body.roles["timestamp"].threshold = 2;
  site_.WriteRoot();
  site_.PublishNext();
  tuf::Metadata<tuf::Timestamp> twice = site_.timestamp;
  twice.signatures.push_back(twice.signatures.at(0));
  twice.signatures.back().key_id = "alias";
  WriteText(site_.Metadata("timestamp.json"), tuf::Serialize(twice).value());
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataBadSignature) << status;
  EXPECT_EQ(SubjectOf(status), "timestamp.json");
}

TEST_F(AttackTest, RootNotSignedByTheOldOne) {
  const tuf::PrivateKey stranger =
      tuf::PrivateKey::Generate(tuf::kEd25519).value();
  site_.root.body.version = 2;
  site_.SetKeys("root", {stranger});
  WriteText(site_.Metadata("2.root.json"),
            tuf::TestRepository::Signed(site_.root, {stranger}));
  ExpectRefused(hr::kWuEMetadataBadSignature, "root.json");
  ExpectAllUnchanged();
}

TEST_F(AttackTest, VersionOtherThanNamed) {
  site_.PublishNext();
  // A correctly signed snapshot of another version under the expected name.
  site_.timestamp.body.snapshot = tuf::MetaFile{};
  site_.timestamp.body.snapshot.version = 7;
  WriteText(
      site_.Metadata("timestamp.json"),
      tuf::TestRepository::Signed(site_.timestamp, {site_.timestamp_key}));
  WriteText(site_.Metadata("7.snapshot.json"), site_.snapshot_bytes);
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "snapshot.json");
}

TEST_F(AttackTest, TargetNameThatLeavesTheFolder) {
  site_.PublishNext();
  std::string text = site_.targets_bytes;
  text.replace(text.find(kCatalog), sizeof(kCatalog) - 1,
               "catalog/../../x.usc");
  WriteText(site_.Metadata("2.targets.json"), text);
  site_.snapshot.body.meta["targets.json"] = tuf::DescribeMetadata(2, text);
  site_.snapshot_bytes =
      tuf::TestRepository::Signed(site_.snapshot, {site_.snapshot_key});
  WriteText(site_.Metadata("2.snapshot.json"), site_.snapshot_bytes);
  site_.timestamp.body.snapshot =
      tuf::DescribeMetadata(2, site_.snapshot_bytes);
  WriteText(
      site_.Metadata("timestamp.json"),
      tuf::TestRepository::Signed(site_.timestamp, {site_.timestamp_key}));
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_EQ(SubjectOf(status), "targets.json");
  EXPECT_EQ(client_->Trusted().value().targets_version, 1);
}

TEST_F(AttackTest, FetchTargetRefusesNamesThatLeaveTheFolder) {
  TargetFile target = client_->Trusted().value().catalogs.at(0);
  for (const char* name : {"../metadata/timestamp.json", "/etc/passwd", ""}) {
    target.name = name;
    EXPECT_EQ(
        HResultOf(client_->FetchTarget(target, site_.folder / "x", cancel_)),
        hr::kEInvalidarg);
  }
}

TEST_F(AttackTest, WrongTargetContentLeavesNothing) {
  const TargetFile target = client_->Trusted().value().catalogs.at(0);
  const std::filesystem::path published =
      site_.site() / "targets/catalog" /
      (ToHex(target.sha256) + ".catalog.usc");
  const std::filesystem::path place = site_.folder / "fetched/catalog";
  WriteText(place, "what was there before");
  for (const char* content :
       {"first catalof", "first", "first catalog and more"}) {
    WriteText(published, content);
    const absl::Status status = client_->FetchTarget(target, place, cancel_);
    EXPECT_EQ(HResultOf(status), hr::kWuEDmIncorrectfilehash) << content;
    EXPECT_EQ(SubjectOf(status), kCatalog);
    EXPECT_EQ(ReadText(place), "what was there before");
    EXPECT_EQ(ReadFolder(place.parent_path()).size(), 1U);
  }
}

TEST_F(AttackTest, OversizeMetadata) {
  site_.options.max_timestamp_bytes = 100;
  client_ = Repository::Open(site_.options).value();
  site_.PublishNext();
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "timestamp.json");
  site_.options.max_timestamp_bytes = int64_t{16} * 1024;
  site_.options.max_snapshot_bytes = 100;
  client_ = Repository::Open(site_.options).value();
  ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, "2.snapshot.json");
}

TEST_F(AttackTest, OversizeCatalog) {
  site_.options.max_catalog_bytes = 5;
  client_ = Repository::Open(site_.options).value();
  site_.PublishNext();
  const absl::Status status = client_->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_EQ(SubjectOf(status), "targets.json");
  EXPECT_EQ(ReadText(site_.options.metadata_dir / "targets.json"),
            before_.at("targets.json"));
}

// A sparse file of a terabyte stands for data without end: a client that read
// it would not come back.
TEST_F(AttackTest, EndlessData) {
  const TestServer server(site_.site());
  for (const std::string& base : {site_.options.url, server.url()}) {
    site_.options.url = base;
    client_ = Repository::Open(site_.options).value();
    for (const char* name : {"timestamp.json", "2.root.json"}) {
      const std::filesystem::path file = site_.Metadata(name);
      WriteText(file, "");
      std::filesystem::resize_file(file, uint64_t{1} << 40);
      ExpectRefused(hr::kWuEMetadataSignatureVerifyFailed, name);
      ExpectAllUnchanged();
      std::filesystem::remove(file);
    }
    site_.Write();
  }
}

TEST_F(AttackTest, StolenOnlineKeysAreRecoveredFrom) {
  site_.timestamp.body.version = 99999;
  site_.snapshot.body.version = 99999;
  site_.Write();
  ASSERT_TRUE(client_->Refresh(cancel_).ok());
  // The publisher gives snapshot a new key; timestamp keeps its own.
  site_.snapshot_key = tuf::PrivateKey::Generate(tuf::kEd25519).value();
  site_.SetKeys("snapshot", {site_.snapshot_key});
  site_.root.body.version = 2;
  site_.WriteRoot();
  site_.timestamp.body.version = 3;
  site_.snapshot.body.version = 3;
  site_.Write();
  EXPECT_EQ(client_->Refresh(cancel_).value().snapshot_version, 3);
}

TEST_F(AttackTest, DamagedCacheIsFetchedAgain) {
  for (const char* name : {"timestamp.json", "snapshot.json", "targets.json"}) {
    for (const std::string& content : {std::string("{"), std::string()}) {
      WriteText(site_.options.metadata_dir / name, content);
      const auto reopened = Repository::Open(site_.options);
      ASSERT_TRUE(reopened.ok());
      EXPECT_TRUE((*reopened)->Refresh(cancel_).ok());
      ExpectAllUnchanged();
    }
    std::filesystem::remove(site_.options.metadata_dir / name);
    EXPECT_TRUE(client_->Refresh(cancel_).ok());
    ExpectAllUnchanged();
  }
}

TEST_F(AttackTest, RevokedTargetsKeyEndsTrustInCachedTargets) {
  site_.targets_key = tuf::PrivateKey::Generate(tuf::kEd25519).value();
  site_.SetKeys("targets", {site_.targets_key});
  site_.root.body.version = 2;
  site_.WriteRoot();
  std::filesystem::remove(site_.Metadata("timestamp.json"));
  EXPECT_FALSE(client_->Refresh(cancel_).ok());
  EXPECT_EQ(HResultOf(client_->Trusted().status()), hr::kWuEDsDatanotavailable);
  site_.PublishNext();
  EXPECT_EQ(client_->Refresh(cancel_).value().targets_version, 2);
}

}  // namespace
}  // namespace usher::repository
