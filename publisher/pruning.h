#ifndef USHER_PUBLISHER_PRUNING_H_
#define USHER_PUBLISHER_PRUNING_H_

// Removing old metadata and catalogs from a public folder.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// Removes all but the newest `keep` (at least 1) of "{version}.{role}.json".
absl::Status PruneVersions(const Workspace& workspace, absl::string_view role,
                           int keep);

// PruneVersions() for a role that describes targets, and then the catalogs in
// the folder ("catalog/" or "catalog/NAME/", not what is below it) that none of
// the remaining versions names.
absl::Status PruneCatalogs(const Workspace& workspace, absl::string_view role,
                           absl::string_view folder, int keep);

// The same for a vendor's role in a repository: removes the versions that none
// of the public snapshots names, but for `newest`, which the next one will.
absl::Status PruneVendor(const Workspace& workspace, absl::string_view vendor,
                         absl::string_view folder, int64_t newest);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PRUNING_H_
