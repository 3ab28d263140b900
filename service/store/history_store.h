#ifndef USHER_SERVICE_STORE_HISTORY_STORE_H_
#define USHER_SERVICE_STORE_HISTORY_STORE_H_

// The history of installations and uninstallations.

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/store/database.h"

namespace usher::v1 {
class UpdateHistoryEntry;
}  // namespace usher::v1

namespace usher::store {

// Adds an entry inside the caller's write transaction, so that an operation
// and its history entry become durable together.
absl::Status AppendHistory(Connection& connection,
                           const v1::UpdateHistoryEntry& entry);

// Calls `sink` for at most `count` entries from `start_index` of those that
// belong to `update_id` (empty: all), newest first. WU_E_INVALIDINDEX as
// UAMG-204 … 207 have it.
absl::Status QueryHistory(
    Database& database, absl::string_view update_id, int64_t start_index,
    int64_t count,
    absl::FunctionRef<absl::Status(const v1::UpdateHistoryEntry&)> sink);

absl::StatusOr<int64_t> CountHistory(Database& database);

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_HISTORY_STORE_H_
