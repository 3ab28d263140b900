#ifndef USHER_PUBLISHER_PRUNING_H_
#define USHER_PUBLISHER_PRUNING_H_

// Removing old metadata and catalogs from a public folder.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// What stays for readers that are in the middle of a refresh.
struct KeepOld {
  // The newest versions, the present one included; at least 1.
  int versions = 5;
  // And those that were the present one within this time, by the clock and the
  // files' times: however many publications there are in that time.
  absl::Duration age = absl::Hours(24);
};

// Removes the versions of "{version}.{role}.json" before `present` that need
// not be kept, and those after it: nothing names them, a publisher was killed.
absl::Status PruneVersions(const Workspace& workspace, absl::string_view role,
                           int64_t present, const KeepOld& keep);

// PruneVersions() for a role that describes targets, and then the catalogs in
// the folder ("catalog/" or "catalog/NAME/", not what is below it) that none of
// the remaining versions names.
absl::Status PruneCatalogs(const Workspace& workspace, absl::string_view role,
                           absl::string_view folder, int64_t present,
                           const KeepOld& keep);

// The same for all vendors of a repository: removes the versions of their
// documents that none of the public snapshots names, but for the newest that
// was taken, which the next one will, and then their catalogs.
absl::Status PruneVendors(const Workspace& workspace);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PRUNING_H_
