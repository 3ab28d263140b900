#ifndef USHER_SERVICE_CATALOG_SEARCHER_H_
#define USHER_SERVICE_CATALOG_SEARCHER_H_

// Runs a search in the database.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "service/catalog/catalog.h"
#include "service/catalog/criteria.h"
#include "service/store/database.h"

namespace usher::catalog {

// The rows that match, in the order of their ids, without what others of them
// supersede (API reference, section 3.5; UAMG-079 … 082).
absl::StatusOr<std::vector<int64_t>> RunSearch(store::Connection& connection,
                                               const Criteria& criteria,
                                               const Query& query);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_SEARCHER_H_
