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
// WU_E_METADATA_SIGNATURE_VERIFY_FAILED without a SHA-256.
absl::StatusOr<TargetFile> TargetOf(absl::string_view name,
                                    const tuf::TargetInfo& info);

// Where a target lies below targets/: "{dir}/{sha256}.{name}" with consistent
// snapshots (specification, section 6.2), else its own name.
std::string TargetPath(const TargetFile& target, bool consistent_snapshot);

// Fetches `url` into a new file beside `destination`, which it replaces once
// length and hash are those of `target`. Nothing is left behind on failure.
absl::Status DownloadTarget(Fetcher& fetcher, const std::string& url,
                            const TargetFile& target,
                            const std::filesystem::path& destination,
                            const CancellationToken& cancel);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_TARGET_DOWNLOAD_H_
