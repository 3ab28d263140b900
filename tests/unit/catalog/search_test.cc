#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SearchTest : public CatalogFixture {
 protected:
  std::vector<std::string> Text(const std::string& text) {
    return Search("", [&text](Query& query) { query.text = text; });
  }
};

constexpr auto kIncludeSuperseded = [](Query& query) {
  query.include_superseded = true;
};

TEST_F(SearchTest, Properties) {
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2).mutable_update()->set_type(v1::UPDATE_TYPE_DRIVER);
  builder.Update(3).mutable_update()->set_browse_only(true);
  builder.Update(4).mutable_update()->set_auto_select_on_web_sites(true);
  builder.Update(5).mutable_update()->set_deployment_action(
      v1::DEPLOYMENT_ACTION_UNINSTALLATION);
  builder.Update(6).mutable_update()->set_deployment_action(
      v1::DEPLOYMENT_ACTION_OPTIONAL_INSTALLATION);
  builder.Update(7).mutable_update()->set_auto_download(
      v1::AUTO_DOWNLOAD_MODE_NEVER_AUTO_DOWNLOAD);
  Load(builder);
  // UAMG-051, 064 … 072.
  EXPECT_THAT(Search("Type='Driver'"), ElementsAre("name2"));
  EXPECT_THAT(Search("Type!='Driver'"),
              ElementsAre("name1", "name3", "name4", "name7"));
  EXPECT_THAT(Search("BrowseOnly=1"), ElementsAre("name3"));
  EXPECT_THAT(Search("AutoSelectOnWebSites=1"), ElementsAre("name4"));
  EXPECT_THAT(Search("DeploymentAction='uninstallation'"),
              ElementsAre("name5"));
  EXPECT_THAT(Search("DeploymentAction='OptionalInstallation'"),
              ElementsAre("name6"));
  EXPECT_THAT(Search("BrowseOnly=1 or DeploymentAction='Uninstallation'"),
              ElementsAre("name3", "name5"));
  EXPECT_THAT(Search("IsAssigned=0"), ElementsAre("name3", "name7"));
  EXPECT_THAT(Search("IsAssigned=1"), ElementsAre("name1", "name2", "name4"));
  EXPECT_THAT(Search("IsInstalled=0"),
              ElementsAre("name1", "name2", "name3", "name4", "name7"));
}

TEST_F(SearchTest, UpdateIdsAndRevisions) {
  CatalogFileBuilder builder;
  builder.Update(1, 1).mutable_update()->set_name("old");
  builder.Update(1, 3).mutable_update()->set_name("new");
  builder.Update(2);
  Load(builder);
  const std::string id = absl::StrCat("UpdateID='", Id(1), "'");
  EXPECT_THAT(Search(""), ElementsAre("new", "name2"));
  EXPECT_THAT(Search("", kIncludeSuperseded), ElementsAre("new", "name2"));
  EXPECT_THAT(Search(id), ElementsAre("new"));
  EXPECT_THAT(Search(absl::StrCat("UpdateID!='", Id(1), "'")),
              ElementsAre("name2"));  // UAMG-052
  EXPECT_THAT(Search(id + " and RevisionNumber=1"), ElementsAre("old"));  // 062
  EXPECT_THAT(Search(id + " and RevisionNumber=2"), IsEmpty());
  EXPECT_THAT(Search(id + " and RevisionNumber=3"), ElementsAre("new"));
  EXPECT_THAT(Search("UpdateID='x[']y'"), IsEmpty());
  // A newer revision in the same result supersedes the older one.
  EXPECT_THAT(Search(id + " and RevisionNumber=1 or IsHidden=0"),
              ElementsAre("new", "name2"));
  EXPECT_THAT(
      Search(id + " and RevisionNumber=1 or IsHidden=0", kIncludeSuperseded),
      ElementsAre("old", "new", "name2"));
  // When the newer one goes, the older one is current again.
  CatalogFileBuilder later;
  later.Update(1, 1).mutable_update()->set_name("old");
  Load(later);
  EXPECT_THAT(Search(""), ElementsAre("old"));
}

TEST_F(SearchTest, CaseOfIdsDoesNotMatter) {  // UAMG-063
  CatalogFileBuilder builder;
  builder.Update(1).mutable_update()->mutable_identity()->set_update_id(
      "abcdef00-0000-4000-8000-000000000001");
  Load(builder);
  EXPECT_THAT(Search("UpdateID='ABCDEF00-0000-4000-8000-000000000001'"),
              ElementsAre("name1"));
}

