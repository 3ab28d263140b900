#ifndef USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_MEMBER_H_
#define USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_MEMBER_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/sha256.h"
#include "service/repository/repository.h"

namespace usher::repository {

// What a member of a scan package is, by its name.
struct ScanPackageMember {
  bool is_metadata = false;
  int64_t max_bytes = 0;
  // Targets are named by their content.
  std::optional<Sha256Digest> sha256;
};

// None for a name that a scan package does not have. Every name that it has is
// relative, stays in its folder on every system, and is valid UTF-8. Of
// `options` it takes the limits of sizes; `max_payload_bytes` is that of a
// payload.
std::optional<ScanPackageMember> MemberOf(absl::string_view name,
                                          const RepositoryOptions& options,
                                          int64_t max_payload_bytes);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_SCAN_PACKAGE_MEMBER_H_
