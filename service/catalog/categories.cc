#include "service/catalog/categories.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/error.h"
#include "service/catalog/rows.h"
#include "usher/v1/update.pb.h"

namespace usher::catalog {
namespace {

using store::Connection;
using store::Statement;

// Up to this many rows, each one's categories are looked up; beyond it each
// category is tried until one of its updates is met.
constexpr size_t kFewRows = 512;

struct Found {
  v1::Category category;
  int depth = 0;  // 0 for a root
};
// By catalog_category.id.
using FoundMap = absl::flat_hash_map<int64_t, Found>;

absl::StatusOr<bool> HasAny(Connection& connection, int64_t category,
                            const std::vector<int64_t>& sorted) {
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      Bound(connection,
            "SELECT row FROM catalog_member WHERE category = ? AND row BETWEEN "
            "? AND ?",
            {category, sorted.front(), sorted.back()}));
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return false;
    if (std::binary_search(sorted.begin(), sorted.end(), select.Int(0))) {
      return true;
    }
  }
}

absl::StatusOr<std::vector<int64_t>> Direct(Connection& connection,
                                            absl::Span<const int64_t> rows) {
  std::vector<int64_t> found;
  if (rows.size() <= kFewRows) {
    for (const int64_t row : rows) {
      USHER_ASSIGN_OR_RETURN(
          const std::vector<int64_t> categories,
          SelectInts(connection,
                     "SELECT category FROM catalog_member WHERE row = ?",
                     {row}));
      found.insert(found.end(), categories.begin(), categories.end());
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }
  std::vector<int64_t> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end());
  USHER_ASSIGN_OR_RETURN(
      const std::vector<int64_t> all,
      SelectInts(connection,
                 "SELECT id FROM catalog_category WHERE assignable = 1", {}));
  for (const int64_t category : all) {
    USHER_ASSIGN_OR_RETURN(const bool any,
                           HasAny(connection, category, sorted));
    if (any) found.push_back(category);
  }
  return found;
}

// Adds a category and its ancestors.
absl::Status AddWithAncestors(Connection& connection, int64_t id,
                              FoundMap& found) {
  std::vector<int64_t> path;
  while (id != 0 && !found.contains(id)) {
    USHER_ASSIGN_OR_RETURN(
        Statement select,
        Bound(connection,
              "SELECT c.record, coalesce(p.id, 0) FROM catalog_category c LEFT "
              "JOIN catalog_category p ON p.service = c.service AND "
              "p.category_id = c.parent_id WHERE c.id = ?",
              {id}));
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    USHER_RETURN_IF_ERROR(ParseStored(select.Blob(0), found[id].category));
    path.push_back(id);
    id = select.Int(1);
  }
  int depth = id != 0 && found.contains(id) ? found[id].depth + 1 : 0;
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    found[*it].depth = depth++;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<v1::Category>> ReadCategories(
    Connection& connection, absl::Span<const int64_t> rows) {
  FoundMap found;
  USHER_ASSIGN_OR_RETURN(const std::vector<int64_t> direct,
                         Direct(connection, rows));
  for (const int64_t id : direct) {
    USHER_RETURN_IF_ERROR(AddWithAncestors(connection, id, found));
  }
  std::vector<Found> ordered;
  for (auto& [id, entry] : found) ordered.push_back(std::move(entry));
  std::sort(ordered.begin(), ordered.end(), [](const Found& a, const Found& b) {
    return std::forward_as_tuple(a.depth, a.category.order(), a.category.name(),
                                 a.category.category_id()) <
           std::forward_as_tuple(b.depth, b.category.order(), b.category.name(),
                                 b.category.category_id());
  });
  std::vector<v1::Category> categories;
  categories.reserve(ordered.size());
  for (Found& entry : ordered) {
    categories.push_back(std::move(entry.category));
  }
  return categories;
}

}  // namespace usher::catalog
