#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "gmock/gmock.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StateTest : public CatalogFixture {
 protected:
  v1::Update Get(int id, int revision = 1) {
    auto update = catalog_->Get(Key(id, revision), "");
    EXPECT_TRUE(update.ok()) << update.status();
    return update.ok() ? *update : v1::Update();
  }

  static void WantPackage(CatalogFileBuilder::Description& description,
                          const std::string& package,
                          const std::string& version) {
    auto& rule = *description.mutable_is_installed()->mutable_debian_package();
    rule.set_package(package);
    rule.set_comparison(repository::v1::COMPARISON_GREATER_OR_EQUAL);
    rule.set_version(version);
  }
};

TEST_F(StateTest, Hiding) {
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2).mutable_update()->set_is_mandatory(true);
  builder.Update(3).mutable_update()->mutable_deadline()->set_seconds(9);
  Load(builder);
  ASSERT_TRUE(catalog_->SetHidden(Key(1), true).ok());
  EXPECT_TRUE(Get(1).is_hidden());
  EXPECT_THAT(Search("IsHidden=0"), ElementsAre("name2", "name3"));  // 123
  // UAMG-121, 122.
  for (const int id : {2, 3}) {
    EXPECT_EQ(HResultOf(catalog_->SetHidden(Key(id), true)),
              hr::kWuEDsDeclinenotallowed);
    EXPECT_TRUE(catalog_->SetHidden(Key(id), false).ok());
  }
  EXPECT_EQ(HResultOf(catalog_->SetHidden(Key(9), true)),
            hr::kWuEDsNodataNosuchrevision);
  // The decision outlives revisions, removals and restarts.
  Load(CatalogFileBuilder());
  CatalogFileBuilder later;
  later.Update(1, 7);
  Load(later);
  Open();
  EXPECT_TRUE(Get(1, 7).is_hidden());
  ASSERT_TRUE(catalog_->SetHidden(Key(1, 7), false).ok());
  EXPECT_FALSE(Get(1, 7).is_hidden());
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(StateTest, Eula) {
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2).mutable_update()->set_eula_text("Terms");
  Load(builder);
  EXPECT_TRUE(Get(1).eula_accepted());  // UAMG-105
  EXPECT_FALSE(Get(2).eula_accepted());
  EXPECT_EQ(HResultOf(catalog_->AcceptEula(Key(1))),
            hr::kWuEEulaUnavailable);  // UAMG-128
  ASSERT_TRUE(catalog_->AcceptEula(Key(2)).ok());
  EXPECT_TRUE(Get(2).eula_accepted());
  CatalogFileBuilder later;
  later.Update(2, 2).mutable_update()->set_eula_text("Terms");
  Load(later);
  EXPECT_TRUE(Get(2, 2).eula_accepted());
  ASSERT_TRUE(catalog_->SetHidden(Key(2, 2), true).ok());
  EXPECT_TRUE(Get(2, 2).eula_accepted());
}

TEST_F(StateTest, Downloaded) {
  CatalogFileBuilder builder;
  auto& description = builder.Update(1);
  auto& second = *description.add_payloads();
  second = description.payloads(0);
  second.set_name("second");
  second.set_sha256(std::string(32, '\x02'));
  Load(builder);
  Sha256Digest digest;
  digest.fill(1);
  cached_.insert(digest);
  EXPECT_FALSE(Get(1).is_downloaded());
  digest.fill(2);
  cached_.insert(digest);
  EXPECT_TRUE(Get(1).is_downloaded());
}

TEST_F(StateTest, ReceiptsDecideWithoutRule) {
  CatalogFileBuilder builder;
  builder.Update(1, 2);
  auto& dependent = builder.Update(3);
  dependent.mutable_is_installable()->mutable_installed_update()->set_update_id(
      Id(1));
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
  ASSERT_TRUE(catalog_->RecordInstalled(Key(1, 2), false).ok());
  EXPECT_TRUE(Get(1, 2).is_installed());
  EXPECT_TRUE(Get(1, 2).is_present());  // UAMG-120
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name3"));
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1"));

  // An older revision counts as installed, a newer one does not, but can be
  // uninstalled.
  CatalogFileBuilder later;
  later.Update(1, 1);
  later.Update(1, 3);
  Load(later);
  EXPECT_TRUE(Get(1, 1).is_installed());
  EXPECT_FALSE(Get(1, 3).is_installed());
  EXPECT_TRUE(Get(1, 3).is_present());
  const auto state = catalog_->Evaluate(Key(1, 3));
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->is_installed);
  EXPECT_TRUE(state->is_present);
  EXPECT_EQ(state->receipt, 2);

  Load(builder);
  ASSERT_TRUE(catalog_->RecordUninstalled(Key(1, 2), false).ok());
  EXPECT_FALSE(Get(1, 2).is_installed());
  EXPECT_FALSE(Get(1, 2).is_present());
  EXPECT_EQ(catalog_->Evaluate(Key(1, 2))->receipt, 0);
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
}

