// A repository that leaves catalogs to other publishers.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/repository/repository.h"
#include "tests/unit/repository/test_site.h"

namespace usher::repository {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Vendor {
  std::string name;
  tuf::PrivateKey key = tuf::PrivateKey::Generate(tuf::kEd25519).value();
  tuf::Metadata<tuf::Targets> targets;
};

class DelegatedCatalogsTest : public ::testing::Test {
 protected:
  DelegatedCatalogsTest() {
    for (Vendor* vendor : {&acme_, &bolt_}) {
      vendor->targets.body.expires = site_.root.body.expires;
      Delegate(site_.targets.body, *vendor,
               {absl::StrCat("catalog/", vendor->name, "/*")});
      AddCatalog(*vendor, absl::StrCat("catalog/", vendor->name, "/a.usc"));
    }
    Publish();
    client_ = site_.NewClient();
  }

  static void Delegate(tuf::Targets& from, const Vendor& vendor,
                       std::vector<std::string> paths) {
    if (!from.delegations.has_value()) {
      from.delegations.emplace().roles.emplace();
    }
    from.delegations->keys[vendor.key.key_id()] = vendor.key.public_key();
    tuf::DelegatedRole& role = from.delegations->roles->emplace_back();
    role.name = vendor.name;
    role.role.key_ids = {vendor.key.key_id()};
    role.paths = std::move(paths);
  }

  static void AddCatalog(Vendor& vendor, const std::string& name) {
    tuf::TargetInfo& info = vendor.targets.body.targets[name];
    info.length = 1;
    info.hashes["sha256"] = ToHex(Sha256Of(vendor.name + name));
  }

  // Signs and serves all; the vendors' versions as they are.
  void Publish() {
    for (Vendor* vendor : {&acme_, &bolt_}) {
      const std::string bytes =
          tuf::TestRepository::Signed(vendor->targets, {vendor->key});
      const std::string file = vendor->name + ".json";
      site_.snapshot.body.meta[file] =
          tuf::DescribeMetadata(vendor->targets.body.version, bytes);
      WriteText(
          site_.Metadata(absl::StrCat(vendor->targets.body.version, ".", file)),
          bytes);
    }
    site_.PublishNext();
  }

  static std::vector<std::string> Names(const RefreshOutcome& outcome) {
    std::vector<std::string> names;
    for (const TargetFile& catalog : outcome.catalogs) {
      names.push_back(catalog.name);
    }
    return names;
  }

  TestSite site_;
  Vendor acme_{"acme"};
  Vendor bolt_{"bolt"};
  std::unique_ptr<Repository> client_;
  CancellationToken cancel_;
};

TEST_F(DelegatedCatalogsTest, AreFoundAndRefreshedOneByOne) {
  const RefreshOutcome first = client_->Refresh(cancel_).value();
  EXPECT_THAT(Names(first), ElementsAre(kCatalog, "catalog/acme/a.usc",
                                        "catalog/bolt/a.usc"));
  EXPECT_EQ(first.catalogs[0].role, "targets");
  EXPECT_EQ(first.catalogs[0].priority, 0);
  EXPECT_EQ(first.catalogs[1].role, "acme");
  EXPECT_EQ(first.catalogs[1].priority, 1);
  EXPECT_EQ(first.catalogs[2].role, "bolt");
  EXPECT_EQ(first.catalogs[2].priority, 2);
  EXPECT_THAT(first.problems, IsEmpty());
  EXPECT_EQ(first.requests, 6);
  EXPECT_EQ(Names(client_->Trusted().value()), Names(first));

  // One vendor publishes: of the delegated roles only its own is read.
  acme_.targets.body.version = 2;
  AddCatalog(acme_, "catalog/acme/b.usc");
  Publish();
  const RefreshOutcome second = client_->Refresh(cancel_).value();
  EXPECT_EQ(second.catalogs.size(), 4U);
  // 2.root, timestamp, snapshot, targets (PublishNext() raised it), acme.
  EXPECT_EQ(second.requests, 5);
  EXPECT_FALSE(std::filesystem::exists(site_.Metadata("2.bolt.json")));
}

TEST_F(DelegatedCatalogsTest, AVendorHasNoSayOutsideItsFolder) {
  AddCatalog(acme_, "catalog/bolt/a.usc");
  AddCatalog(acme_, "catalog/bolt/evil.usc");
  AddCatalog(acme_, kCatalog);
  Publish();
  const RefreshOutcome outcome = client_->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/acme/a.usc",
                                          "catalog/bolt/a.usc"));
  EXPECT_EQ(outcome.catalogs[2].sha256, Sha256Of("boltcatalog/bolt/a.usc"));
  EXPECT_EQ(outcome.catalogs[0].sha256, Sha256Of("first catalog"));
}

