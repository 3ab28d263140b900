#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "service/catalog/streamer.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StreamTest : public CatalogFixture {};

TEST_F(StreamTest, KeepsOrderAndCountsWhatIsGone) {
  CatalogFileBuilder builder;
  for (int i = 1; i <= 1000; ++i) {
    builder.Update(i).mutable_update()->set_description(
        std::string(static_cast<size_t>(i), 'd'));
  }
  Load(builder);
  const std::vector<int64_t> all = SearchRows("")->rows;
  std::vector<v1::Update> updates = Updates(all);
  ASSERT_EQ(updates.size(), 1000u);
  for (size_t i = 0; i < updates.size(); ++i) {
    EXPECT_EQ(updates[i].name(), absl::StrCat("name", i + 1));
    EXPECT_EQ(updates[i].description().size(), i + 1);
  }
  // Any order, far apart, twice, never there.
  const std::vector<int64_t> some = {all[900], all[3], 99999999, all[3],
                                     all[500]};
  updates = Updates(some);
  ASSERT_EQ(updates.size(), 4u);
  EXPECT_EQ(updates[0].name(), "name901");
  EXPECT_EQ(updates[1].name(), "name4");
  EXPECT_EQ(updates[2].name(), "name4");
  EXPECT_EQ(updates[3].name(), "name501");
  // Every other row.
  std::vector<int64_t> odd;
  for (size_t i = 0; i < all.size(); i += 2) odd.push_back(all[i]);
  updates = Updates(odd);
  ASSERT_EQ(updates.size(), 500u);
  EXPECT_EQ(updates[499].name(), "name999");
}

TEST_F(StreamTest, RecordsOfAnySize) {
  CatalogFileBuilder builder;
  for (int i = 1; i <= 5; ++i) {
    builder.Update(i).mutable_update()->set_description(
        std::string(size_t{900} * 1024, 'd'));
  }
  Load(builder);
  EXPECT_EQ(Updates(SearchRows("")->rows).size(), 5u);
}

TEST_F(StreamTest, SinkStops) {
  CatalogFileBuilder builder;
  builder.Update(1);
  builder.Update(2);
  Load(builder);
  int calls = 0;
  const auto status =
      catalog_->Stream(SearchRows("")->rows, "", [&](absl::string_view) {
        ++calls;
        return absl::CancelledError("enough");
      });
  EXPECT_EQ(status.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(StreamTest, SinkMayUseTheCatalog) {
  CatalogFileBuilder builder;
  builder.Update(1);
  Load(builder);
  EXPECT_TRUE(catalog_
                  ->Stream(SearchRows("")->rows, "",
                           [this](absl::string_view) {
                             return catalog_->SetHidden(Key(1), true);
                           })
                  .ok());
  EXPECT_TRUE(catalog_->Get(Key(1), "")->is_hidden());
}

TEST_F(StreamTest, Translations) {
  CatalogFileBuilder builder;
  auto& description = builder.Update(1);
  description.mutable_update()->set_description("English");
  description.mutable_update()->add_more_info_urls("https://example.org/en");
  auto& german = *description.add_localized_text();
  german.set_language("de");
  german.set_title("Titel");
  auto& brazilian = *description.add_localized_text();
  brazilian.set_language("pt-BR");
  brazilian.set_description("Português");
  brazilian.add_more_info_urls("https://example.org/pt");
  Load(builder);
  const std::vector<int64_t> rows = SearchRows("")->rows;
  for (const char* locale : {"de", "de-AT", "DE_de.UTF-8"}) {
    const v1::Update update = Updates(rows, locale).front();
    EXPECT_EQ(update.title(), "Titel") << locale;
    EXPECT_EQ(update.description(), "English");
    EXPECT_THAT(update.more_info_urls(), ElementsAre("https://example.org/en"));
    EXPECT_TRUE(update.eula_accepted());
  }
  const v1::Update update = Updates(rows, "pt-BR").front();
  EXPECT_EQ(update.title(), "Title of 1");
  EXPECT_EQ(update.description(), "Português");
  EXPECT_THAT(update.more_info_urls(), ElementsAre("https://example.org/pt"));
  for (const char* locale : {"", "fr", "d", "pt"}) {
    EXPECT_EQ(Updates(rows, locale).front().description(), "English");
  }
  EXPECT_EQ(catalog_->Get(Key(1), "de")->title(), "Titel");
}

TEST_F(StreamTest, LanguageChains) {
  EXPECT_THAT(LanguageChain("de-AT"), ElementsAre("de-at", "de"));
  EXPECT_THAT(LanguageChain("sr_RS.UTF-8@latin"), ElementsAre("sr-rs", "sr"));
  EXPECT_THAT(LanguageChain(""), IsEmpty());
}

TEST_F(StreamTest, Describe) {
  CatalogFileBuilder builder;
  auto& description = builder.Update(1);
  description.mutable_is_installed()->set_constant(false);
  description.add_localized_text()->set_language("de");
  Load(builder);
  const auto found = catalog_->Describe(Key(1));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->update().name(), "name1");
  EXPECT_EQ(found->update().identity().service_id(), kService);
  EXPECT_EQ(found->payloads(0).name(), "file.tar.gz");
  EXPECT_EQ(found->handler().archive().product(), "name1");
  EXPECT_TRUE(found->has_is_installed());
  EXPECT_EQ(found->localized_text_size(), 1);
  EXPECT_EQ(HResultOf(catalog_->Describe(Key(1, 2)).status()),
            hr::kWuEDsNodataNosuchrevision);
  EXPECT_EQ(HResultOf(catalog_->Get({kOtherService, Id(1), 1}, "").status()),
            hr::kWuEDsNodataNosuchrevision);
}

}  // namespace
}  // namespace usher::catalog
