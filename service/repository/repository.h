#ifndef USHER_SERVICE_REPOSITORY_REPOSITORY_H_
#define USHER_SERVICE_REPOSITORY_REPOSITORY_H_

// One registered repository: its trusted metadata on disk, and how it is
// brought up to date. The trust is The Update Framework (specification 1.0).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "common/sha256.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata.h"

namespace usher::repository {

// How to reach servers. The same settings serve metadata, catalogs and
// payloads.
struct ProxySettings {
  // Take the proxy from configuration or environment; ignores the rest.
  bool auto_detect = true;
  std::string address;
  std::vector<std::string> bypass_list;
  bool bypass_on_local = false;
  std::string user_name;
  std::string password;
};

struct RepositoryOptions {
  // Folder of this repository's trusted metadata; made when missing.
  std::filesystem::path metadata_dir;
  // Base URL: metadata lies in {url}/metadata/, targets in {url}/targets/.
  // http:, https: or file:.
  std::string url;
  ProxySettings proxy;
  // Limits, all configurable. Bytes and counts are upper bounds.
  int64_t max_root_bytes = int64_t{512} * 1024;
  int64_t max_timestamp_bytes = int64_t{16} * 1024;
  int64_t max_snapshot_bytes = int64_t{2} * 1024 * 1024;
  int64_t max_targets_bytes = int64_t{64} * 1024 * 1024;
  // Of one role that is delegated to, and of all of these.
  int64_t max_role_bytes = int64_t{5} * 1024 * 1024;
  int64_t max_all_roles_bytes = int64_t{64} * 1024 * 1024;
  int64_t max_catalog_bytes = int64_t{1} << 32;
  int max_root_rotations = 256;
  // Whether the chain of roots was followed to its end so recently that a
  // refresh may ask for the timestamp alone: if the server still has the
  // trusted one, nothing is new. Anything else begins with the roots, as ever.
  bool roots_are_recent = false;
  // Of the search for one target through the delegations.
  tuf::TargetSearch::Limits search_limits;
  // Roles that may describe catalogs, in all.
  size_t max_roles = 1024;
  // Catalogs, in all.
  size_t max_catalogs = 8192;
  // Of one role that is delegated to.
  size_t max_catalogs_of_role = 1024;
  // A transfer slower than this for 30 seconds is given up. Bytes a second.
  int64_t min_speed = 1024;
  absl::Duration connect_timeout = absl::Seconds(15);
  // When a transfer is given up however fast it is.
  absl::Time deadline = absl::InfiniteFuture();
};

// A file that the trusted targets metadata names.
struct TargetFile {
  std::string name;  // relative to targets/, '/' separated, confined
  int64_t length = 0;
  // Of catalogs, which are told apart by it.
  Sha256Digest sha256{};
  // Of catalogs: the role that describes it, and how far down it stands in the
  // order of delegation, 0 being the top-level targets.
  std::string role;
  int priority = 0;
  // All that are signed, at least one of a known algorithm (KnownHash). The
  // content is verified by each of these.
  tuf::Hashes hashes = {};
};

// A delegated role that could not be had, and why.
struct RoleProblem {
  std::string role;
  absl::Status status;
};

struct RefreshOutcome {
  // Anything newer than before was found and is now trusted.
  bool changed = false;
  // Whether the chain of roots was followed to its end; false: the timestamp
  // is the trusted one, and that was all that was asked for.
  bool roots_followed = false;
  int64_t root_version = 0;
  int64_t timestamp_version = 0;
  int64_t snapshot_version = 0;
  int64_t targets_version = 0;
  absl::Time root_expires;
  // Requests made and bytes of metadata fetched.
  int requests = 0;
  int64_t bytes = 0;
  // Catalog targets ("catalog/….usc"), by priority and name.
  std::vector<TargetFile> catalogs;
  // Their catalogs are missing.
  std::vector<RoleProblem> problems;
};

// Not thread-safe: one call at a time for each metadata folder.
class Repository {
 public:
  // Stores `root` as the first trusted root, after checking that it is signed
  // by its own threshold. Refuses a folder that already has one.
  static absl::Status Initialize(const RepositoryOptions& options,
                                 absl::string_view root);

  // Whether `root`, given for a repository that is registered already, may be
  // an ancestor or heir of the root that is trusted: it is signed by its own
  // threshold, and unless it is older than the trusted one, has a root key in
  // common with it. WU_E_DS_ROWEXISTS if not. Changes nothing.
  static absl::Status Confirm(const RepositoryOptions& options,
                              absl::string_view root);

  // Opens an initialised folder. Damaged cached metadata other than the root
  // is not fatal: it is fetched again.
  static absl::StatusOr<std::unique_ptr<Repository>> Open(
      const RepositoryOptions& options);
  virtual ~Repository() = default;

  // Runs the client workflow of the specification, section 5, to the end:
  // root chain, timestamp, snapshot, targets, and the delegated roles that may
  // describe catalogs. One of these that cannot be had is a problem in the
  // outcome and no failure. On failure what was trusted
  // before stays trusted and on disk, except that a root, timestamp or snapshot
  // that was itself verified replaces the older one, as the specification wants
  // it; Trusted() goes on giving the targets of the last refresh that
  // succeeded. With nothing new this makes two requests, for the next root and
  // for the timestamp, and with `roots_are_recent` only the second. Errors (all
  // name the file):
  // WU_E_METADATA_BAD_SIGNATURE (threshold not met),
  // WU_E_METADATA_SIGNATURE_VERIFY_FAILED (hash, length or version differs
  // from what the signed parent says; malformed),
  // CERT_E_EXPIRED (expired), WU_E_REDIRECTOR_ID_SMALLER (rolled back),
  // network codes.
  virtual absl::StatusOr<RefreshOutcome> Refresh(
      const CancellationToken& cancel) = 0;

  // What was trusted at the last successful refresh, without any network.
  virtual absl::StatusOr<RefreshOutcome> Trusted() = 0;

  // Fetches a target into `destination` (replaced), verifying length and hash
  // while it streams; nothing is left behind on failure. Errors:
  // WU_E_DM_INCORRECTFILEHASH, network codes.
  virtual absl::Status FetchTarget(const TargetFile& target,
                                   const std::filesystem::path& destination,
                                   const CancellationToken& cancel) = 0;
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_REPOSITORY_H_
