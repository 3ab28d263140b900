#include "publisher/catalog_shards.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "publisher/draft.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

Draft DraftOf(int count) {
  Draft draft;
  for (int i = 0; i < count; ++i) {
    repository::v1::UpdateDescription description;
    usher::v1::Update& update = *description.mutable_update();
    update.mutable_identity()->set_update_id(
        absl::StrFormat("00000000-0000-4000-8000-%012d", i));
    update.mutable_identity()->set_revision_number(1);
    update.set_name(absl::StrCat("name", i));
    update.set_title("Title");
    update.set_type(usher::v1::UPDATE_TYPE_SOFTWARE);
    update.set_deployment_action(usher::v1::DEPLOYMENT_ACTION_INSTALLATION);
    auto& payload = *description.add_payloads();
    payload.set_name("file");
    payload.set_size(1);
    payload.set_sha256(std::string(32, 'x'));
    payload.set_location("https://example.org/file");
    description.mutable_handler()->mutable_exec();
    const auto put = draft.Put(description, Draft::Revisions::kExplicit,
                               absl::FromUnixSeconds(1'700'000'000));
    EXPECT_TRUE(put.ok()) << put.status();
  }
  return draft;
}

TEST(CatalogShardsTest, TheirNumberFollowsThatOfTheUpdates) {
  EXPECT_EQ(ShardBits(0, 0), 0);
  EXPECT_EQ(ShardBits(1024, 0), 0);
  EXPECT_EQ(ShardBits(1025, 0), 1);
  EXPECT_EQ(ShardBits(100'000, 0), 7);
  EXPECT_EQ(ShardBits(1'000'000, 0), 10);
  EXPECT_EQ(ShardBits(100'000'000, 0), 10);
  // It stays as it is until that is far too much.
  EXPECT_EQ(ShardBits(1024, 1), 1);
  EXPECT_EQ(ShardBits(256, 1), 1);
  EXPECT_EQ(ShardBits(255, 1), 0);
  EXPECT_EQ(ShardBits(0, 10), 0);
  // What bookkeeping says is not believed blindly.
  EXPECT_EQ(ShardBits(10, -3), 0);
  EXPECT_EQ(ShardBits(2'000'000, 99), 10);
}

TEST(CatalogShardsTest, EachUpdateIsInOneOfThem) {
  const Draft draft = DraftOf(600);
  for (const int bits : {0, 1, 3, 9}) {
    std::set<std::string> targets;
    std::set<std::string> ids;
    size_t largest = 0;
    for (const CatalogShard& shard : SplitIntoShards(draft, "catalog/", bits)) {
      EXPECT_TRUE(targets.insert(shard.target).second);
      for (const DraftEntry* entry : shard.entries) {
        EXPECT_TRUE(ids.insert(entry->update_id).second);
      }
      largest = std::max(largest, shard.entries.size());
    }
    EXPECT_EQ(ids.size(), 600u);
    EXPECT_LE(targets.size(), size_t{1} << bits);
    EXPECT_LE(largest, 2 * (600 >> bits) + 10);
  }
  EXPECT_EQ(SplitIntoShards(draft, "catalog/", 0)[0].target,
            "catalog/catalog.usc");
  EXPECT_EQ(SplitIntoShards(draft, "catalog/acme/", 1)[1].target,
            "catalog/acme/catalog-01.usc");
  EXPECT_EQ(SplitIntoShards(draft, "catalog/", 9)[0].target.size(),
            std::string("catalog/catalog-000.usc").size());
}

TEST(CatalogShardsTest, AnotherUpdateMovesNoOther) {
  const Draft small = DraftOf(100);
  const Draft large = DraftOf(101);
  const auto before = SplitIntoShards(small, "catalog/", 2);
  const auto after = SplitIntoShards(large, "catalog/", 2);
  ASSERT_EQ(before.size(), after.size());
  size_t changed = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i].entries.size() != after[i].entries.size()) ++changed;
  }
  EXPECT_EQ(changed, 1u);
}

TEST(CatalogShardsTest, AnEmptyDraftHasOneFile) {
  const auto shards = SplitIntoShards(Draft(), "catalog/", 0);
  ASSERT_EQ(shards.size(), 1u);
  EXPECT_TRUE(shards[0].entries.empty());
  EXPECT_TRUE(SplitIntoShards(Draft(), "catalog/", 3).empty());
}

}  // namespace
}  // namespace usher::publisher
