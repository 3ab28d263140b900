#ifndef USHER_SERVICE_SESSION_CATALOG_UPDATE_H_
#define USHER_SERVICE_SESSION_CATALOG_UPDATE_H_

// Brings a service's loaded catalog in line with its refreshed repository.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"
#include "service/catalog/catalog.h"
#include "service/repository/repository.h"

namespace usher::session {

struct CatalogUpdate {
  // Something was loaded.
  bool changed = false;
  std::string service_id;    // canonical
  std::string service_name;  // as the catalogs have it; empty if not read
  // Delegated publishers without whose catalogs it had to do: theirs are not on
  // the server, are not what a catalog must be, or contradict those of a
  // publisher of higher priority.
  std::vector<repository::RoleProblem> problems;
};

struct CatalogUpdateOptions {
  // Of the repository's trusted metadata; which catalogs are loaded is written
  // there.
  std::filesystem::path record_dir;
  // Where catalog files lie while they are loaded.
  std::filesystem::path catalog_dir;
  // The repository's.
  std::string url;
  // The service that the catalogs must be of; empty: what the first one says.
  std::string service_id;
  // Whether the service that the catalogs turned out to be of will do; asked
  // before anything is loaded.
  std::function<absl::Status(absl::string_view service_id)> accept;
};

// Fetches the catalogs that are not loaded yet and loads them. `catalogs` are
// those of a RefreshOutcome. On failure what was loaded stays loaded. Blocks.
absl::StatusOr<CatalogUpdate> UpdateCatalog(
    const CatalogUpdateOptions& options,
    const std::vector<repository::TargetFile>& catalogs,
    repository::Repository& repository, catalog::Catalog& catalog,
    const CancellationToken& cancel);

// Whether an update was ever finished with that record_dir, and forgetting that
// one was, so that the next update loads everything.
bool HasCatalogRecord(const std::filesystem::path& record_dir);
void ForgetCatalogRecord(const std::filesystem::path& record_dir);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_CATALOG_UPDATE_H_
