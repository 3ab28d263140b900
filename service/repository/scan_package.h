#ifndef USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_H_
#define USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_H_

#include <filesystem>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/cancellation.h"
#include "service/repository/repository.h"
#include "service/repository/scan_package_reader.h"

namespace usher::repository {

// Copies a scan package into `folder` (made, private, durable), as the files of
// a repository whose URL is that of the folder. The file is read once, from its
// beginning to the end that it has at first. `metadata_complete` is called once
// when all metadata is in the folder, before any target is: what it refuses is
// not copied. What was copied before a failure stays for the caller to remove.
// Errors: those of ReadScanPackage, ERROR_FILE_NOT_FOUND and others for a file
// that cannot be read, ERROR_DISK_FULL.
absl::Status UnpackScanPackage(
    const std::filesystem::path& package, const std::filesystem::path& folder,
    const RepositoryOptions& options, const ScanPackageLimits& limits,
    absl::FunctionRef<absl::Status()> metadata_complete,
    const CancellationToken& cancel);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_H_
