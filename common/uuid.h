#ifndef USHER_COMMON_UUID_H_
#define USHER_COMMON_UUID_H_

// UUIDs as text, and random names.

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher {

// Returns `text` in the canonical form: 36 characters, lower case, no braces.
// Accepts either case; refuses everything else with E_INVALIDARG.
absl::StatusOr<std::string> CanonicalUuid(absl::string_view text);

// A random UUID (version 4) from the system's generator.
std::string RandomUuid();

// The UUID (version 5) of `name` within the namespace `name_space` (canonical
// form): the same input gives the same UUID for ever.
std::string NamedUuid(absl::string_view name_space, absl::string_view name);

// 128 random bits as 32 lower-case hexadecimal digits, for resource names that
// must not be guessed.
inline constexpr size_t kResourceIdSize = 32;
std::string RandomResourceId();

}  // namespace usher

#endif  // USHER_COMMON_UUID_H_
