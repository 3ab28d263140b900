#ifndef USHER_SERVICE_CATALOG_CIRCLES_H_
#define USHER_SERVICE_CATALOG_CIRCLES_H_

// Updates that supersede each other in a circle, which is a contradiction of
// their publishers, must not hide each other from everybody.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace usher::catalog {

// Both are numbers of updates, counted from 0.
struct SupersedencePair {
  uint32_t by = 0;
  uint32_t old = 0;
};

// Not thread-safe.
class Circles {
 public:
  // Of `count` updates; those in `gone` are superseded by something else.
  Circles(std::vector<SupersedencePair> pairs, size_t count,
          absl::Span<const uint32_t> gone);

  // The updates that are superseded by circles only: their members, and what
  // these supersede. Ascending.
  std::vector<uint32_t> Hidden() const;

  // Those of `hidden`, which are the same in another order, that stay: of each
  // circle the first one. Everything else is superseded by one that stays.
  std::vector<uint32_t> Keep(absl::Span<const uint32_t> hidden);

 private:
  // Marks what `update` supersedes, and itself.
  void Reach(uint32_t update);
  // The first of its pairs.
  size_t PairsOf(uint32_t update) const;

  std::vector<SupersedencePair> pairs_;  // sorted by `by`
  std::vector<bool> superseded_;
  // Superseded, at last, by something that is not superseded itself.
  std::vector<bool> reached_;
};

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_CIRCLES_H_
