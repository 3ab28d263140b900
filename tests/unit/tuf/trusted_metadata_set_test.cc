#include "common/tuf/trusted_metadata_set.h"

#include <string>

#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/tuf/test_repository.h"

namespace usher::tuf {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TrustedMetadataSetTest : public ::testing::Test {
 protected:
  TrustedMetadataSetTest() { repository_.Publish(); }

  TrustedMetadataSet NewSet() {
    return TrustedMetadataSet::Create(repository_.RootBytes(), repository_.now)
        .value();
  }

  // A set that has got as far as the named step.
  TrustedMetadataSet SetAfterRoot() {
    TrustedMetadataSet set = NewSet();
    EXPECT_TRUE(set.FinishRoot().ok());
    return set;
  }
  TrustedMetadataSet SetAfterTimestamp() {
    TrustedMetadataSet set = SetAfterRoot();
    EXPECT_TRUE(set.UpdateTimestamp(repository_.timestamp_bytes).ok());
    return set;
  }
  TrustedMetadataSet SetAfterSnapshot() {
    TrustedMetadataSet set = SetAfterTimestamp();
    EXPECT_TRUE(set.UpdateSnapshot(repository_.snapshot_bytes).ok());
    return set;
  }

  TestRepository repository_;
};

TEST_F(TrustedMetadataSetTest, TakesAChain) {
  TrustedMetadataSet set = SetAfterSnapshot();
  EXPECT_TRUE(set.UpdateTargets(repository_.targets_bytes).ok());
  EXPECT_EQ(set.timestamp()->version, 1);
  EXPECT_EQ(set.snapshot()->version, 1);
  EXPECT_EQ(set.targets()->version, 1);
}

TEST_F(TrustedMetadataSetTest, EnforcesTheOrder) {
  TrustedMetadataSet set = NewSet();
  EXPECT_EQ(
      HResultOf(set.UpdateTimestamp(repository_.timestamp_bytes).status()),
      hr::kEUnexpected);
  EXPECT_EQ(HResultOf(set.LoadCachedTimestamp(repository_.timestamp_bytes)),
            hr::kEUnexpected);
  ASSERT_TRUE(set.FinishRoot().ok());
  EXPECT_EQ(HResultOf(set.UpdateRoot(repository_.RootBytes())),
            hr::kEUnexpected);
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(repository_.snapshot_bytes)),
            hr::kEUnexpected);
  ASSERT_TRUE(set.UpdateTimestamp(repository_.timestamp_bytes).ok());
  EXPECT_EQ(
      HResultOf(set.UpdateTimestamp(repository_.timestamp_bytes).status()),
      hr::kEUnexpected);
  EXPECT_EQ(HResultOf(set.UpdateTargets(repository_.targets_bytes)),
            hr::kEUnexpected);
  ASSERT_TRUE(set.UpdateSnapshot(repository_.snapshot_bytes).ok());
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(repository_.snapshot_bytes)),
            hr::kEUnexpected);
  ASSERT_TRUE(set.UpdateTargets(repository_.targets_bytes).ok());
  EXPECT_EQ(HResultOf(set.UpdateTargets(repository_.targets_bytes)),
            hr::kEUnexpected);
}

TEST_F(TrustedMetadataSetTest, FirstRootMustSignItself) {
  const std::string bytes =
      TestRepository::Signed(repository_.root, {repository_.targets_key});
  const absl::Status status =
      TrustedMetadataSet::Create(bytes, repository_.now).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataBadSignature);
  EXPECT_EQ(SubjectOf(status), "root.json");
}

TEST_F(TrustedMetadataSetTest, ErrorsNameTheFileAndTheReason) {
  repository_.now = repository_.timestamp.body.expires;
  repository_.root.body.expires = repository_.now + absl::Hours(1);
  TrustedMetadataSet set = SetAfterRoot();
  const absl::Status status =
      set.UpdateTimestamp(repository_.timestamp_bytes).status();
  EXPECT_EQ(HResultOf(status), hr::kCertEExpired);
  EXPECT_EQ(SubjectOf(status), "timestamp.json");
  EXPECT_THAT(std::string(status.message()),
              StartsWith("timestamp.json: expired at 2030-01-31T00:00:00Z"));
  EXPECT_EQ(set.timestamp(), nullptr);
}

TEST_F(TrustedMetadataSetTest, RootsNeedOldAndNewThreshold) {
  const PrivateKey next_key = PrivateKey::Generate(kEcdsaP256).value();
  TrustedMetadataSet set = NewSet();
  repository_.root.body.version = 2;
  repository_.SetKeys("root", {next_key});
  EXPECT_EQ(HResultOf(set.UpdateRoot(
                TestRepository::Signed(repository_.root, {next_key}))),
            hr::kWuEMetadataBadSignature);
  EXPECT_EQ(HResultOf(set.UpdateRoot(TestRepository::Signed(
                repository_.root, {repository_.root_key}))),
            hr::kWuEMetadataBadSignature);
  EXPECT_EQ(set.root().version, 1);
  EXPECT_TRUE(
      set.UpdateRoot(TestRepository::Signed(repository_.root,
                                            {repository_.root_key, next_key}))
          .ok());
  EXPECT_EQ(set.root().version, 2);
  EXPECT_FALSE(set.online_keys_rotated());
}

