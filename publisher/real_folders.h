#ifndef USHER_PUBLISHER_REAL_FOLDERS_H_
#define USHER_PUBLISHER_REAL_FOLDERS_H_

// A served folder is not ours alone: whoever can write to it could put a link
// there, and have what lies elsewhere written over or removed.

#include <filesystem>

#include "absl/status/status.h"

namespace usher::publisher {

// WU_E_INVALID_OPERATION, naming it, if one of the folders on the way from
// `base` down to `folder` below it, this one included, is a link. `base` itself
// may be one, and what is not there is none.
absl::Status CheckRealFolders(const std::filesystem::path& base,
                              const std::filesystem::path& folder);

// CheckRealFolders() for metadata/ and targets/ in a public folder and for all
// folders below targets/, payloads' own apart, of which there are many.
absl::Status CheckPublicFolders(const std::filesystem::path& public_dir);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_REAL_FOLDERS_H_
