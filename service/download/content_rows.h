#ifndef USHER_SERVICE_DOWNLOAD_CONTENT_ROWS_H_
#define USHER_SERVICE_DOWNLOAD_CONTENT_ROWS_H_

// The rows of the table `content` (migration 0003).

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sha256.h"
#include "service/store/database.h"

namespace usher::download {

struct ContentRow {
  Sha256Digest digest{};
  int64_t size = 0;       // bytes
  int64_t last_used = 0;  // microseconds since the epoch
};

absl::StatusOr<std::vector<ContentRow>> LoadContentRows(
    store::Database& database);

// These two belong into the caller's write transaction.
absl::Status SaveContentRow(store::Connection& connection,
                            const ContentRow& row);
// No such row is fine.
absl::Status DeleteContentRow(store::Connection& connection,
                              const Sha256Digest& digest);

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_CONTENT_ROWS_H_
