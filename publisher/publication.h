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

struct InitOptions {
  std::string service_name;
  std::string service_id;      // canonical; empty: a new one
  std::filesystem::path keys;  // empty: {dir}/keys
  std::string scheme = "ed25519";
  absl::optional<absl::Time> root_expires;  // default: 2 years
};

struct InitResult {
  std::string service_id;
  std::filesystem::path root;
  std::string root_sha256;
  // Roles whose keys were made; the others' were there already.
  std::vector<std::string> created_keys;
  bool encrypted = false;
};

// Workspace::Create() after checking, as clients would, what its catalogs will
// say of the service. `keys`: another folder for the private keys; empty: that
// of the settings.
absl::StatusOr<Workspace> CreateWorkspace(const std::filesystem::path& dir,
                                          Settings settings,
                                          const std::filesystem::path& keys);

// Makes a repository: keys that are missing, bookkeeping, 1.root.json and a
// copy of it as {dir}/root.json, for handing to clients.
absl::StatusOr<InitResult> InitRepository(const std::filesystem::path& dir,
                                          const InitOptions& options,
                                          PassphraseSource& passphrases,
                                          absl::Time now);

struct PublishOptions {
  Expiries expires;
  // Sign everything afresh, changed or not.
  bool renew = false;
  // Versions of targets, snapshot and catalog to keep for readers that are in
  // the middle of a refresh; at least 1.
  int keep = 5;
  // The version of the targets (or of a vendor's document) to reach at least:
  // when others know of higher ones than this folder does.
  int64_t min_targets_version = 1;
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
  // The first of the vendors' documents.
  absl::Time vendors_expire = absl::InfiniteFuture();
};

// Publishes the draft, and what was taken from vendors. Signs only what
// changed, or what has used up half of the time that it was to be valid. All
// checks come before any write.
absl::StatusOr<PublishResult> Publish(Workspace& workspace,
                                      const PublishOptions& options,
                                      PassphraseSource& passphrases,
                                      absl::Time now);

// Signs a new timestamp for what is public, with the timestamp key alone.
// WU_E_INVALID_OPERATION when nothing was published yet.
absl::StatusOr<PublishResult> RefreshTimestamp(Workspace& workspace,
                                               absl::Time expires,
                                               PassphraseSource& passphrases);

// Signs the next root: same keys, new expiry.
absl::StatusOr<PublishResult> RenewRoot(Workspace& workspace,
                                        absl::Time expires,
                                        PassphraseSource& passphrases);

// Removes payload files that neither the draft nor a catalog that is still
// public names.
absl::StatusOr<PayloadStore::Garbage> CollectGarbage(Workspace& workspace,
                                                     bool dry_run);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PUBLICATION_H_
