#include "publisher/catalog_shards.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/sha256.h"

namespace usher::publisher {
namespace {

constexpr int kMaxBits = 10;

size_t ShardOf(absl::string_view update_id, int bits) {
  const Sha256Digest digest = Sha256Of(update_id);
  const unsigned first = unsigned{digest[0]} << 8 | unsigned{digest[1]};
  return first >> (16 - bits);
}

}  // namespace

int ShardBits(size_t updates, int present) {
  int bits = std::clamp(present, 0, kMaxBits);
  while (bits < kMaxBits && updates > kShardUpdates << bits) ++bits;
  while (bits > 0 && updates < (kShardUpdates << bits) / 8) --bits;
  return bits;
}

std::vector<CatalogShard> SplitIntoShards(const Draft& draft,
                                          absl::string_view folder, int bits) {
  std::vector<CatalogShard> shards(size_t{1} << bits);
  for (const DraftEntry* entry : draft.Sorted()) {
    shards[ShardOf(entry->update_id, bits)].entries.push_back(entry);
  }
  if (bits == 0) {
    shards[0].target = absl::StrCat(folder, "catalog.usc");
    return shards;
  }
  const int digits = bits > 8 ? 3 : 2;
  for (size_t i = 0; i < shards.size(); ++i) {
    shards[i].target = absl::StrFormat("%scatalog-%0*x.usc", folder, digits, i);
  }
  std::erase_if(shards,
                [](const CatalogShard& s) { return s.entries.empty(); });
  return shards;
}

}  // namespace usher::publisher