TEST_F(SearchTest, Supersedence) {
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2).mutable_update()->add_superseded_update_ids(Id(1));
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name2"));  // UAMG-079
  EXPECT_THAT(Search("IsInstalled=0", kIncludeSuperseded),
              ElementsAre("name1", "name2"));  // UAMG-080
  ASSERT_TRUE(catalog_->SetHidden(Key(2), true).ok());
  EXPECT_THAT(Search("IsInstalled=0 and IsHidden=0"),
              ElementsAre("name1"));                           // UAMG-081
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name2"));  // UAMG-082
  EXPECT_THAT(Search("IsHidden=1"), ElementsAre("name2"));     // UAMG-069
  EXPECT_THAT(Search(absl::StrCat("UpdateID='", Id(1), "'")),
              ElementsAre("name1"));
}

TEST_F(SearchTest, WhatAnInstalledUpdateSupersedesIsNotOffered) {
  CatalogFileBuilder builder;
  builder.Update(1).mutable_update()->set_download_priority(
      v1::DOWNLOAD_PRIORITY_HIGH);
  builder.Update(2).mutable_update()->add_superseded_update_ids(Id(1));
  auto& third = *builder.Update(3).mutable_update();
  third.add_superseded_update_ids(Id(2));
  third.add_superseded_update_ids(Id(1));
  for (int i = 10; i < 400; ++i) builder.Update(i);
  Load(builder);
  // Few matches, and many.
  const auto search = [this](const std::string& text) {
    return Search(absl::StrCat("IsInstalled=0", text),
                  [](Query& query) { query.text = "name"; });
  };
  EXPECT_THAT(search(""), SizeIs(392));  // 1 has the higher priority
  ASSERT_TRUE(catalog_->RecordInstalled(Key(3), false).ok());
  EXPECT_THAT(search(""), SizeIs(390));
  ASSERT_TRUE(catalog_->SetHidden(Key(1), true).ok());
  ASSERT_TRUE(catalog_->SetHidden(Key(2), true).ok());
  EXPECT_THAT(Search("IsInstalled=0 and IsHidden=1"), IsEmpty());
  ASSERT_TRUE(catalog_->SetHidden(Key(1), false).ok());
  ASSERT_TRUE(catalog_->SetHidden(Key(2), false).ok());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name3"));
  // Who names it or asks for everything gets it.
  EXPECT_THAT(Search(absl::StrCat("UpdateID='", Id(2), "'")),
              ElementsAre("name2"));
  EXPECT_THAT(Search("IsInstalled=0", kIncludeSuperseded), SizeIs(392));
  ASSERT_TRUE(catalog_->RecordUninstalled(Key(3), false).ok());
  EXPECT_THAT(search(""), SizeIs(392));
}

// Contradictory, and not to be turned against the machine: of each circle one
// is left, on all machines the same.
TEST_F(SearchTest, UpdatesThatSupersedeEachOther) {
  const auto supersede = [](CatalogFileBuilder& builder, int id,
                            const std::vector<int>& old) {
    auto& update = *builder.Update(id).mutable_update();
    for (const int other : old) {
      update.add_superseded_update_ids(Id(other));
    }
  };
  for (const int others : {0, 400}) {  // few matches, and many
    CatalogFileBuilder builder;
    supersede(builder, 2, {1});
    supersede(builder, 1, {2});
    // What a circle supersedes is superseded.
    supersede(builder, 5, {4, 7});
    supersede(builder, 4, {6});
    supersede(builder, 6, {5});
    supersede(builder, 7, {8});
    builder.Update(8);
    // So is a circle below another one, and one below a single update.
    supersede(builder, 10, {11});
    supersede(builder, 11, {10, 12});
    supersede(builder, 12, {13});
    supersede(builder, 13, {12});
    supersede(builder, 20, {21});
    supersede(builder, 21, {22});
    supersede(builder, 22, {21});
    for (int i = 100; i < 100 + others; ++i) builder.Update(i);
    Load(builder);
    std::vector<std::string> found = Search(others == 0 ? "" : "IsInstalled=0");
    std::erase_if(found, [](const std::string& name) {
      return name.size() == std::string("name100").size();
    });
    EXPECT_THAT(found,
                UnorderedElementsAre("name1", "name4", "name10", "name20"));
  }
}

// What is installed supersedes the rest of its circle, as it would others.
TEST_F(SearchTest, AnInstalledUpdateInACircle) {
  CatalogFileBuilder builder;
  builder.Update(1).mutable_update()->add_superseded_update_ids(Id(2));
  builder.Update(2).mutable_update()->add_superseded_update_ids(Id(1));
  Load(builder);
  ASSERT_TRUE(catalog_->RecordInstalled(Key(2), false).ok());
  EXPECT_THAT(Search("IsInstalled=0"), IsEmpty());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name2"));
  ASSERT_TRUE(catalog_->RecordUninstalled(Key(2), false).ok());
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
}

