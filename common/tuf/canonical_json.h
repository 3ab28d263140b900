#ifndef USHER_COMMON_TUF_CANONICAL_JSON_H_
#define USHER_COMMON_TUF_CANONICAL_JSON_H_

// Canonical JSON (OLPC): what TUF signatures and key ids are made over.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::tuf {

// Returns the canonical form of the JSON text `json`: members sorted, no
// white space, only " and \ escaped. Numbers must be integers of 64 bits.
// Refuses duplicate members, nesting deeper than 32 and text that is not
// UTF-8, with WU_E_METADATA_SIGNATURE_VERIFY_FAILED.
absl::StatusOr<std::string> CanonicalJson(absl::string_view json);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_CANONICAL_JSON_H_
