#ifndef USHER_SERVICE_CATALOG_CATEGORIES_H_
#define USHER_SERVICE_CATALOG_CATEGORIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "service/store/database.h"

namespace usher::v1 {
class Category;
}  // namespace usher::v1

namespace usher::catalog {

// The categories that `rows` belong to and all their ancestors (UAMG-098),
// parents before children, siblings by `order` and name.
absl::StatusOr<std::vector<v1::Category>> ReadCategories(
    store::Connection& connection, absl::Span<const int64_t> rows);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_CATEGORIES_H_
