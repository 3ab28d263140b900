#ifndef USHER_SERVICE_CATALOG_DECISIONS_H_
#define USHER_SERVICE_CATALOG_DECISIONS_H_

// What users decided and what installations did. All need a write transaction.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/catalog/catalog.h"
#include "service/store/database.h"

namespace usher::catalog {

// The live row of an update. WU_E_DS_NODATA_NOSUCHREVISION.
absl::StatusOr<int64_t> FindRow(store::Connection& connection,
                                const UpdateKey& key);

absl::Status StoreHidden(store::Connection& connection, const UpdateKey& key,
                         bool hidden);
absl::Status StoreEulaAccepted(store::Connection& connection,
                               const UpdateKey& key);

// Stores a receipt and returns the rows to be evaluated again. The update need
// not be in the catalog any more.
absl::StatusOr<std::vector<int64_t>> StoreReceipt(store::Connection& connection,
                                                  const UpdateKey& key,
                                                  bool installed,
                                                  bool reboot_required,
                                                  absl::string_view boot_id);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_DECISIONS_H_
