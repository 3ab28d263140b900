#ifndef USHER_COMMON_TUF_TRUSTED_METADATA_SET_H_
#define USHER_COMMON_TUF_TRUSTED_METADATA_SET_H_

// The order-enforcing core of the client workflow (TUF specification, section
// 5.3 to 5.6), without I/O: bytes go in, trusted documents come out.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/tuf/metadata.h"

namespace usher::tuf {

// Succeeds when at least `role.threshold` different keys of `role` signed.
// A key counts once, under however many ids it is listed. `keys` is the
// delegating document's. WU_E_METADATA_BAD_SIGNATURE otherwise.
absl::Status VerifyThreshold(absl::string_view signed_bytes,
                             const std::vector<Signature>& signatures,
                             const std::map<std::string, Key>& keys,
                             const Role& role);

// Whether `bytes` have the length and every hash of a known algorithm that
// their parent says. At least one hash must be of a known algorithm if
// `need_hash`. WU_E_METADATA_SIGNATURE_VERIFY_FAILED otherwise.
absl::Status CheckContent(absl::string_view bytes,
                          const std::optional<int64_t>& length,
                          const Hashes& hashes, bool need_hash);

// A document is trusted once its call succeeded; a call that fails changes
// nothing. Calls must come in the order of the specification: roots, then the
// timestamp, the snapshot, the targets, delegated roles after who delegates to
// them; another order is E_UNEXPECTED. Expiry
// is judged by one time for the whole set. Errors name the file
// ("snapshot.json: …", also as the subject; a delegated role's as its role's
// name says, encoded) and are:
// WU_E_METADATA_BAD_SIGNATURE (threshold not met),
// WU_E_METADATA_SIGNATURE_VERIFY_FAILED (malformed, or not what its parent
// names), CERT_E_EXPIRED, WU_E_REDIRECTOR_ID_SMALLER (rolled back).
//
// Not thread-safe.
class TrustedMetadataSet {
 public:
  // Starts from a trusted root, which must be signed by its own threshold; it
  // may be expired until the timestamp comes.
  static absl::StatusOr<TrustedMetadataSet> Create(absl::string_view root,
                                                   absl::Time reference_time);

  // The next root: version exactly one more, signed by the thresholds of the
  // trusted root and of itself.
  absl::Status UpdateRoot(absl::string_view bytes);

  // Whether the roots taken since Create() changed who signs timestamp or
  // snapshot. Then cached ones must be deleted and not loaded (section
  // 5.3.11): that is how a repository recovers from versions run up by a
  // stolen key.
  bool online_keys_rotated() const { return online_keys_rotated_; }

  // Ends the root updates: the trusted root must not be expired.
  absl::Status FinishRoot();

  // Takes the timestamp kept from an earlier run: signed, but expiry does not
  // matter, since it serves to detect a roll-back and an update that changes
  // nothing.
  absl::Status LoadCachedTimestamp(absl::string_view bytes);

  // Takes a new timestamp. False: it has the version of the trusted one,
  // which stays.
  absl::StatusOr<bool> UpdateTimestamp(absl::string_view bytes);

  // The same for snapshots. True: the cached one is what the timestamp names,
  // and no other is needed; false: it only serves to detect a roll-back.
  absl::StatusOr<bool> LoadCachedSnapshot(absl::string_view bytes);
  absl::Status UpdateSnapshot(absl::string_view bytes);

  // Takes targets, new or cached: both must be exactly what the snapshot
  // names.
  absl::Status UpdateTargets(absl::string_view bytes);

  // The same for a role that `delegator`, a trusted one, delegates to: signed
  // as that one says now. Replaces what was taken on the word of another
  // delegator.
  absl::Status UpdateDelegatedTargets(absl::string_view bytes,
                                      absl::string_view role,
                                      absl::string_view delegator);

  // Whether `role` was taken on the word of `delegator` ("" for the root's on
  // the top-level targets), as that one stands now. One that was taken on
  // another's word must be taken again.
  bool IsTrusted(absl::string_view role, absl::string_view delegator) const;

  const Root& root() const { return root_.body; }
  // Null until trusted.
  const Timestamp* timestamp() const { return Get(timestamp_); }
  const Snapshot* snapshot() const { return Get(snapshot_); }
  const Targets* targets(absl::string_view role = "targets") const {
    return ShareTargets(role).get();
  }
  // The same for who keeps it when another takes its place here.
  std::shared_ptr<const Targets> ShareTargets(absl::string_view role) const;
  // What the snapshot says of a targets role; null before a snapshot, and if
  // it does not name the role.
  const MetaFile* targets_meta(absl::string_view role = "targets") const;

 private:
  TrustedMetadataSet(Metadata<Root> root, absl::Time reference_time)
      : root_(std::move(root)), reference_time_(reference_time) {}

  template <typename Body>
  static const Body* Get(const std::optional<Metadata<Body>>& metadata) {
    return metadata.has_value() ? &metadata->body : nullptr;
  }

  // Who may sign a role, with which keys.
  struct Signers {
    const std::map<std::string, Key>& keys;
    const Role& role;
  };

  // Parses and verifies by the root's role for Body.
  template <typename Body>
  absl::StatusOr<Metadata<Body>> Verified(absl::string_view bytes) const;
  absl::Status CheckExpiry(absl::string_view role, const Common& body) const;
  // Null if `delegator` is not trusted or does not delegate to `role`.
  std::optional<Signers> SignersOf(absl::string_view role,
                                   absl::string_view delegator) const;
  // Targets exactly as the snapshot names them, signed by `signers`.
  absl::StatusOr<std::shared_ptr<const Targets>> VerifiedTargets(
      absl::string_view bytes, absl::string_view role,
      const Signers& signers) const;
  absl::Status CheckSnapshotRollback(const Snapshot& next) const;

  // A targets role without its signatures, which have done their duty: there
  // may be many, and large ones.
  struct TrustedTargets {
    std::shared_ptr<const Targets> body;
    // On whose word; null: on the root's.
    std::shared_ptr<const Targets> delegator;
  };

  Metadata<Root> root_;
  absl::Time reference_time_;
  bool online_keys_rotated_ = false;
  bool root_finished_ = false;
  bool timestamp_final_ = false;
  bool snapshot_final_ = false;
  std::optional<Metadata<Timestamp>> timestamp_;
  std::optional<Metadata<Snapshot>> snapshot_;
  std::map<std::string, TrustedTargets, std::less<>> targets_;  // by role
};

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_TRUSTED_METADATA_SET_H_
