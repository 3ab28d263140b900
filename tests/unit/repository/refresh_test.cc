#include <filesystem>
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

using ::testing::HasSubstr;

// Each test reads the folder itself, and the same through a web server.
class RefreshTest : public ::testing::TestWithParam<bool> {
 protected:
  RefreshTest() {
    if (GetParam()) {
      server_ = std::make_unique<TestServer>(site_.site());
      site_.options.url = server_->url();
    }
  }

  // One that has refreshed, and then another that goes on from there, for whom
  // the roots are recent.
  std::unique_ptr<Repository> RefreshedClient() {
    if (!site_.NewClient()->Refresh(cancel_).ok()) return nullptr;
    site_.options.roots_are_recent = true;
    return Repository::Open(site_.options).value();
  }

  TestSite site_;
  std::unique_ptr<TestServer> server_;
  CancellationToken cancel_;
};

INSTANTIATE_TEST_SUITE_P(Places, RefreshTest, ::testing::Bool(),
                         [](const auto& place) {
                           return place.param ? "Http" : "File";
                         });

TEST_P(RefreshTest, FollowsTheChainAndFetchesTheCatalog) {
  const auto client = site_.NewClient();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_TRUE(outcome.changed);
  EXPECT_TRUE(outcome.roots_followed);
  EXPECT_EQ(outcome.root_version, 1);
  EXPECT_EQ(outcome.timestamp_version, 1);
  EXPECT_EQ(outcome.snapshot_version, 1);
  EXPECT_EQ(outcome.targets_version, 1);
  EXPECT_EQ(outcome.root_expires, site_.root.body.expires);
  EXPECT_EQ(outcome.requests, 4);  // 2.root, timestamp, snapshot, targets
  EXPECT_EQ(outcome.bytes, static_cast<int64_t>(site_.timestamp_bytes.size() +
                                                site_.snapshot_bytes.size() +
                                                site_.targets_bytes.size()));
  ASSERT_EQ(outcome.catalogs.size(), 1U);
  EXPECT_EQ(outcome.catalogs[0].name, kCatalog);

  const std::filesystem::path file = site_.folder / "fetched";
  ASSERT_TRUE(client->FetchTarget(outcome.catalogs[0], file, cancel_).ok());
  EXPECT_EQ(ReadText(file), "first catalog");
}

TEST_P(RefreshTest, NothingNewIsTheNextRootAndTheTimestamp) {
  const auto client = site_.NewClient();
  ASSERT_TRUE(client->Refresh(cancel_).ok());
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_FALSE(outcome.changed);
  EXPECT_EQ(outcome.requests, 2);
  EXPECT_EQ(outcome.bytes, static_cast<int64_t>(site_.timestamp_bytes.size()));
  EXPECT_EQ(outcome.catalogs.size(), 1U);
}

TEST_P(RefreshTest, NothingNewIsTheTimestampAloneWhereRootsAreRecent) {
  const auto client = RefreshedClient();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_FALSE(outcome.changed);
  EXPECT_FALSE(outcome.roots_followed);
  EXPECT_EQ(outcome.requests, 1);
  EXPECT_EQ(outcome.bytes, static_cast<int64_t>(site_.timestamp_bytes.size()));
  EXPECT_EQ(outcome.timestamp_version, 1);
  EXPECT_EQ(outcome.catalogs.size(), 1U);
}

TEST_P(RefreshTest, AnotherTimestampBeginsWithTheRoots) {
  const auto client = RefreshedClient();
  const tuf::PrivateKey next_key =
      tuf::PrivateKey::Generate(tuf::kEd25519).value();
  site_.root.body.version = 2;
  site_.SetKeys("timestamp", {next_key});
  site_.WriteRoot();
  site_.timestamp_key = next_key;
  site_.PublishNext();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_TRUE(outcome.changed);
  EXPECT_TRUE(outcome.roots_followed);
  EXPECT_EQ(outcome.root_version, 2);
  EXPECT_EQ(outcome.timestamp_version, 2);
  // timestamp; 2.root, 3.root, timestamp, snapshot, targets
  EXPECT_EQ(outcome.requests, 6);
}

TEST_P(RefreshTest, RecentRootsExcuseNoRollback) {
  const std::string old = site_.timestamp_bytes;
  site_.PublishNext();
  const auto client = RefreshedClient();
  WriteText(site_.Metadata("timestamp.json"), old);
  EXPECT_EQ(HResultOf(client->Refresh(cancel_).status()),
            hr::kWuERedirectorIdSmaller);
  EXPECT_EQ(ReadText(site_.options.metadata_dir / "timestamp.json"),
            site_.timestamp_bytes);
}