TEST_F(SearchTest, SupersedenceInManyMatches) {
  CatalogFileBuilder builder;
  for (int i = 1; i <= 400; ++i) {
    auto& description = builder.Update(i);
    if (i % 2 == 0) {
      description.mutable_update()->add_superseded_update_ids(Id(i - 1));
    }
  }
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=0"), SizeIs(200));
  EXPECT_THAT(Search("IsInstalled=0", kIncludeSuperseded), SizeIs(400));
}

TEST_F(SearchTest, DownloadPriorityInSupersedence) {
  CatalogFileBuilder builder;
  builder.Update(1).mutable_update()->set_download_priority(
      v1::DOWNLOAD_PRIORITY_HIGH);
  builder.Update(2).mutable_update()->add_superseded_update_ids(Id(1));
  Load(builder);
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1", "name2"));
  EXPECT_THAT(
      Search("IsInstalled=0",
             [](Query& query) { query.ignore_download_priority = true; }),
      ElementsAre("name2"));
}

TEST_F(SearchTest, SupersedenceDoesNotCrossServices) {
  CatalogFileBuilder builder;
  builder.Update(1);
  Load(builder);
  CatalogFileBuilder other(kOtherService);
  other.Update(2).mutable_update()->add_superseded_update_ids(Id(1));
  const CatalogFile file = Write("catalog/catalog.usc", other);
  ASSERT_TRUE(
      catalog_->Load(kOtherService, kBaseUrl, {{file}}, CancellationToken())
          .ok());
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
}

TEST_F(SearchTest, OneDriverForEachDevice) {  // UAMG-075
  CatalogFileBuilder builder;
  const auto driver = [&builder](int id, const std::string& device,
                                 int64_t date) {
    v1::Update& update = *builder.Update(id).mutable_update();
    update.set_type(v1::UPDATE_TYPE_DRIVER);
    v1::DriverEntry& entry = *update.add_driver_entries();
    entry.set_driver_hardware_id(device);
    entry.mutable_driver_ver_date()->set_seconds(date);
  };
  driver(1, "pci\\a", 20);
  driver(2, "PCI\\A", 10);
  driver(3, "pci\\b", 5);
  builder.Update(4);
  Load(builder);
  EXPECT_THAT(Search("IsAssigned=1"), ElementsAre("name1", "name3", "name4"));
  EXPECT_THAT(Search("IsInstalled=0"), SizeIs(4));
  EXPECT_THAT(Search("IsAssigned=1 or Type='Driver'"), SizeIs(4));
  EXPECT_THAT(Search(absl::StrCat("IsAssigned=1 or UpdateID='", Id(2), "'")),
              SizeIs(4));
}

TEST_F(SearchTest, Text) {
  CatalogFileBuilder builder;
  builder.Update(1).mutable_update()->set_name("libstdc++6");
  v1::Update& second = *builder.Update(2).mutable_update();
  second.set_name("Hello");
  second.set_title("100% größte \"Wärme\"");
  builder.Update(3).mutable_update()->set_name("x_y");
  Load(builder);
  EXPECT_THAT(Text("STDC++"), ElementsAre("libstdc++6"));
  EXPECT_THAT(Text("hello"), ElementsAre("Hello"));
  EXPECT_THAT(Text("ÖSSTE"), IsEmpty());
  EXPECT_THAT(Text("GRÖß"), ElementsAre("Hello"));
  EXPECT_THAT(Text("\"wärme\""), ElementsAre("Hello"));
  EXPECT_THAT(Text("title of"), ElementsAre("libstdc++6", "x_y"));
  EXPECT_THAT(Text("he"), ElementsAre("Hello"));
  EXPECT_THAT(Text("_"), ElementsAre("x_y"));
  EXPECT_THAT(Text("%"), ElementsAre("Hello"));
  EXPECT_THAT(Text("name OR title"), IsEmpty());
  EXPECT_THAT(Search("Type='Driver'", [](Query& q) { q.text = "hello"; }),
              IsEmpty());
  for (const std::string& bad :
       {std::string(257, 'x'), std::string("a\0bcd", 5)}) {
    EXPECT_EQ(
        HResultOf(SearchRows("", [&bad](Query& q) { q.text = bad; }).status()),
        hr::kEInvalidarg);
  }
}

TEST_F(SearchTest, TextIsMatchedBeforeSupersedence) {
  CatalogFileBuilder builder;
  builder.Update(1).mutable_update()->set_name("abcdef");
  builder.Update(2).mutable_update()->add_superseded_update_ids(Id(1));
  Load(builder);
  EXPECT_THAT(Text("abcdef"), ElementsAre("abcdef"));
}

