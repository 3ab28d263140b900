#include "service/catalog/rollout.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/catalog/check_rule.h"
#include "common/sha256.h"

namespace usher::catalog {

int RolloutDraw(absl::string_view rollout_id, absl::string_view seed) {
  const Sha256Digest digest = Sha256Of(absl::StrCat(rollout_id, "\n", seed));
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | digest[i];
  // 2^64 is no multiple of 10000: the lowest 1616 draws are more likely than
  // the others by one part in 2^50, which no number of machines would show.
  return static_cast<int>(number % kAllBasisPoints);
}

}  // namespace usher::catalog
