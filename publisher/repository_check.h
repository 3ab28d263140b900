#ifndef USHER_PUBLISHER_REPOSITORY_CHECK_H_
#define USHER_PUBLISHER_REPOSITORY_CHECK_H_

// Checking a published repository as a client would: the whole chain from a
// trusted root down to each payload.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::publisher {

struct CheckReport {
  int64_t root_version = 0;
  int64_t timestamp_version = 0;
  int64_t snapshot_version = 0;
  int64_t targets_version = 0;
  int64_t delegated_roles = 0;
  // The first of all documents to expire.
  absl::Time expires;
  std::string service_id;
  std::string service_name;
  int64_t updates = 0;
  // Payloads whose content was read and is right.
  int64_t payloads_verified = 0;
  // Payloads on other servers, and with a URL also the repository's own: not
  // fetched.
  int64_t payloads_not_checked = 0;
  int64_t payloads_absent = 0;
};

// Verifies the repository at `location`: a publisher's folder, a served folder
// (with metadata/ and targets/), or its http(s) URL. `root` is the trusted root
// document. Every fault names its file: WU_E_METADATA_BAD_SIGNATURE,
// WU_E_METADATA_SIGNATURE_VERIFY_FAILED, CERT_E_EXPIRED,
// WU_E_DM_INCORRECTFILEHASH, WU_E_INVALID_UPDATE, network codes. Of payloads
// and delegated roles, all faults are listed.
absl::StatusOr<CheckReport> CheckRepository(absl::string_view location,
                                            absl::string_view root,
                                            absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_REPOSITORY_CHECK_H_
