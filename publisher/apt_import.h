#ifndef USHER_PUBLISHER_APT_IMPORT_H_
#define USHER_PUBLISHER_APT_IMPORT_H_

// A distribution's package indexes as updates.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/deb_update.h"
#include "publisher/draft.h"

namespace usher::publisher {

struct AptImportOptions {
  // Packages indexes, plain or compressed.
  std::vector<std::filesystem::path> files;
  // Take packages of this architecture and of "all"; empty: of every one.
  std::string architecture;
  // Where the payloads lie: the root of the archive, whose "pool/" is in the
  // index ("https://deb.debian.org/debian/"). "auto": derived from the name
  // that apt gives an index in its lists folder. Empty: no content at all
  // (kAbsentPrefix).
  std::string payload_base;
  // Canonical id of the classification; empty: "Security Updates" for an
  // index whose file name speaks of security, "Updates" for others.
  std::string classification_id;
  // Remove packages of an earlier import that no index has any more.
  bool prune = false;
};

struct AptImportSummary {
  DebSummary debs;
  int64_t removed = 0;
  // Packages of other architectures and those without a SHA-256.
  int64_t skipped = 0;
  int64_t files = 0;
};

// The Packages indexes of a folder such as /var/lib/apt/lists, in name order.
// ERROR_FILE_NOT_FOUND when there are none.
absl::StatusOr<std::vector<std::filesystem::path>> FindPackagesIndexes(
    const std::filesystem::path& lists);

// The archive root that an index of apt's lists folder comes from, for
// example "http://deb.debian.org/debian/"; "" when the name does not say.
std::string ArchiveRootOf(const std::filesystem::path& index);

// Puts every package of the indexes into the draft, with the deb handler. The
// section becomes a Product category below the ProductFamily "Debian
// packages". On an error the draft is partly changed and must not be saved.
absl::StatusOr<AptImportSummary> ImportApt(const AptImportOptions& options,
                                           absl::string_view service_id,
                                           absl::Time now, Draft& draft);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_APT_IMPORT_H_