TEST_F(StateTest, AnInstalledUpdateOfWhichThereIsANewRevision) {
  CatalogFileBuilder builder;
  builder.Update(1);
  Load(builder);
  ASSERT_TRUE(catalog_->RecordInstalled(Key(1), false).ok());
  CatalogFileBuilder revised;
  revised.Update(1, 2);
  Load(revised);
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
  EXPECT_THAT(Search("IsInstalled=1"), IsEmpty());
  EXPECT_THAT(Search("IsPresent=1"), ElementsAre("name1"));
  // Not offered where it cannot be installed, but there all the same.
  CatalogFileBuilder barred;
  barred.Update(1, 3).mutable_is_installable()->set_constant(false);
  Load(barred);
  EXPECT_THAT(Search(""), IsEmpty());
  EXPECT_THAT(Search("IsInstalled=0"), IsEmpty());
  EXPECT_THAT(Search("IsPresent=1"), ElementsAre("name1"));
  EXPECT_THAT(Search("IsPresent=1 and IsInstalled=0"), ElementsAre("name1"));
  // Where a rule says what is there, receipts do not count.
  CatalogFileBuilder ruled;
  ruled.Update(1, 4).mutable_is_installed()->set_constant(false);
  Load(ruled);
  EXPECT_THAT(Search("IsPresent=1"), IsEmpty());
}

TEST_F(StateTest, RebootRequired) {
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2);
  Load(builder);
  ASSERT_TRUE(catalog_->RecordInstalled(Key(1), true).ok());
  EXPECT_TRUE(Get(1).reboot_required());
  EXPECT_THAT(Search("RebootRequired=1"), ElementsAre("name1"));  // UAMG-074
  EXPECT_THAT(Search("RebootRequired=0"), ElementsAre("name2"));
  // It survives the service, and what happens to the update meanwhile …
  Open();
  ASSERT_TRUE(catalog_->RecordUninstalled(Key(1), false).ok());
  EXPECT_TRUE(Get(1).reboot_required());
  // … but not the machine's restart.
  ASSERT_TRUE(
      database_
          ->Write([](store::Connection& c) {
            return c.Execute(
                "UPDATE update_receipt SET boot_id = 'earlier'; UPDATE "
                "machine_fact SET value = 'earlier' WHERE key = 'boot'");
          })
          .ok());
  Open();
  EXPECT_FALSE(Get(1).reboot_required());
  EXPECT_THAT(Search("RebootRequired=1"), IsEmpty());
}

TEST_F(StateTest, PackagesThatComeAndGo) {
  InstallPackages({"hello 2.10-2", "other 1"});
  CatalogFileBuilder builder;
  WantPackage(builder.Update(1), "hello", "2.10-3");
  WantPackage(builder.Update(2), "hello", "2.10-2");
  auto& third = builder.Update(3);
  third.mutable_is_installable()->mutable_debian_package()->set_package(
      "other");
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1", "name3"));
  InstallPackages({"hello 2.10-3"});
  EXPECT_THAT(Search("IsInstalled=0"), IsEmpty());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1", "name2"));
  InstallPackages({});
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1", "name2"));
  // Changes while the service is down.
  InstallPackages({"hello 2.10-2"});
  Open();
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
  InstallPackages({"hello 3"});
  const auto now = catalog_->Evaluate(Key(1));
  ASSERT_TRUE(now.ok());
  EXPECT_TRUE(now->is_installed);
  EXPECT_TRUE(now->is_installable);
}

TEST_F(StateTest, OnlyDependentsAreEvaluatedAgain) {
  InstallPackages({"aa 1", "bb 1"});
  CatalogFileBuilder builder;
  WantPackage(builder.Update(1), "aa", "1");
  WantPackage(builder.Update(2), "bb", "1");
  Load(builder);
  // A wrong state that an evaluation would put right.
  ASSERT_TRUE(database_
                  ->Write([](store::Connection& c) {
                    return c.Execute(
                        "UPDATE catalog_update SET is_installed "
                        "= 0, is_present = 0");
                  })
                  .ok());
  InstallPackages({"aa 2", "bb 1"});
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1"));
}

