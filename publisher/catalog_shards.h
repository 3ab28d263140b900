#ifndef USHER_PUBLISHER_CATALOG_SHARDS_H_
#define USHER_PUBLISHER_CATALOG_SHARDS_H_

// How a draft is spread over catalog files, so that a change of one update
// costs publisher and clients one file of bounded size.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "publisher/draft.h"

namespace usher::publisher {

// Files have this many updates on average, at most.
inline constexpr size_t kShardUpdates = 1024;

// The number of files is 2 to the power of this; 0 to 10. `present` is the last
// one: it is kept until files are too full, or so empty that half of them would
// be half full, since another number means that clients read everything anew.
int ShardBits(size_t updates, int present);

// One file to be.
struct CatalogShard {
  // Target name: "{folder}catalog.usc" if it is the only one, else
  // "{folder}catalog-{two or three hexadecimal digits}.usc".
  std::string target;
  std::vector<const DraftEntry*> entries;  // in the order of publication
};

// An update belongs to the file that the first `bits` bits of the SHA-256 of
// its id number. Files without updates are left out, unless it is the only one.
// `folder` is "catalog/" or "catalog/NAME/". The entries belong to `draft`.
std::vector<CatalogShard> SplitIntoShards(const Draft& draft,
                                          absl::string_view folder, int bits);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_CATALOG_SHARDS_H_
