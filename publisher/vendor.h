#ifndef USHER_PUBLISHER_VENDOR_H_
#define USHER_PUBLISHER_VENDOR_H_

// A publisher to whom a repository delegates catalogs.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/tuf/key.h"
#include "common/tuf/metadata.h"

namespace usher::publisher {

// The role `name` speaks for the targets "catalog/{name}/*".
struct Vendor {
  std::string name;
  std::vector<tuf::Key> keys;
  int64_t threshold = 1;
  // The version of its metadata that is part of the repository; 0: none yet, so
  // that clients are not told of it either.
  int64_t version = 0;
  // The SHA-256 of that document's file, in hexadecimal, so that no other one
  // is published in its place; empty if an older version of this program took
  // it.
  std::string sha256;
  // No longer delegated to. It stays in the list, and in the snapshot: clients
  // refuse one that no longer names what an earlier one did (specification,
  // section 5.5.5), and its next version must still be a greater one.
  bool removed = false;
};

// Small letters, digits, '.', '_', '-', beginning with a letter or digit, at
// most 64 bytes, none of the top-level roles' names and no device of Windows:
// it is part of file names on every platform. E_INVALIDARG.
absl::Status CheckVendorName(absl::string_view name);

// "catalog/{name}/"
std::string VendorFolder(absl::string_view name);

// The delegations of the top-level targets, in the order of `vendors`; none if
// none of them has published.
absl::optional<tuf::Delegations> DelegationsTo(
    const std::vector<Vendor>& vendors);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_VENDOR_H_
