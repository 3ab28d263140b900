#ifndef USHER_PUBLISHER_LEFTOVERS_H_
#define USHER_PUBLISHER_LEFTOVERS_H_

// What a publisher that was killed left in its folders. No reader is told of
// it, but it takes room for ever.

#include <filesystem>

#include "absl/status/status.h"

namespace usher::publisher {

// Removes temporary files from a public folder: from metadata/ and, payloads
// apart, which do not come by them, from all of targets/. For the one that
// holds the folder's lock. CheckPublicFolders() before.
absl::Status RemovePublicLeftovers(const std::filesystem::path& public_dir);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_LEFTOVERS_H_
