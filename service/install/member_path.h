#ifndef USHER_SERVICE_INSTALL_MEMBER_PATH_H_
#define USHER_SERVICE_INSTALL_MEMBER_PATH_H_

// Names inside an archive, made safe: what comes out is relative, has no "."
// or ".." and stays below the folder that is unpacked into.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::install {

// Bytes of a whole name and of one component.
inline constexpr size_t kMaxMemberPath = 4000;
inline constexpr size_t kMaxMemberComponent = 255;

// Normalises the name of a member and drops `strip_components` leading
// components. "" when nothing is left ("./", or a folder that was stripped).
// WU_E_UH_INVALIDMETADATA for a name that is absolute, contains "..", a NUL or
// a backslash, or is too long.
absl::StatusOr<std::string> MemberPath(absl::string_view name,
                                       int strip_components);

// Checks where the symbolic link at `link` (a MemberPath) leads and returns
// the target to write. It may begin with as many ".." as the link is deep and
// have none later, so that it cannot leave the tree, whatever other links it
// passes. An absolute target is refused, unless `root_is_tree`: then it is
// taken as below the tree (as in a Debian package, whose root is the tree's),
// stripped like a member, and made relative.
absl::StatusOr<std::string> LinkTarget(absl::string_view link,
                                       absl::string_view target,
                                       bool root_is_tree, int strip_components);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_MEMBER_PATH_H_
