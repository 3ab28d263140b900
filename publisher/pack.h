#ifndef USHER_PUBLISHER_PACK_H_
#define USHER_PUBLISHER_PACK_H_

// A repository in one file, for machines without a network: what
// AddScanPackageService takes (docs/api.md, "Scan packages").

#include <cstdint>
#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "publisher/mirror.h"
#include "publisher/repository_source.h"

namespace usher::publisher {

struct PackResult {
  MirrorResult content;
  int64_t members = 0;
  int64_t bytes = 0;  // of the file
};

// Copies the repository into a folder beside `file`, which takes as much room
// as the file, and makes the file of it: an uncompressed tar (ustar, pax where
// a name or size needs it) of regular files, metadata first, then catalogs,
// then payloads. The same state gives the same bytes. An existing `file` is
// replaced at the end. Errors as Mirror().
absl::StatusOr<PackResult> Pack(RepositorySource& source,
                                absl::string_view root,
                                const std::filesystem::path& file,
                                const MirrorOptions& options, absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PACK_H_
