#ifndef USHER_PUBLISHER_PUBLICATION_H_
#define USHER_PUBLISHER_PUBLICATION_H_

// Making a draft public: catalog, metadata, signatures. Readers see the old or
// the new state at any moment, since the timestamp, which names everything
// else, is replaced last and nothing that it named before is touched.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "publisher/key_ring.h"
#include "publisher/payload_store.h"
#include "publisher/pruning.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// When newly signed documents expire.
struct Expiries {
  absl::Time targets;
  absl::Time snapshot;
  absl::Time timestamp;
  // 90 days, 90 days and 14 days after `now`.
  static Expiries Default(absl::Time now);
};

struct PublishOptions {
  Expiries expires;
  // Sign everything afresh, changed or not.
  bool renew = false;
  // Versions of targets, snapshot and catalog to keep for readers that are in
  // the middle of a refresh.
  KeepOld keep;
  // What the versions of targets, snapshot and timestamp (or of a vendor's
  // document) are to be at least: when others know of higher ones than this
  // folder does.
  int64_t min_version = 1;
};

struct PublishResult {
  // False: everything was public already.
  bool changed = false;
  int64_t updates = 0;
  int64_t payloads_moved = 0;
  int64_t payloads_absent = 0;
  int64_t catalog_files = 0;
  int64_t catalog_bytes = 0;   // of all of them
  std::string catalog_sha256;  // of their hashes and names
  // Of catalogs and metadata that were written.
  int64_t bytes_written = 0;
  int64_t root_version = 0;
  int64_t targets_version = 0;
  int64_t snapshot_version = 0;
  int64_t timestamp_version = 0;
  absl::Time root_expires;
  absl::Time targets_expires;
  absl::Time timestamp_expires;
  // The first of the vendors' documents, and whose it is.
  absl::Time vendors_expire = absl::InfiniteFuture();
  std::string first_vendor;
  // Older roots that are not public, so that clients who were given one may not
  // find the way to the present one.
  std::vector<std::string> missing_roots;
  // Whose documents are missing or not what the snapshot names.
  std::vector<std::string> damaged_vendors;
};

// Publishes the draft, and what was taken from vendors. Signs only what
// changed, or what has used up half of the time that it was to be valid. All
// checks come before any write.
absl::StatusOr<PublishResult> Publish(Workspace& workspace,
                                      const PublishOptions& options,
                                      PassphraseSource& passphrases,
                                      absl::Time now);

// Signs a new timestamp for what is public, with the timestamp key alone, if it
// is what was signed here (PublishedMetadata::Load()). WU_E_INVALID_OPERATION
// when nothing was published yet.
absl::StatusOr<PublishResult> RefreshTimestamp(Workspace& workspace,
                                               absl::Time expires,
                                               PassphraseSource& passphrases);

// Signs the next root: same keys, new expiry.
absl::StatusOr<PublishResult> RenewRoot(Workspace& workspace,
                                        absl::Time expires,
                                        PassphraseSource& passphrases);

// After a new root is public: RefreshTimestamp() with the expiry that the
// timestamp has, since clients look for a root as soon as the timestamp changes
// and else only once in a while. Nothing when nothing was published yet.
absl::StatusOr<absl::optional<PublishResult>> AnnounceRoot(
    Workspace& workspace, PassphraseSource& passphrases, absl::Time now);

// Removes payload files that neither the draft nor a catalog that is still
// public names.
absl::StatusOr<PayloadStore::Garbage> CollectGarbage(Workspace& workspace,
                                                     bool dry_run);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PUBLICATION_H_
