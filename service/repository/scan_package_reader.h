#ifndef USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_READER_H_
#define USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_READER_H_

// Reads a scan package: a repository as one uncompressed tar file (ustar or
// pax), its metadata first. What it says is not believed here; it only is a
// package afterwards.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"
#include "service/repository/repository.h"
#include "service/repository/tar_reader.h"

namespace usher::repository {

struct ScanPackageLimits {
  int64_t max_members = 200'000;
  // Of the whole file.
  int64_t max_bytes = int64_t{1} << 36;
};

using ScanPackageSource = TarReader::Source;

// Takes the members, one after the other. A failure ends the reading and is its
// result.
class ScanPackageSink {
 public:
  virtual ~ScanPackageSink() = default;

  // All metadata has been taken, the targets come next.
  virtual absl::Status MetadataComplete() = 0;
  // A member of this name begins: one of
  //   metadata/timestamp.json, metadata/N.ROLE.json,
  //   targets/catalog/[FOLDER/…]SHA256.NAME.usc, targets/payloads/SHA256/NAME
  // relative, confined, valid UTF-8. Whether it is new is for the sink to say.
  virtual absl::Status Begin(const std::string& name) = 0;
  virtual absl::Status Write(absl::string_view bytes) = 0;
  // Its size is within the limits of its kind, and the content of a target has
  // the SHA-256 of its name.
  virtual absl::Status End() = 0;
};

// Reads the package to its end. Of `options` it takes the limits of sizes.
// Errors name the member: WU_E_OL_INVALID_SCANFILE for what is no whole scan
// package or beyond a limit, WU_E_DM_INCORRECTFILEHASH for a target that is not
// what its name says, WU_E_CALL_CANCELLED, those of `source` and `sink`.
absl::Status ReadScanPackage(ScanPackageSource source,
                             const RepositoryOptions& options,
                             const ScanPackageLimits& limits,
                             ScanPackageSink& sink,
                             const CancellationToken& cancel);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_READER_H_
