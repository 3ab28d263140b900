#ifndef USHER_SERVICE_REPOSITORY_TARGET_DOWNLOAD_H_
#define USHER_SERVICE_REPOSITORY_TARGET_DOWNLOAD_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"
#include "common/tuf/metadata.h"
#include "service/repository/fetcher.h"
#include "service/repository/repository.h"

namespace usher::repository {

// A target as trusted metadata describes it.
// WU_E_METADATA_SIGNATURE_VERIFY_FAILED without a hash of a known algorithm.
absl::StatusOr<TargetFile> TargetOf(absl::string_view name,
                                    const tuf::TargetInfo& info);
// The same of a catalog, which must have a SHA-256 whatever else it has.
absl::StatusOr<TargetFile> CatalogOf(absl::string_view name,
                                     const tuf::TargetInfo& info);

// Where a target lies below targets/: "{dir}/{hash}.{name}" with consistent
// snapshots (specification, section 6.2), else its own name. It may lie under
// each of its hashes; this is the one that KnownHash() gives.
std::string TargetPath(const TargetFile& target, bool consistent_snapshot);

// Fetches `url` into a new file beside `destination`, which it replaces once
// length and hashes are those of `target`. Nothing is left behind on failure.
absl::Status DownloadTarget(Fetcher& fetcher, const std::string& url,
                            const TargetFile& target,
                            const std::filesystem::path& destination,
                            const CancellationToken& cancel);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_TARGET_DOWNLOAD_H_
