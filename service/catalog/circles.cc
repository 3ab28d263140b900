#include "service/catalog/circles.h"

#include <algorithm>
#include <utility>

namespace usher::catalog {

Circles::Circles(std::vector<SupersedencePair> pairs, size_t count,
                 absl::Span<const uint32_t> gone)
    : pairs_(std::move(pairs)), superseded_(count), reached_(count) {
  std::sort(pairs_.begin(), pairs_.end(),
            [](const SupersedencePair& a, const SupersedencePair& b) {
              return a.by < b.by || (a.by == b.by && a.old < b.old);
            });
  for (const SupersedencePair& pair : pairs_) superseded_[pair.old] = true;
  for (const uint32_t update : gone) {
    superseded_[update] = true;
    Reach(update);
  }
  for (const SupersedencePair& pair : pairs_) {
    if (!superseded_[pair.by]) Reach(pair.by);
  }
}

size_t Circles::PairsOf(uint32_t update) const {
  return static_cast<size_t>(
      std::lower_bound(pairs_.begin(), pairs_.end(), update,
                       [](const SupersedencePair& pair, uint32_t by) {
                         return pair.by < by;
                       }) -
      pairs_.begin());
}

void Circles::Reach(uint32_t update) {
  if (reached_[update]) return;
  reached_[update] = true;
  std::vector<uint32_t> open = {update};
  while (!open.empty()) {
    const uint32_t by = open.back();
    open.pop_back();
    for (size_t i = PairsOf(by); i < pairs_.size() && pairs_[i].by == by; ++i) {
      const uint32_t old = pairs_[i].old;
      if (reached_[old]) continue;
      reached_[old] = true;
      open.push_back(old);
    }
  }
}

std::vector<uint32_t> Circles::Hidden() const {
  std::vector<uint32_t> hidden;
  for (uint32_t update = 0; update < superseded_.size(); ++update) {
    if (superseded_[update] && !reached_[update]) hidden.push_back(update);
  }
  return hidden;
}

// Of a walk in depth from each update in turn, the one that is left last lies
// in a circle that nothing else leads into, and of that circle it is where the
// walk came first.
std::vector<uint32_t> Circles::Keep(absl::Span<const uint32_t> hidden) {
  std::vector<uint32_t> left;
  std::vector<bool> seen = reached_;
  struct Visit {
    uint32_t update;
    size_t next;
  };
  std::vector<Visit> path;
  for (const uint32_t start : hidden) {
    if (seen[start]) continue;
    seen[start] = true;
    path.push_back({start, PairsOf(start)});
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == pairs_.size() ||
          pairs_[visit.next].by != visit.update) {
        left.push_back(visit.update);
        path.pop_back();
        continue;
      }
      const uint32_t old = pairs_[visit.next++].old;
      if (seen[old]) continue;
      seen[old] = true;
      path.push_back({old, PairsOf(old)});
    }
  }
  std::vector<uint32_t> kept;
  for (auto at = left.rbegin(); at != left.rend(); ++at) {
    if (reached_[*at]) continue;
    kept.push_back(*at);
    Reach(*at);
  }
  return kept;
}

}  // namespace usher::catalog
