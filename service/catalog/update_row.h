#ifndef USHER_SERVICE_CATALOG_UPDATE_ROW_H_
#define USHER_SERVICE_CATALOG_UPDATE_ROW_H_

// Turns one checked catalog record into rows.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"
#include "service/catalog/evaluator.h"
#include "service/store/database.h"

namespace usher::repository::v1 {
class UpdateDescription;
}  // namespace usher::repository::v1

namespace usher::catalog {

// Where a record comes from.
struct RowSource {
  int64_t service = 0;  // catalog_service.id
  std::string service_id;
  int64_t file = 0;  // catalog_file.id
  std::string base_url;
};

// Inserts the rows of `description`, evaluated except for bundles, whose
// children may still be missing, and returns the new row's id. The properties
// that the reader fills in are filled in; `description` is used up. Every row
// is made `current`; the loader sees to older revisions later.
// WU_E_INVALID_UPDATE for a category that `source.file` does not define.
absl::StatusOr<int64_t> InsertUpdate(
    store::Connection& connection, const RowSource& source,
    const Sha256Digest& digest, Evaluator& evaluator, Facts& facts,
    repository::v1::UpdateDescription& description);

// Deletes rows that were retired before `before` (microseconds), at most
// `limit` of them.
absl::Status Purge(store::Connection& connection, int64_t before,
                   int64_t limit);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_UPDATE_ROW_H_
