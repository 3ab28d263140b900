#ifndef USHER_SERVICE_CATALOG_LOADER_H_
#define USHER_SERVICE_CATALOG_LOADER_H_

// Brings the rows of one service in line with its catalog files.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/cancellation.h"
#include "service/catalog/catalog.h"
#include "service/catalog/facts.h"
#include "service/store/database.h"

namespace usher::catalog {

// How long retired rows stay, so that running results can be read.
inline constexpr int64_t kRetirementMicros = int64_t{3600} * 1000000;

// See Catalog::Load; leaves nobody out. Runs inside the caller's write
// transaction, with rows and facts in step (ApplyFacts). Holds one record in
// memory, and a few bytes per record of the files that changed. On failure
// `culprit` is the publisher whose files are at fault, 0 if it is the
// repository's own or nobody's.
absl::StatusOr<LoadSummary> LoadCatalog(
    store::Connection& connection, const MachineFacts& machine, Facts& facts,
    absl::string_view service_id, absl::string_view base_url,
    absl::Span<const CatalogFile> files, const CancellationToken& cancel,
    int& culprit);

// Retires everything that a service has. Inside a write transaction.
absl::Status RemoveCatalog(store::Connection& connection,
                           absl::string_view service_id);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_LOADER_H_
