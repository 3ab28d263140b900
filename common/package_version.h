#ifndef USHER_COMMON_PACKAGE_VERSION_H_
#define USHER_COMMON_PACKAGE_VERSION_H_

// Versions and names of packages, and the order of versions.

#include "absl/strings/string_view.h"

namespace usher {

// Debian Policy 5.6.12: negative, 0 or positive as `a` is earlier than, equal
// to or later than `b`. Any text has a place in the order.
int CompareDebianVersions(absl::string_view a, absl::string_view b);

// Numbers separated by dots ("10.0.19045"), missing parts counting as 0; a part
// that is no number is compared as text.
int CompareDottedVersions(absl::string_view a, absl::string_view b);

// "[epoch:]upstream[-revision]" with the characters that the policy allows.
bool IsDebianVersion(absl::string_view text);

// Two or more lower-case letters, digits, '+', '-', '.', beginning with a
// letter or digit.
bool IsDebianPackageName(absl::string_view text);

}  // namespace usher

#endif  // USHER_COMMON_PACKAGE_VERSION_H_