TEST_F(TrustedMetadataSetTest, RootsComeOneVersionAtATime) {
  TrustedMetadataSet set = NewSet();
  EXPECT_EQ(HResultOf(set.UpdateRoot(repository_.RootBytes())),
            hr::kWuERedirectorIdSmaller);
  repository_.root.body.version = 3;
  EXPECT_EQ(HResultOf(set.UpdateRoot(repository_.RootBytes())),
            hr::kWuEMetadataSignatureVerifyFailed);
  repository_.root.body.version = 2;
  EXPECT_TRUE(set.UpdateRoot(repository_.RootBytes()).ok());
}

TEST_F(TrustedMetadataSetTest, OnlyTheLastRootMustBeFresh) {
  repository_.root.body.expires = repository_.now;
  TrustedMetadataSet set = NewSet();
  EXPECT_EQ(HResultOf(set.FinishRoot()), hr::kCertEExpired);
  repository_.root.body.version = 2;
  repository_.root.body.expires = repository_.now + absl::Seconds(1);
  ASSERT_TRUE(set.UpdateRoot(repository_.RootBytes()).ok());
  EXPECT_TRUE(set.FinishRoot().ok());
}

TEST_F(TrustedMetadataSetTest, NoticesRotationOfOnlineKeys) {
  TrustedMetadataSet set = NewSet();
  repository_.root.body.version = 2;
  repository_.SetKeys("snapshot", {repository_.targets_key});
  ASSERT_TRUE(set.UpdateRoot(repository_.RootBytes()).ok());
  EXPECT_TRUE(set.online_keys_rotated());
}

TEST_F(TrustedMetadataSetTest, TimestampOfTheSameVersionChangesNothing) {
  TrustedMetadataSet set = SetAfterRoot();
  ASSERT_TRUE(set.LoadCachedTimestamp(repository_.timestamp_bytes).ok());
  repository_.timestamp.body.snapshot.version = 100;
  const std::string same_version = TestRepository::Signed(
      repository_.timestamp, {repository_.timestamp_key});
  EXPECT_FALSE(set.UpdateTimestamp(same_version).value());
  EXPECT_EQ(set.timestamp()->snapshot.version, 1);
}

TEST_F(TrustedMetadataSetTest, ExpiredCachedTimestampOnlyDetectsRollback) {
  repository_.timestamp.body.version = 5;
  repository_.timestamp.body.expires = repository_.now - absl::Hours(1);
  repository_.Publish();
  const std::string cached = repository_.timestamp_bytes;
  {
    TrustedMetadataSet set = SetAfterRoot();
    ASSERT_TRUE(set.LoadCachedTimestamp(cached).ok());
    EXPECT_EQ(HResultOf(set.UpdateTimestamp(cached).status()),
              hr::kCertEExpired);
  }
  repository_.timestamp.body.expires = repository_.now + absl::Hours(1);
  repository_.timestamp.body.version = 4;
  repository_.Publish();
  TrustedMetadataSet set = SetAfterRoot();
  ASSERT_TRUE(set.LoadCachedTimestamp(cached).ok());
  EXPECT_EQ(
      HResultOf(set.UpdateTimestamp(repository_.timestamp_bytes).status()),
      hr::kWuERedirectorIdSmaller);
  EXPECT_EQ(set.timestamp()->version, 5);
  repository_.timestamp.body.version = 6;
  repository_.Publish();
  EXPECT_TRUE(set.UpdateTimestamp(repository_.timestamp_bytes).value());
}

TEST_F(TrustedMetadataSetTest, TimestampMayNotNameAnOlderSnapshot) {
  repository_.snapshot.body.version = 2;
  repository_.Publish();
  TrustedMetadataSet set = SetAfterRoot();
  ASSERT_TRUE(set.LoadCachedTimestamp(repository_.timestamp_bytes).ok());
  repository_.snapshot.body.version = 1;
  repository_.timestamp.body.version = 2;
  repository_.Publish();
  EXPECT_EQ(
      HResultOf(set.UpdateTimestamp(repository_.timestamp_bytes).status()),
      hr::kWuERedirectorIdSmaller);
}

TEST_F(TrustedMetadataSetTest, SnapshotMustBeWhatTheTimestampNames) {
  TrustedMetadataSet set = SetAfterTimestamp();
  std::string flipped = repository_.snapshot_bytes;
  flipped[flipped.size() / 2] ^= 1;
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(flipped)),
            hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(repository_.snapshot_bytes + " ")),
            hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_EQ(set.snapshot(), nullptr);
  EXPECT_TRUE(set.UpdateSnapshot(repository_.snapshot_bytes).ok());
}