TEST_F(DelegatedCatalogsTest, OneVendorsLapseIsNotEverybodys) {
  ASSERT_TRUE(client_->Refresh(cancel_).ok());
  acme_.targets.body.version = 2;
  acme_.targets.body.expires = site_.root.body.expires - absl::Hours(48);
  Publish();
  const RefreshOutcome outcome = client_->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/bolt/a.usc"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].role, "acme");
  EXPECT_EQ(HResultOf(outcome.problems[0].status), hr::kCertEExpired);

  // A file that is not there is no failure of the others either.
  std::filesystem::remove(site_.Metadata("1.bolt.json"));
  std::filesystem::remove(site_.folder / "client/bolt.json");
  EXPECT_THAT(Names(client_->Refresh(cancel_).value()), ElementsAre(kCatalog));
}

TEST_F(DelegatedCatalogsTest, ABadCatalogIsItsVendorsProblem) {
  acme_.targets.body.targets["catalog/acme/a.usc"].length =
      site_.options.max_catalog_bytes + 1;
  bolt_.targets.body.targets["catalog/bolt/a.usc"].hashes = {
      {"sha512", std::string(128, 'a')}};
  Publish();
  const RefreshOutcome outcome = client_->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog));
  ASSERT_EQ(outcome.problems.size(), 2U);
  EXPECT_THAT(std::string(outcome.problems[0].status.message()),
              HasSubstr("acme.json: catalog/acme/a.usc has"));
  EXPECT_THAT(std::string(outcome.problems[1].status.message()),
              HasSubstr("bolt.json: no SHA-256 of catalog/bolt/a.usc"));
}

TEST_F(DelegatedCatalogsTest, RolesWithoutCatalogsAreNotAsked) {
  site_.targets.body.delegations->roles->at(0).paths = {"tools/*", "*.usc"};
  Publish();
  const RefreshOutcome outcome = client_->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/bolt/a.usc"));
  EXPECT_FALSE(std::filesystem::exists(site_.folder / "client/acme.json"));
}

TEST_F(DelegatedCatalogsTest, RolesAreLimited) {
  site_.options.max_roles = 2;
  const auto client = Repository::Open(site_.options).value();
  const auto outcome = client->Refresh(cancel_);
  EXPECT_EQ(HResultOf(outcome.status()), hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_THAT(std::string(outcome.status().message()),
              HasSubstr("more than 2 roles"));
}

TEST_F(DelegatedCatalogsTest, WhoHasTooManyRolesIsLeftOutAlone) {
  site_.options.max_roles = 6;
  acme_.targets.body.delegations.emplace().roles.emplace();
  for (int i = 0; i < 4; ++i) {
    tuf::DelegatedRole& role =
        acme_.targets.body.delegations->roles->emplace_back();
    role.name = absl::StrCat("acme-", i);
    role.role.key_ids = {acme_.key.key_id()};
    role.paths = {{"catalog/acme/*"}};
  }
  acme_.targets.body.delegations->keys[acme_.key.key_id()] =
      acme_.key.public_key();
  Publish();
  const auto client = Repository::Open(site_.options).value();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/bolt/a.usc"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].role, "acme");
  EXPECT_THAT(std::string(outcome.problems[0].status.message()),
              HasSubstr("more than 6 roles"));
}

TEST_F(DelegatedCatalogsTest, NamesOfOthersUseUpNobodysRoom) {
  site_.options.max_catalogs = 3;
  for (int i = 0; i < 10; ++i) {
    AddCatalog(acme_, absl::StrCat("catalog/zzz/", i, ".usc"));
  }
  Publish();
  const auto client = Repository::Open(site_.options).value();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/acme/a.usc",
                                          "catalog/bolt/a.usc"));
  EXPECT_THAT(outcome.problems, IsEmpty());
}

TEST_F(DelegatedCatalogsTest, OnePublishersCatalogsAreLimited) {
  site_.options.max_catalogs_of_role = 2;
  for (const char* name : {"b", "c"}) {
    AddCatalog(acme_, absl::StrCat("catalog/acme/", name, ".usc"));
  }
  Publish();
  const auto client = Repository::Open(site_.options).value();
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/bolt/a.usc"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(std::string(outcome.problems[0].status.message()),
              HasSubstr("acme.json: more than 2 catalogs"));
}

