// Catalogs of several publishers in one service.

#include <string>
#include <vector>

#include "common/error.h"
#include "gmock/gmock.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class PublishersTest : public CatalogFixture {
 protected:
  CatalogFile Of(int publisher, const CatalogFileBuilder& builder) {
    CatalogFile file =
        Write("catalog/" + std::to_string(publisher) + ".usc", builder);
    file.publisher = publisher;
    return file;
  }

  // Loads and gives the publishers left out.
  std::vector<int> LeftOut(const std::vector<CatalogFile>& files) {
    summary_ = Load(files);
    EXPECT_TRUE(summary_.ok()) << summary_.status();
    std::vector<int> publishers;
    if (!summary_.ok()) return publishers;
    for (const LeftOutPublisher& left : summary_->left_out) {
      publishers.push_back(left.publisher);
    }
    return publishers;
  }

  std::string Reason() const {
    return summary_->left_out.empty()
               ? ""
               : std::string(summary_->left_out[0].status.message());
  }

  absl::StatusOr<LoadSummary> summary_ = LoadSummary();
};

TEST_F(PublishersTest, EachHasItsUpdates) {
  CatalogFileBuilder own;
  own.Update(1);
  CatalogFileBuilder acme;
  acme.Update(2);
  acme.header().set_service_name("Acme was here");
  EXPECT_THAT(LeftOut({Of(0, own), Of(1, acme)}), IsEmpty());
  EXPECT_THAT(Search(""), UnorderedElementsAre("name1", "name2"));
  EXPECT_EQ(summary_->service_name, "Test service");
}

TEST_F(PublishersTest, ABadRecordCostsItsPublisherOnly) {
  CatalogFileBuilder own;
  own.Update(1);
  CatalogFileBuilder acme;
  acme.Update(2);
  CatalogFileBuilder bolt;
  bolt.Update(3);
  const CatalogFile acme_file = Of(1, acme);
  EXPECT_THAT(LeftOut({Of(0, own), acme_file, Of(2, bolt)}), IsEmpty());
  bolt.Update(4).mutable_update()->clear_title();
  EXPECT_THAT(LeftOut({Of(0, own), acme_file, Of(2, bolt)}), ElementsAre(2));
  EXPECT_THAT(Reason(), HasSubstr("catalog file catalog/2.usc: record 3: "));
  EXPECT_THAT(Search(""), UnorderedElementsAre("name1", "name2"));
  // Mended, it is back, and the others were not read again.
  CatalogFileBuilder mended;
  mended.Update(3);
  EXPECT_THAT(LeftOut({Of(0, own), acme_file, Of(2, mended)}), IsEmpty());
  EXPECT_EQ(summary_->added, 1);
  EXPECT_EQ(summary_->unchanged, 2);
}

TEST_F(PublishersTest, OnlyTheRepositorySupersedesWhatIsAnothers) {
  const auto file = [this](int publisher, const std::string& role, int update,
                           std::initializer_list<int> superseded) {
    CatalogFileBuilder builder;
    for (const int id : superseded) {
      builder.Update(update).mutable_update()->add_superseded_update_ids(
          Id(id));
    }
    if (superseded.size() == 0) builder.Update(update);
    CatalogFile made = Of(publisher, builder);
    made.role = role;
    return made;
  };
  ASSERT_TRUE(Load({file(0, "", 1, {}), file(1, "acme", 2, {1}),
                    file(2, "bolt", 3, {2})})
                  .ok());
  EXPECT_THAT(Search("IsInstalled=0"),
              UnorderedElementsAre("name1", "name2", "name3"));
  // The repository's own word counts for all of it.
  ASSERT_TRUE(Load({file(0, "", 1, {2}), file(1, "acme", 2, {}),
                    file(2, "bolt", 3, {})})
                  .ok());
  EXPECT_THAT(Search("IsInstalled=0"), UnorderedElementsAre("name1", "name3"));
  // A publisher's for its own, in whichever file.
  CatalogFileBuilder second;
  second.Update(4).mutable_update()->add_superseded_update_ids(Id(3));
  CatalogFile more = Of(3, second);
  more.publisher = 2;
  more.role = "bolt";
  ASSERT_TRUE(Load({file(0, "", 1, {}), file(1, "acme", 2, {}),
                    file(2, "bolt", 3, {}), more})
                  .ok());
  EXPECT_THAT(Search("IsInstalled=0"),
              UnorderedElementsAre("name1", "name2", "name4"));
}