TEST_F(TrustedMetadataSetTest, VersionsCountWithoutHashes) {
  repository_.timestamp.body.snapshot = MetaFile{};
  repository_.timestamp.body.snapshot.version = 2;
  TrustedMetadataSet set = SetAfterRoot();
  ASSERT_TRUE(
      set.UpdateTimestamp(TestRepository::Signed(repository_.timestamp,
                                                 {repository_.timestamp_key}))
          .ok());
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(repository_.snapshot_bytes)),
            hr::kWuEMetadataSignatureVerifyFailed);
  repository_.snapshot.body.version = 2;
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(TestRepository::Signed(
                repository_.snapshot, {repository_.targets_key}))),
            hr::kWuEMetadataBadSignature);
  EXPECT_TRUE(
      set.UpdateSnapshot(TestRepository::Signed(repository_.snapshot,
                                                {repository_.snapshot_key}))
          .ok());
}

TEST_F(TrustedMetadataSetTest, CachedSnapshotIsEnoughWhenCurrent) {
  TrustedMetadataSet set = SetAfterTimestamp();
  EXPECT_TRUE(set.LoadCachedSnapshot(repository_.snapshot_bytes).value());
  EXPECT_TRUE(set.UpdateTargets(repository_.targets_bytes).ok());
}

TEST_F(TrustedMetadataSetTest, CachedSnapshotDetectsRolledBackTargets) {
  repository_.targets.body.version = 5;
  repository_.Publish();
  const std::string cached = repository_.snapshot_bytes;
  repository_.targets.body.version = 4;
  repository_.snapshot.body.version = 2;
  repository_.Publish();
  TrustedMetadataSet set = SetAfterTimestamp();
  EXPECT_FALSE(set.LoadCachedSnapshot(cached).value());
  EXPECT_EQ(set.targets_meta(), nullptr);
  const absl::Status status = set.UpdateSnapshot(repository_.snapshot_bytes);
  EXPECT_EQ(HResultOf(status), hr::kWuERedirectorIdSmaller);
  EXPECT_THAT(std::string(status.message()), HasSubstr("targets.json"));
}

TEST_F(TrustedMetadataSetTest, CachedSnapshotDetectsDroppedRoles) {
  repository_.snapshot.body.meta["vendor.json"].version = 1;
  repository_.Publish();
  const std::string cached = repository_.snapshot_bytes;
  repository_.snapshot.body.meta.erase("vendor.json");
  repository_.snapshot.body.version = 2;
  repository_.Publish();
  TrustedMetadataSet set = SetAfterTimestamp();
  ASSERT_FALSE(set.LoadCachedSnapshot(cached).value());
  EXPECT_EQ(HResultOf(set.UpdateSnapshot(repository_.snapshot_bytes)),
            hr::kWuERedirectorIdSmaller);
}

TEST_F(TrustedMetadataSetTest, ExpiredSnapshotAndTargetsAreRefused) {
  repository_.snapshot.body.expires = repository_.now;
  repository_.Publish();
  {
    TrustedMetadataSet set = SetAfterTimestamp();
    EXPECT_FALSE(set.LoadCachedSnapshot(repository_.snapshot_bytes).value());
    EXPECT_EQ(HResultOf(set.UpdateSnapshot(repository_.snapshot_bytes)),
              hr::kCertEExpired);
  }
  repository_.snapshot.body.expires = repository_.now + absl::Hours(1);
  repository_.targets.body.expires = repository_.now;
  repository_.Publish();
  TrustedMetadataSet set = SetAfterSnapshot();
  EXPECT_EQ(HResultOf(set.UpdateTargets(repository_.targets_bytes)),
            hr::kCertEExpired);
  EXPECT_EQ(set.targets(), nullptr);
}

TEST_F(TrustedMetadataSetTest, SnapshotWithoutTargetsIsRefused) {
  repository_.snapshot.body.meta.clear();
  repository_.snapshot_bytes =
      TestRepository::Signed(repository_.snapshot, {repository_.snapshot_key});
  repository_.timestamp.body.snapshot =
      DescribeMetadata(1, repository_.snapshot_bytes);
  repository_.timestamp_bytes = TestRepository::Signed(
      repository_.timestamp, {repository_.timestamp_key});
  TrustedMetadataSet set = SetAfterSnapshot();
  EXPECT_EQ(HResultOf(set.UpdateTargets(repository_.targets_bytes)),
            hr::kWuEMetadataSignatureVerifyFailed);
}

TEST_F(TrustedMetadataSetTest, OneDocumentIsNotAnother) {
  TrustedMetadataSet set = SetAfterRoot();
  EXPECT_EQ(HResultOf(set.UpdateTimestamp(repository_.snapshot_bytes).status()),
            hr::kWuEMetadataSignatureVerifyFailed);
}

}  // namespace
}  // namespace usher::tuf