TEST_F(DelegatedCatalogsTest, CatalogsAreLimited) {
  site_.options.max_catalogs = 3;
  AddCatalog(acme_, "catalog/acme/b.usc");
  Publish();
  const auto client = Repository::Open(site_.options).value();
  // The one who goes beyond is left out, and its first catalog with it.
  const RefreshOutcome outcome = client->Refresh(cancel_).value();
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/acme/a.usc",
                                          "catalog/acme/b.usc"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].role, "bolt");
  EXPECT_THAT(std::string(outcome.problems[0].status.message()),
              HasSubstr("more than 3 catalogs"));
}

TEST_F(DelegatedCatalogsTest, ALargeRoleIsLeftOutAlone) {
  acme_.targets.body.unknown_fields =
      absl::StrCat(R"({"x":")", std::string(5000, 'x'), R"("})");
  Publish();
  site_.options.max_role_bytes = 4000;
  const auto expect_acme_left_out = [this] {
    const auto client = Repository::Open(site_.options).value();
    const RefreshOutcome outcome = client->Refresh(cancel_).value();
    EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/bolt/a.usc"));
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_EQ(outcome.problems[0].role, "acme");
    EXPECT_EQ(HResultOf(outcome.problems[0].status),
              hr::kWuEMetadataSignatureVerifyFailed);
    EXPECT_EQ(outcome.problems[0].status.message(),
              "acme.json: larger than the limit of 4000 bytes for a delegated "
              "role");
  };
  expect_acme_left_out();
  EXPECT_FALSE(std::filesystem::exists(site_.folder / "client/acme.json"));
  // Nor is one taken that was trusted under a higher limit, or of which the
  // snapshot tells no length.
  ASSERT_THAT(client_->Refresh(cancel_).value().problems, IsEmpty());
  expect_acme_left_out();
  site_.snapshot.body.meta["acme.json"].length.reset();
  site_.PublishNext();
  expect_acme_left_out();
  EXPECT_EQ(Repository::Open(site_.options)
                .value()
                ->Trusted()
                .value()
                .problems.size(),
            1U);
  // The top-level targets have a limit of their own.
  site_.targets.body.unknown_fields = acme_.targets.body.unknown_fields;
  site_.PublishNext();
  expect_acme_left_out();
}

TEST_F(DelegatedCatalogsTest, AllRolesTogetherAreLimited) {
  const auto size = [this](const char* role) {
    return static_cast<int64_t>(
        ReadText(site_.Metadata(absl::StrCat("1.", role, ".json"))).size());
  };
  site_.options.max_all_roles_bytes = size("acme") + size("bolt");
  {
    const auto client = Repository::Open(site_.options).value();
    EXPECT_THAT(client->Refresh(cancel_).value().problems, IsEmpty());
    // Each refresh begins anew.
    EXPECT_THAT(client->Refresh(cancel_).value().problems, IsEmpty());
    EXPECT_THAT(client->Trusted().value().problems, IsEmpty());
  }
  --site_.options.max_all_roles_bytes;
  const auto client = Repository::Open(site_.options).value();
  for (const RefreshOutcome& outcome :
       {client->Refresh(cancel_).value(), client->Trusted().value()}) {
    EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/acme/a.usc"));
    ASSERT_EQ(outcome.problems.size(), 1U);
    EXPECT_EQ(outcome.problems[0].role, "bolt");
  }
  std::filesystem::remove(site_.folder / "client/bolt.json");
  EXPECT_THAT(
      std::string(
          client->Refresh(cancel_).value().problems.at(0).status.message()),
      HasSubstr(absl::StrCat("bolt.json: with it the delegated roles are "
                             "larger than the limit of ",
                             site_.options.max_all_roles_bytes, " bytes")));
}

// A catalog is known by its SHA-256; other hashes are verified beside it.
TEST_F(DelegatedCatalogsTest, OtherHashesOfACatalogCountToo) {
  tuf::TargetInfo& info = site_.targets.body.targets[kCatalog];
  info.hashes["sha512"] = std::string(128, 'a');
  Publish();
  const RefreshOutcome outcome = client_->Refresh(cancel_).value();
  const absl::Status status = client_->FetchTarget(
      outcome.catalogs.at(0), site_.folder / "fetched", cancel_);
  EXPECT_EQ(HResultOf(status), hr::kWuEDmIncorrectfilehash);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has the sha512 "));
}

TEST_F(DelegatedCatalogsTest, CirclesEnd) {
  acme_.targets.body.delegations.emplace().roles.emplace();
  Delegate(acme_.targets.body, bolt_, {"catalog/*/*"});
  Delegate(bolt_.targets.body, acme_, {"catalog/*/*"});
  Publish();
  const RefreshOutcome outcome = client_->Refresh(cancel_).value();
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(Names(outcome), ElementsAre(kCatalog, "catalog/acme/a.usc",
                                          "catalog/bolt/a.usc"));
}

}  // namespace
}  // namespace usher::repository