TEST_P(RefreshTest, RecentRootsExcuseNoExpiry) {
  const auto client = RefreshedClient();
  // As if it had been trusted until a moment ago.
  site_.timestamp.body.expires = absl::FromUnixSeconds(1'600'000'000);
  site_.Write();
  WriteText(site_.options.metadata_dir / "timestamp.json",
            site_.timestamp_bytes);
  const absl::Status status = client->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kCertEExpired);
  EXPECT_EQ(SubjectOf(status), "timestamp.json");
}

TEST_P(RefreshTest, RecentRootsLeaveNothingDamaged) {
  const auto client = RefreshedClient();
  WriteText(site_.options.metadata_dir / "snapshot.json", "{");
  std::filesystem::remove(site_.options.metadata_dir / "targets.json");
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(outcome.requests, 3);  // timestamp, snapshot, targets
  // Without a timestamp there is nothing to compare with.
  std::filesystem::remove(site_.options.metadata_dir / "timestamp.json");
  EXPECT_TRUE(client->Refresh(cancel_).value().roots_followed);
}

TEST_P(RefreshTest, RecentRootsHideNoRootBehindABadTimestamp) {
  const auto client = RefreshedClient();
  site_.root.body.version = 2;
  site_.WriteRoot();
  const std::filesystem::path file = site_.Metadata("timestamp.json");
  std::filesystem::remove(file);
  EXPECT_FALSE(client->Refresh(cancel_).ok());
  EXPECT_EQ(client->Trusted().value().root_version, 2);
  site_.root.body.version = 3;
  site_.WriteRoot();
  WriteText(file, std::string(100'000, ' '));
  EXPECT_FALSE(client->Refresh(cancel_).ok());
  EXPECT_EQ(client->Trusted().value().root_version, 3);
}

TEST_P(RefreshTest, RecentRootsExcuseNoExpiredRoot) {
  const auto client = RefreshedClient();
  // As if it had been trusted until a moment ago; and there is a next one.
  site_.root.body.expires = absl::FromUnixSeconds(1'600'000'000);
  WriteText(site_.options.metadata_dir / "root.json", site_.RootBytes());
  EXPECT_EQ(HResultOf(client->Refresh(cancel_).status()), hr::kCertEExpired);
  site_.root.body.expires = site_.targets.body.expires;
  site_.root.body.version = 2;
  site_.WriteRoot();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_TRUE(outcome.roots_followed);
  EXPECT_EQ(outcome.root_version, 2);
}

// What the timestamp names is asked for again until it can be had.
TEST_P(RefreshTest, RecentRootsExcuseNoExpiredSnapshot) {
  site_.snapshot.body.expires = absl::FromUnixSeconds(1'600'000'000);
  site_.PublishNext();
  const auto client = site_.NewClient();
  EXPECT_EQ(HResultOf(client->Refresh(cancel_).status()), hr::kCertEExpired);
  site_.options.roots_are_recent = true;
  const auto again = Repository::Open(site_.options).value();
  const absl::Status status = again->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status), hr::kCertEExpired);
  EXPECT_EQ(SubjectOf(status), "snapshot.json");
}

TEST_P(RefreshTest, TakesWhatIsNew) {
  const auto client = site_.NewClient();
  ASSERT_TRUE(client->Refresh(cancel_).ok());
  site_.SetCatalog("second catalog");
  site_.targets.body.targets["readme.txt"] =
      site_.targets.body.targets[kCatalog];
  site_.PublishNext();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(outcome.targets_version, 2);
  ASSERT_EQ(outcome.catalogs.size(), 1U) << "readme.txt is no catalog";
  EXPECT_EQ(outcome.catalogs[0].sha256, Sha256Of("second catalog"));
}

TEST_P(RefreshTest, TrustedNeedsNoNetwork) {
  const auto client = site_.NewClient();
  EXPECT_EQ(HResultOf(client->Trusted().status()), hr::kWuEDsDatanotavailable);
  ASSERT_TRUE(client->Refresh(cancel_).ok());
  std::filesystem::remove_all(site_.site());
  const auto later = Repository::Open(site_.options).value();
  const RefreshOutcome outcome = later->Trusted().value();
  EXPECT_EQ(outcome.root_version, 1);
  EXPECT_EQ(outcome.timestamp_version, 1);
  EXPECT_EQ(outcome.snapshot_version, 1);
  EXPECT_EQ(outcome.targets_version, 1);
  ASSERT_EQ(outcome.catalogs.size(), 1U);
  EXPECT_EQ(outcome.requests, 0);
  EXPECT_FALSE(outcome.changed);
}

TEST_P(RefreshTest, FollowsRootsOneByOne) {
  const auto client = site_.NewClient();
  const tuf::PrivateKey second =
      tuf::PrivateKey::Generate(tuf::kEcdsaP256).value();
  const tuf::PrivateKey third =
      tuf::PrivateKey::Generate(tuf::kEd25519).value();
  site_.root.body.version = 2;
  site_.SetKeys("root", {second, third}, 2);
  WriteText(
      site_.Metadata("2.root.json"),
      tuf::TestRepository::Signed(site_.root, {site_.root_key, second, third}));
  site_.root.body.version = 3;
  site_.SetKeys("root", {third});
  WriteText(site_.Metadata("3.root.json"),
            tuf::TestRepository::Signed(site_.root, {second, third}));
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_EQ(outcome.root_version, 3);
  EXPECT_EQ(ReadText(site_.folder / "client/root.json"),
            ReadText(site_.Metadata("3.root.json")));
}

TEST_P(RefreshTest, StopsAtTheLimitOfRoots) {
  site_.options.max_root_rotations = 2;
  for (site_.root.body.version = 2; site_.root.body.version <= 6;
       ++site_.root.body.version) {
    site_.WriteRoot();
  }
  const auto client = site_.NewClient();
  RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_EQ(outcome.root_version, 3);
  EXPECT_FALSE(outcome.roots_followed) << "there may be more";
  outcome = client->Refresh(cancel_).value();
  EXPECT_EQ(outcome.root_version, 5);
}

TEST_P(RefreshTest, ReadsRepositoriesWithoutConsistentSnapshots) {
  site_.root.body.consistent_snapshot = false;
  site_.WriteRoot();
  std::filesystem::rename(site_.Metadata("1.snapshot.json"),
                          site_.Metadata("snapshot.json"));
  std::filesystem::rename(site_.Metadata("1.targets.json"),
                          site_.Metadata("targets.json"));
  WriteText(site_.site() / "targets" / kCatalog, "first catalog");
  const auto client = site_.NewClient();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  const std::filesystem::path file = site_.folder / "fetched";
  EXPECT_TRUE(client->FetchTarget(outcome.catalogs.at(0), file, cancel_).ok());
}

TEST_P(RefreshTest, CancelledRefreshSaysSo) {
  const auto client = site_.NewClient();
  cancel_.Cancel();
  EXPECT_EQ(HResultOf(client->Refresh(cancel_).status()),
            hr::kWuECallCancelled);
}

TEST_P(RefreshTest, MissingFilesAreNamed) {
  const auto client = site_.NewClient();
  std::filesystem::remove(site_.Metadata("1.snapshot.json"));
  const absl::Status status = client->Refresh(cancel_).status();
  EXPECT_EQ(HResultOf(status),
            GetParam() ? hr::kWuEPtHttpStatusNotFound : hr::kErrorFileNotFound);
  EXPECT_EQ(SubjectOf(status), "1.snapshot.json");
}

TEST(InitializeTest, TakesOneRootOnce) {
  TestSite site;
  const std::string first = ReadText(site.Metadata("1.root.json"));
  ASSERT_TRUE(Repository::Initialize(site.options, first).ok());
  EXPECT_EQ(HResultOf(Repository::Initialize(site.options, first)),
            hr::kWuEDsRowexists);
}

TEST(InitializeTest, RefusesARootThatIsNotSigned) {
  TestSite site;
  const std::string unsigned_root =
      tuf::TestRepository::Signed(site.root, {site.targets_key});
  EXPECT_EQ(HResultOf(Repository::Initialize(site.options, unsigned_root)),
            hr::kWuEMetadataBadSignature);
  EXPECT_EQ(HResultOf(Repository::Initialize(site.options, "{}")),
            hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_EQ(HResultOf(Repository::Initialize(site.options,
                                             std::string(1 << 20, ' '))),
            hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_FALSE(std::filesystem::exists(site.options.metadata_dir));
  EXPECT_EQ(HResultOf(Repository::Open(site.options).status()),
            hr::kErrorFileNotFound);
}

TEST(InitializeTest, OpenRefusesADamagedRootAndABadUrl) {
  TestSite site;
  ASSERT_NE(site.NewClient(), nullptr);
  RepositoryOptions bad_url = site.options;
  bad_url.url = "ftp://example.com/";
  EXPECT_EQ(HResultOf(Repository::Open(bad_url).status()), hr::kEInvalidarg);
  WriteText(site.options.metadata_dir / "root.json", "{");
  const absl::Status status = Repository::Open(site.options).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_THAT(std::string(status.message()), HasSubstr("register"));
}

}  // namespace
}  // namespace usher::repository
