#include <atomic>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "gmock/gmock.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class LoadTest : public CatalogFixture {
 protected:
  int64_t Count(const std::string& sql) {
    int64_t count = -1;
    EXPECT_TRUE(database_
                    ->Read([&](store::Connection& c) -> absl::Status {
                      USHER_ASSIGN_OR_RETURN(store::Statement s,
                                             c.Prepare(sql));
                      USHER_RETURN_IF_ERROR(s.Step().status());
                      count = s.Int(0);
                      return absl::OkStatus();
                    })
                    .ok());
    return count;
  }

  // Moves all retirements into the past.
  void LetAnHourPass() {
    ASSERT_TRUE(database_
                    ->Write([](store::Connection& c) {
                      return c.Execute(
                          "UPDATE catalog_update SET retired = 1 WHERE retired "
                          "!= 0; UPDATE catalog_category SET retired = 1 WHERE "
                          "retired != 0");
                    })
                    .ok());
  }
};

TEST_F(LoadTest, FillsInWhatThePublisherLeaves) {
  CatalogFileBuilder builder;
  auto& description = builder.Update(1);
  description.mutable_update()->set_handler_id("forged");
  description.mutable_update()->set_is_installed(true);
  description.mutable_update()->set_reboot_required(true);
  auto& second = *description.add_payloads();
  second = description.payloads(0);
  second.set_name("other");
  second.set_location("https://mirror.example.org/pool/x");
  builder.Update(2).mutable_handler()->mutable_deb();
  const LoadSummary summary = Load(builder);
  EXPECT_EQ(summary.added, 2);
  EXPECT_EQ(summary.service_name, "Test service");
  const auto update = catalog_->Get(Key(1), "");
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_EQ(update->identity().service_id(), kService);
  EXPECT_EQ(update->handler_id(), "urn:usher:handler:archive");
  EXPECT_EQ(update->min_download_size(), 2002);
  EXPECT_EQ(update->max_download_size(), 2002);
  ASSERT_EQ(update->download_contents_size(), 2);
  EXPECT_EQ(update->download_contents(0).download_url(),
            "https://example.org/repo/targets/payloads/x/file%2B1.tar.gz");
  EXPECT_EQ(
      update->download_contents(0).sha256(),
      ToHex(Sha256Digest{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                         1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(update->download_contents(0).size(), 1001);
  EXPECT_FALSE(update->is_installed());
  EXPECT_FALSE(update->reboot_required());
  EXPECT_EQ(catalog_->Get(Key(2), "")->handler_id(), "urn:usher:handler:deb");
}

TEST_F(LoadTest, ADifferenceKeepsUnchangedRows) {
  CatalogFileBuilder first;
  first.Update(1);
  first.Update(2);
  first.Update(3);
  Load(first);
  const int64_t row1 = *catalog_->Row(Key(1));
  const std::vector<int64_t> old_rows = SearchRows("")->rows;

  CatalogFileBuilder second;
  second.Update(1);
  second.Update(2).mutable_update()->set_name("renamed");
  second.Update(4);
  const LoadSummary summary = Load(second);
  EXPECT_EQ(summary.added, 1);
  EXPECT_EQ(summary.changed, 1);
  EXPECT_EQ(summary.removed, 1);
  EXPECT_EQ(summary.unchanged, 1);
  EXPECT_EQ(*catalog_->Row(Key(1)), row1);
  EXPECT_THAT(Search(""), ElementsAre("name1", "renamed", "name4"));
  EXPECT_EQ(*catalog_->UpdateCount(kService), 3);
  EXPECT_EQ(HResultOf(catalog_->Row(Key(3)).status()),
            hr::kWuEDsNodataNosuchrevision);

  // A result from before is still readable as it was …
  const std::vector<v1::Update> old = Updates(old_rows);
  ASSERT_EQ(old.size(), 3u);
  EXPECT_EQ(old[1].name(), "name2");
  EXPECT_EQ(old[2].name(), "name3");
  // … for an hour, and its row ids never come back.
  LetAnHourPass();
  CatalogFileBuilder third;
  third.Update(1);
  third.Update(5);
  EXPECT_EQ(Load(third).removed, 2);
  EXPECT_EQ(Updates(old_rows).size(), 1u);
  for (const int64_t row : old_rows) EXPECT_NE(*catalog_->Row(Key(5)), row);
}

TEST_F(LoadTest, PurgingLeavesNothingBehind) {
  CatalogFileBuilder builder;
  builder.Category(100, "Product");
  auto& description = builder.Update(1);
  description.mutable_update()->add_category_ids(Id(100));
  description.mutable_update()->add_superseded_update_ids(Id(50));
  description.mutable_is_installed()->mutable_file()->set_path("/nowhere/f");
  description.add_localized_text()->set_language("de");
  Load(builder);
  Load(CatalogFileBuilder());
  LetAnHourPass();
  CatalogFileBuilder other;
  other.header().set_service_name("Changed");
  Load(other);
  for (const char* table :
       {"catalog_update", "catalog_content", "catalog_plan", "catalog_text",
        "catalog_localized", "catalog_member", "catalog_supersedes",
        "rule_dependency", "catalog_category", "catalog_category_file"}) {
    EXPECT_EQ(Count(absl::StrCat("SELECT count(*) FROM ", table)), 0) << table;
  }
  EXPECT_EQ(Count("SELECT count(*) FROM machine_fact WHERE kind = 2"), 0);
  EXPECT_EQ(
      Count("SELECT count(*) FROM catalog_search WHERE catalog_search MATCH "
            "'name1'"),
      0);
}

TEST_F(LoadTest, SameFileIsNotReadAgain) {
  CatalogFileBuilder builder;
  builder.Update(1);
  const CatalogFile file = Write("catalog/catalog.usc", builder);
  ASSERT_TRUE(Load({file}).ok());
  ASSERT_TRUE(RemoveTree(file.path).ok());
  const auto again = Load({file});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->unchanged, 1);
  EXPECT_EQ(again->service_name, "Test service");
  // Another address needs other URLs.
  EXPECT_FALSE(catalog_
                   ->Load(kService, "https://elsewhere.example.org", {{file}},
                          CancellationToken())
                   .ok());
}

TEST_F(LoadTest, AnotherAddressMakesOtherUrls) {
  CatalogFileBuilder builder;
  builder.Update(1);
  const CatalogFile file = Write("catalog/catalog.usc", builder);
  ASSERT_TRUE(Load({file}).ok());
  ASSERT_TRUE(
      catalog_
          ->Load(kService, "file:///srv/repo/", {{file}}, CancellationToken())
          .ok());
  EXPECT_EQ(catalog_->Get(Key(1), "")->download_contents(0).download_url(),
            "file:///srv/repo/targets/payloads/x/file%2B1.tar.gz");
}

TEST_F(LoadTest, SeveralFiles) {
  CatalogFileBuilder a;
  a.Category(100, "Product");
  a.Update(1).mutable_update()->add_category_ids(Id(100));
  CatalogFileBuilder b;
  b.Category(100, "Product");
  b.Update(2).mutable_update()->add_category_ids(Id(100));
  const CatalogFile file_a = Write("catalog/a.usc", a);
  const CatalogFile file_b = Write("catalog/b.usc", b);
  ASSERT_TRUE(Load({file_a, file_b}).ok());
  EXPECT_THAT(Search(absl::StrCat("CategoryIDs contains '", Id(100), "'")),
              ElementsAre("name1", "name2"));
  // An update may move from one file to the other …
  const int64_t row = *catalog_->Row(Key(2));
  CatalogFileBuilder both;
  both.Category(100, "Product");
  both.Update(1).mutable_update()->add_category_ids(Id(100));
  both.Update(2).mutable_update()->add_category_ids(Id(100));
  const auto moved = Load({Write("catalog/a.usc", both)});
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->unchanged, 2);
  EXPECT_EQ(*catalog_->Row(Key(2)), row);
  // … but not stand in both, and a category has one definition.
  EXPECT_EQ(HResultOf(Load({Write("catalog/a.usc", both), file_b}).status()),
            hr::kWuEInvalidUpdate);
  CatalogFileBuilder other;
  other.Category(100, "Product").set_name("another");
  EXPECT_EQ(HResultOf(Load({Write("catalog/a.usc", both),
                            Write("catalog/c.usc", other)})
                          .status()),
            hr::kWuEInvalidUpdate);
  EXPECT_THAT(Search(""), UnorderedElementsAre("name1", "name2"));
}

TEST_F(LoadTest, ServicesAreApart) {
  CatalogFileBuilder mine;
  mine.Update(1);
  Load(mine);
  CatalogFileBuilder theirs(kOtherService);
  theirs.Update(1).mutable_update()->set_name("theirs");
  const CatalogFile file = Write("catalog/catalog.usc", theirs);
  ASSERT_TRUE(
      catalog_->Load(kOtherService, kBaseUrl, {{file}}, CancellationToken())
          .ok());
  EXPECT_THAT(Search(""), ElementsAre("name1"));
  EXPECT_THAT(Search("", [](Query& q) { q.service_id = kOtherService; }),
              ElementsAre("theirs"));
  EXPECT_THAT(*catalog_->LoadedServices(),
              UnorderedElementsAre(kService, kOtherService));
  ASSERT_TRUE(catalog_->Remove(kService).ok());
  EXPECT_THAT(*catalog_->LoadedServices(), ElementsAre(kOtherService));
  EXPECT_THAT(Search(""), IsEmpty());
  EXPECT_EQ(*catalog_->UpdateCount(kService), 0);
  EXPECT_EQ(*catalog_->UpdateCount(kOtherService), 1);
  Load(mine);
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(LoadTest, AFailedLoadChangesNothing) {
  CatalogFileBuilder good;
  good.Update(1);
  Load(good);
  CatalogFileBuilder bad;
  for (int i = 2; i < 500; ++i) bad.Update(i);
  bad.Update(500).mutable_update()->clear_title();
  const auto status = Load({Write("catalog/catalog.usc", bad)}).status();
  EXPECT_EQ(HResultOf(status), hr::kWuEInvalidUpdate);
  EXPECT_TRUE(absl::StrContains(status.message(),
                                "catalog file catalog/catalog.usc: record "
                                "500: "))
      << status;
  EXPECT_THAT(Search(""), ElementsAre("name1"));
  Open();
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(LoadTest, CancelledLoadChangesNothing) {
  CatalogFileBuilder builder;
  builder.Update(1);
  CancellationToken token;
  token.Cancel();
  const CatalogFile file = Write("catalog/catalog.usc", builder);
  EXPECT_EQ(
      HResultOf(catalog_->Load(kService, kBaseUrl, {{file}}, token).status()),
      hr::kWuECallCancelled);
  EXPECT_THAT(Search(""), IsEmpty());
}

TEST_F(LoadTest, SearchesGoOnDuringALoad) {
  CatalogFileBuilder small;
  small.Update(1);
  Load(small);
  CatalogFileBuilder big;
  for (int i = 1; i < 3000; ++i) big.Update(i);
  const CatalogFile file = Write("catalog/catalog.usc", big);
  std::atomic<bool> done = false;
  std::thread loader([&] {
    EXPECT_TRUE(Load({file}).ok());
    done = true;
  });
  size_t found = 0;
  while (!done) {
    const auto result = SearchRows("IsInstalled=0");
    ASSERT_TRUE(result.ok()) << result.status();
    found = result->rows.size();
    // All or nothing.
    EXPECT_TRUE(found == 1 || found == 2999) << found;
    EXPECT_EQ(Updates(result->rows).size(), found);
  }
  loader.join();
  EXPECT_EQ(SearchRows("IsInstalled=0")->rows.size(), 2999u);
}

}  // namespace
}  // namespace usher::catalog
