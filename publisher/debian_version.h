#ifndef USHER_PUBLISHER_DEBIAN_VERSION_H_
#define USHER_PUBLISHER_DEBIAN_VERSION_H_

// Debian package versions (Debian Policy, section 5.6.12).

#include "absl/strings/string_view.h"

namespace usher::publisher {

// Less than, equal to or greater than 0 as `a` is older than, the same as or
// newer than `b`. Any text is accepted; the order is total.
int CompareDebianVersions(absl::string_view a, absl::string_view b);

// Whether `text` has the alphabet of a version and begins with a digit (after
// the epoch, if there is one).
bool IsDebianVersion(absl::string_view text);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_DEBIAN_VERSION_H_
