#ifndef USHER_PUBLISHER_VENDOR_INTAKE_H_
#define USHER_PUBLISHER_VENDOR_INTAKE_H_

// The repository's side of vendors: who they are, and taking in what they have
// published. Clients see what was taken after the next Publish().

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/tuf/key.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// Vendors that a repository may have.
inline constexpr size_t kMaxVendors = 1000;

// Adds a vendor, last in priority. WU_E_DUPLICATE_ITEM when there is one of
// that name; E_INVALIDARG when the threshold is not between 1 and the number of
// different keys.
absl::Status AddVendor(Workspace& workspace, absl::string_view name,
                       std::vector<tuf::Key> keys, int64_t threshold);

// Gives a vendor other keys. What it has signed with others must be taken anew
// before the next Publish().
absl::Status SetVendorKeys(Workspace& workspace, absl::string_view name,
                           std::vector<tuf::Key> keys, int64_t threshold);

// Forgets a vendor. Its files stay for readers and are removed by "gc".
// WU_E_UNKNOWN_ID.
absl::Status RemoveVendor(Workspace& workspace, absl::string_view name);

struct VendorIntake {
  bool changed = false;  // false: this version was taken already
  int64_t version = 0;
  absl::Time expires;
  int64_t catalogs = 0;
  int64_t catalogs_new = 0;
  int64_t updates = 0;  // in the new catalogs
  int64_t payloads_new = 0;
  int64_t bytes = 0;  // copied
};

// Takes in the folder of a vendor (or its public/), which is hostile until
// checked: signatures of the vendor's keys, version, expiry, names in the
// vendor's own folder, content by hash, every record as clients check it, the
// service id, claims on other publishers' updates and categories, bundles
// within the vendor's own catalogs, payloads by hash. Taking the same version
// again mends what has gone or was damaged since. On an error the
// repository is as it was, but for copies that nothing names. What readers may
// be reading stays until Publish() has gone past it.
absl::StatusOr<VendorIntake> TakeVendor(Workspace& workspace,
                                        absl::string_view name,
                                        const std::filesystem::path& from,
                                        absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_VENDOR_INTAKE_H_