TEST_F(PublishersTest, AnUpdateBelongsToTheFirstOfThem) {
  CatalogFileBuilder acme;
  acme.Update(1);
  CatalogFileBuilder bolt;
  bolt.Update(1).mutable_update()->set_title("Stolen");
  bolt.Update(2);
  // Whichever way round they are given, and in one load.
  EXPECT_THAT(LeftOut({Of(2, bolt), Of(1, acme)}), ElementsAre(2));
  EXPECT_THAT(Reason(), HasSubstr("is another publisher's"));
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(PublishersTest, ALaterClaimOfTheFirstOneCounts) {
  CatalogFileBuilder own;
  own.Update(1);
  CatalogFileBuilder acme;
  acme.Update(2);
  acme.Update(3);
  const CatalogFile acme_file = Of(1, acme);
  EXPECT_THAT(LeftOut({Of(0, own), acme_file}), IsEmpty());
  // The repository's own catalog takes an id that acme had first: acme, whose
  // file is not even read again, has to go.
  own.Update(2).mutable_update()->set_title("Ours");
  EXPECT_THAT(LeftOut({Of(0, own), acme_file}), ElementsAre(1));
  EXPECT_THAT(Search(""), UnorderedElementsAre("name1", "name2"));
}

TEST_F(PublishersTest, AnotherRevisionOfAnothersUpdateIsNoWayIn) {
  CatalogFileBuilder acme;
  acme.Update(1);
  CatalogFileBuilder bolt;
  bolt.Update(1, 2).mutable_update()->set_title("Newer, says bolt");
  EXPECT_THAT(LeftOut({Of(1, acme), Of(2, bolt)}), ElementsAre(2));
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(PublishersTest, CategoriesAreAsTheFirstHasThem) {
  CatalogFileBuilder own;
  own.Category(10, "Product");
  own.Update(1).mutable_update()->add_category_ids(Id(10));
  CatalogFileBuilder acme;
  acme.Category(10, "Product").set_name("Renamed");
  acme.Update(2).mutable_update()->add_category_ids(Id(10));
  EXPECT_THAT(LeftOut({Of(0, own), Of(1, acme)}), ElementsAre(1));
  EXPECT_THAT(Reason(), HasSubstr("defined differently"));
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(PublishersTest, ABundleOfWhatIsGoneCostsItsPublisher) {
  CatalogFileBuilder acme;
  acme.Update(1);
  CatalogFileBuilder bolt;
  bolt.Bundle(2, {1});
  const CatalogFile bolt_file = Of(2, bolt);
  EXPECT_THAT(LeftOut({Of(1, acme), bolt_file}), IsEmpty());
  CatalogFileBuilder without;
  without.Update(3);
  EXPECT_THAT(LeftOut({Of(1, without), bolt_file}), ElementsAre(2));
  EXPECT_THAT(Search(""), ElementsAre("name3"));
}

TEST_F(PublishersTest, TheRepositorysOwnFaultIsEverybodys) {
  CatalogFileBuilder own;
  own.Update(1).mutable_update()->clear_title();
  CatalogFileBuilder acme;
  acme.Update(2);
  EXPECT_EQ(HResultOf(Load({Of(0, own), Of(1, acme)}).status()),
            hr::kWuEInvalidUpdate);
  EXPECT_THAT(Search(""), IsEmpty());
}

TEST_F(PublishersTest, WhatIsNobodysFaultStopsTheLoad) {
  CatalogFileBuilder own;
  own.Update(1);
  CatalogFile acme = Of(1, own);
  acme.path = folder_ / "gone";
  EXPECT_EQ(HResultOf(Load({Of(0, own), acme}).status()),
            hr::kErrorFileNotFound);
}

// Many small files, one of which changes: the marks of newest revisions stay
// right whether few updates are touched or many.
TEST_F(PublishersTest, NewestRevisionsAreCurrent) {
  for (const int count : {3, 2500}) {
    CatalogFileBuilder first;
    CatalogFileBuilder second;
    for (int i = 1; i <= count; ++i) {
      first.Update(i, 1);
      first.Update(i, 2).mutable_update()->set_title("second");
    }
    Load({Write("catalog/a.usc", first)}).IgnoreError();
    EXPECT_EQ(SearchRows("")->rows.size(), static_cast<size_t>(count));
    for (const auto& update : Updates(SearchRows("")->rows)) {
      ASSERT_EQ(update.identity().revision_number(), 2);
    }
    for (int i = 1; i <= count; ++i) second.Update(i, 1);
    Load({Write("catalog/a.usc", second)}).IgnoreError();
    EXPECT_EQ(SearchRows("")->rows.size(), static_cast<size_t>(count));
  }
}

}  // namespace
}  // namespace usher::catalog