TEST_F(StateTest, FilesThatComeAndGo) {
  CatalogFileBuilder builder;
  const std::filesystem::path path = folder_ / "probe";
  builder.Update(1).mutable_is_installed()->mutable_file()->set_path(
      PathToUtf8(path));
  auto& exact = *builder.Update(2).mutable_is_installed()->mutable_file();
  exact.set_path(PathToUtf8(path));
  const Sha256Digest digest = Sha256Of("right");
  exact.set_sha256(digest.data(), digest.size());
  builder.Update(3).mutable_is_installed()->mutable_file()->set_path(
      "{product:app}");
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=1"), IsEmpty());
  ASSERT_TRUE(WriteFileAtomically(path, "wrong").ok());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1"));
  ASSERT_TRUE(WriteFileAtomically(path, "right").ok());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1", "name2"));
  ASSERT_TRUE(
      MakeDirectories(facts_options_.product_dir / "app" / "current").ok());
  ASSERT_TRUE(RemoveTree(path).ok());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name3"));
}

TEST_F(StateTest, LabelsAndSystemChangeBetweenRuns) {
  CatalogFileBuilder builder;
  builder.Update(1)
      .mutable_is_installable()
      ->mutable_machine_label()
      ->set_label("kiosk");
  auto& second = builder.Update(2);
  auto& rule = *second.mutable_is_installable()->mutable_operating_system();
  rule.set_comparison(repository::v1::COMPARISON_EQUAL);
  rule.set_version("13");
  Load(builder);
  EXPECT_THAT(Search(""), IsEmpty());
  facts_options_.labels = {"kiosk"};
  Open();
  EXPECT_THAT(Search(""), ElementsAre("name1"));
  ASSERT_TRUE(WriteFileAtomically(facts_options_.os_release,
                                  "ID=debian\nVERSION_ID=13\n")
                  .ok());
  EXPECT_THAT(Search(""), ElementsAre("name1", "name2"));
}

TEST_F(StateTest, InstalledCountsAsApplicable) {
  InstallPackages({"aa 1"});
  CatalogFileBuilder builder;
  auto& description = builder.Update(1);
  WantPackage(description, "aa", "1");
  description.mutable_is_installable()->set_constant(false);
  builder.Update(2).mutable_is_installable()->set_constant(false);
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1"));
  EXPECT_THAT(Search("IsInstalled=0"), IsEmpty());
}

TEST_F(StateTest, Bundles) {
  CatalogFileBuilder builder;
  builder.Bundle(1, {2, 3});
  builder.Update(2);
  WantPackage(builder.Update(3), "aa", "1");
  Load(builder);
  v1::Update bundle = Get(1);
  EXPECT_EQ(bundle.bundled_updates(0).service_id(), kService);
  EXPECT_EQ(bundle.max_download_size(), 1002 + 1003);
  EXPECT_FALSE(bundle.is_downloaded());
  EXPECT_FALSE(bundle.is_present());
  Sha256Digest digest;
  digest.fill(2);
  cached_.insert(digest);
  EXPECT_FALSE(Get(1).is_downloaded());
  digest.fill(3);
  cached_.insert(digest);
  EXPECT_TRUE(Get(1).is_downloaded());

  ASSERT_TRUE(catalog_->RecordInstalled(Key(2), false).ok());
  bundle = Get(1);
  EXPECT_FALSE(bundle.is_installed());
  EXPECT_TRUE(bundle.is_present());  // UAMG-073
  EXPECT_THAT(Search("IsPresent=1 and IsInstalled=0"), ElementsAre("name1"));
  InstallPackages({"aa 1"});
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name1", "name2", "name3"));
  // A child that changes takes the bundle along.
  CatalogFileBuilder later;
  later.Bundle(1, {2, 3});
  later.Update(2);
  WantPackage(later.Update(3), "aa", "2");
  Load(later);
  EXPECT_FALSE(Get(1).is_installed());
}

TEST_F(StateTest, BundleWithoutActionIsForInstallation) {
  CatalogFileBuilder builder;
  builder.Bundle(1, {2}).mutable_update()->set_deployment_action(
      v1::DEPLOYMENT_ACTION_NONE);
  builder.Update(2);
  Load(builder);
  EXPECT_THAT(Search(""), ElementsAre("name1", "name2"));
  EXPECT_EQ(Get(1).deployment_action(), v1::DEPLOYMENT_ACTION_NONE);
}

TEST_F(StateTest, ReceiptsDoNotNeedTheCatalog) {
  ASSERT_TRUE(catalog_->RecordInstalled(Key(1), false).ok());
  CatalogFileBuilder builder;
  builder.Update(1);
  Load(builder);
  EXPECT_TRUE(Get(1).is_installed());
}

}  // namespace
}  // namespace usher::catalog
