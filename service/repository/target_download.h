#ifndef USHER_SERVICE_REPOSITORY_TARGET_DOWNLOAD_H_
#define USHER_SERVICE_REPOSITORY_TARGET_DOWNLOAD_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "common/cancellation.h"
#include "service/repository/fetcher.h"
#include "service/repository/repository.h"

namespace usher::repository {

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