TEST_F(SearchTest, Categories) {
  CatalogFileBuilder builder;
  builder.Category(10, "Company").set_order(2);
  builder.Category(11, "ProductFamily", 10);
  builder.Category(12, "Product", 11);
  builder.Category(13, "UpdateClassification").set_order(1);
  builder.Category(14, "Product");
  builder.Update(1).mutable_update()->add_category_ids(Id(12));
  builder.Update(2).mutable_update()->add_category_ids(Id(13));
  builder.Update(3);
  Load(builder);
  const auto contains = [](int id) {
    return absl::StrCat("CategoryIDs contains '", Id(id), "'");
  };
  EXPECT_THAT(Search(contains(12)), ElementsAre("name1"));
  EXPECT_THAT(Search(contains(10)), ElementsAre("name1"));
  EXPECT_THAT(Search(contains(13)), ElementsAre("name2"));
  EXPECT_THAT(Search(contains(14)), IsEmpty());
  EXPECT_THAT(Search(contains(99)), IsEmpty());
  EXPECT_THAT(Search(contains(12) + " or " + contains(13)),
              ElementsAre("name1", "name2"));

  // UAMG-098, 099: with all ancestors, parents first.
  const auto all = catalog_->CategoriesOf(SearchRows("")->rows, "");
  ASSERT_TRUE(all.ok()) << all.status();
  std::vector<std::string> names;
  for (const v1::Category& category : *all) names.push_back(category.name());
  EXPECT_THAT(names, ElementsAre("category13", "category10", "category11",
                                 "category12"));
  EXPECT_EQ((*all)[1].parent_category_id(), "");
  EXPECT_EQ((*all)[3].parent_category_id(), Id(11));
  EXPECT_THAT(*catalog_->CategoriesOf({}, ""), IsEmpty());
}

TEST_F(SearchTest, CategoriesOfManyRows) {
  CatalogFileBuilder builder;
  builder.Category(5001, "Product");
  builder.Category(5002, "Product");
  for (int i = 1; i <= 600; ++i) {
    builder.Update(i).mutable_update()->add_category_ids(Id(5001));
  }
  builder.Update(601).mutable_update()->add_category_ids(Id(5002));
  Load(builder);
  std::vector<int64_t> rows = SearchRows("")->rows;
  EXPECT_THAT(*catalog_->CategoriesOf(rows, ""), SizeIs(2));
  rows.pop_back();
  EXPECT_THAT(*catalog_->CategoriesOf(rows, ""), SizeIs(1));
}

TEST_F(SearchTest, Scope) {  // UAMG-092 … 094
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2).mutable_update()->set_per_user(true);
  Load(builder);
  const auto scope = [](int value) {
    return [value](Query& query) { query.search_scope = value; };
  };
  EXPECT_THAT(Search("", scope(0)), ElementsAre("name1"));
  EXPECT_THAT(Search("", scope(1)), ElementsAre("name1"));
  EXPECT_THAT(Search("", scope(2)), ElementsAre("name2"));
  for (const int value : {3, 4, 5, 6, -1}) {
    EXPECT_EQ(HResultOf(SearchRows("", scope(value)).status()),
              hr::kWuEUnsupportedSearchscope);
  }
}

TEST_F(SearchTest, Limit) {
  CatalogFileBuilder builder;
  for (int i = 1; i <= 5; ++i) builder.Update(i);
  Load(builder);
  EXPECT_THAT(Search("", [](Query& query) { query.max_results = 2; }),
              ElementsAre("name1", "name2"));
}

TEST_F(SearchTest, Errors) {
  EXPECT_EQ(HResultOf(SearchRows("nonsense").status()),
            hr::kWuEInvalidCriteria);
  EXPECT_EQ(HResultOf(catalog_->CheckCriteria("IsInstalled=2")),
            hr::kWuEInvalidCriteria);
  EXPECT_TRUE(catalog_->CheckCriteria("").ok());
  EXPECT_THAT(Search("", [](Query& q) { q.service_id = "unknown"; }),
              IsEmpty());
}

TEST_F(SearchTest, Cancellation) {
  CatalogFileBuilder builder;
  for (int i = 1; i <= 2000; ++i) builder.Update(i);
  Load(builder);
  CancellationToken token;
  token.Cancel();
  Query query;
  query.service_id = kService;
  EXPECT_EQ(HResultOf(catalog_->Search(query, token).status()),
            hr::kWuECallCancelled);
  EXPECT_THAT(Search(""), SizeIs(2000));
}

}  // namespace
}  // namespace usher::catalog
