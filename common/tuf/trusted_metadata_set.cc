#include "common/tuf/trusted_metadata_set.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata_codec.h"

namespace usher::tuf {
namespace {

// "timestamp.json: …", with the file as the subject.
absl::Status About(absl::string_view role, const absl::Status& status) {
  if (status.ok()) return status;
  const std::string file = RoleFileName(role);
  return Error(status.code(), HResultOf(status),
               absl::StrCat(file, ": ", status.message()), file);
}

absl::Status Refuse(absl::string_view type, HResult hr,
                    absl::string_view reason) {
  return About(type, Error(hr, reason));
}

absl::Status RolledBack(absl::string_view type, int64_t version,
                        int64_t trusted) {
  return Refuse(type, hr::kWuERedirectorIdSmaller,
                absl::StrCat("rolled back: version ", version,
                             " after the trusted version ", trusted));
}

absl::Status WrongVersion(absl::string_view type, int64_t version,
                          int64_t expected) {
  return Refuse(type, hr::kWuEMetadataSignatureVerifyFailed,
                absl::StrCat("has version ", version, ", not ", expected));
}

absl::Status WrongOrder(absl::string_view type) {
  return Refuse(type, hr::kEUnexpected, "given out of order");
}

std::set<std::string> KeyIdsOf(const Root& root, const std::string& role) {
  const auto it = root.roles.find(role);
  if (it == root.roles.end()) return {};
  return {it->second.key_ids.begin(), it->second.key_ids.end()};
}

}  // namespace

template <typename Body>
absl::StatusOr<Metadata<Body>> TrustedMetadataSet::Verified(
    absl::string_view bytes) const {
  absl::StatusOr<Metadata<Body>> metadata = Parse<Body>(bytes);
  if (!metadata.ok()) return About(Body::kType, metadata.status());
  // Parse() requires every top-level role in a root.
  const Role& role = root_.body.roles.at(std::string{Body::kType});
  const absl::Status signed_status = VerifyThreshold(
      metadata->signed_bytes, metadata->signatures, root_.body.keys, role);
  if (!signed_status.ok()) return About(Body::kType, signed_status);
  return metadata;
}

absl::Status TrustedMetadataSet::CheckExpiry(absl::string_view role,
                                             const Common& body) const {
  if (reference_time_ < body.expires) return absl::OkStatus();
  return Refuse(role, hr::kCertEExpired,
                absl::StrCat("expired at ", FormatExpiry(body.expires),
                             "; the repository's publisher must refresh it "
                             "(or this machine's clock is wrong)"));
}

absl::StatusOr<TrustedMetadataSet> TrustedMetadataSet::Create(
    absl::string_view root, absl::Time reference_time) {
  absl::StatusOr<Metadata<Root>> metadata = Parse<Root>(root);
  if (!metadata.ok()) return About(Root::kType, metadata.status());
  const absl::Status signed_status = VerifyThreshold(
      metadata->signed_bytes, metadata->signatures, metadata->body.keys,
      metadata->body.roles.at(std::string{Root::kType}));
  if (!signed_status.ok()) return About(Root::kType, signed_status);
  return TrustedMetadataSet(*std::move(metadata), reference_time);
}

absl::Status TrustedMetadataSet::UpdateRoot(absl::string_view bytes) {
  if (root_finished_) return WrongOrder(Root::kType);
  USHER_ASSIGN_OR_RETURN(Metadata<Root> next, Verified<Root>(bytes));
  const int64_t trusted = root_.body.version;
  if (next.body.version <= trusted) {
    return RolledBack(Root::kType, next.body.version, trusted);
  }
  if (next.body.version != trusted + 1) {
    return WrongVersion(Root::kType, next.body.version, trusted + 1);
  }
  USHER_RETURN_IF_ERROR(
      About(Root::kType,
            VerifyThreshold(next.signed_bytes, next.signatures, next.body.keys,
                            next.body.roles.at(std::string{Root::kType}))));
  for (const char* role : {"timestamp", "snapshot"}) {
    if (KeyIdsOf(root_.body, role) != KeyIdsOf(next.body, role)) {
      online_keys_rotated_ = true;
    }
  }
  root_ = std::move(next);
  return absl::OkStatus();
}

absl::Status TrustedMetadataSet::FinishRoot() {
  USHER_RETURN_IF_ERROR(CheckExpiry(Root::kType, root_.body));
  root_finished_ = true;
  return absl::OkStatus();
}

absl::Status TrustedMetadataSet::LoadCachedTimestamp(absl::string_view bytes) {
  if (!root_finished_ || timestamp_.has_value()) {
    return WrongOrder(Timestamp::kType);
  }
  USHER_ASSIGN_OR_RETURN(timestamp_, Verified<Timestamp>(bytes));
  return absl::OkStatus();
}

absl::StatusOr<bool> TrustedMetadataSet::UpdateTimestamp(
    absl::string_view bytes) {
  if (!root_finished_ || timestamp_final_) return WrongOrder(Timestamp::kType);
  USHER_ASSIGN_OR_RETURN(Metadata<Timestamp> next, Verified<Timestamp>(bytes));
  if (timestamp_.has_value()) {
    const Timestamp& trusted = timestamp_->body;
    if (next.body.version < trusted.version) {
      return RolledBack(Timestamp::kType, next.body.version, trusted.version);
    }
    if (next.body.version == trusted.version) {
      USHER_RETURN_IF_ERROR(CheckExpiry(Timestamp::kType, trusted));
      timestamp_final_ = true;
      return false;
    }
    if (next.body.snapshot.version < trusted.snapshot.version) {
      return Refuse(Timestamp::kType, hr::kWuERedirectorIdSmaller,
                    absl::StrCat("rolled back: names version ",
                                 next.body.snapshot.version,
                                 " of snapshot.json after the trusted version ",
                                 trusted.snapshot.version));
    }
  }
  USHER_RETURN_IF_ERROR(CheckExpiry(Timestamp::kType, next.body));
  timestamp_ = std::move(next);
  timestamp_final_ = true;
  return true;
}

absl::StatusOr<bool> TrustedMetadataSet::LoadCachedSnapshot(
    absl::string_view bytes) {
  if (!timestamp_final_ || snapshot_.has_value()) {
    return WrongOrder(Snapshot::kType);
  }
  USHER_ASSIGN_OR_RETURN(snapshot_, Verified<Snapshot>(bytes));
  const MetaFile& meta = timestamp_->body.snapshot;
  snapshot_final_ = snapshot_->body.version == meta.version &&
                    CheckContent(bytes, meta.length, meta.hashes, false).ok() &&
                    CheckExpiry(Snapshot::kType, snapshot_->body).ok();
  return snapshot_final_;
}

absl::Status TrustedMetadataSet::CheckSnapshotRollback(
    const Snapshot& next) const {
  if (!snapshot_.has_value()) return absl::OkStatus();
  for (const auto& [file, trusted] : snapshot_->body.meta) {
    const auto it = next.meta.find(file);
    if (it == next.meta.end()) {
      return Refuse(Snapshot::kType, hr::kWuERedirectorIdSmaller,
                    absl::StrCat("rolled back: no longer names ", file));
    }
    if (it->second.version < trusted.version) {
      return Refuse(
          Snapshot::kType, hr::kWuERedirectorIdSmaller,
          absl::StrCat("rolled back: names version ", it->second.version,
                       " of ", file, " after the trusted version ",
                       trusted.version));
    }
  }
  return absl::OkStatus();
}

absl::Status TrustedMetadataSet::UpdateSnapshot(absl::string_view bytes) {
  if (!timestamp_final_ || snapshot_final_) return WrongOrder(Snapshot::kType);
  const MetaFile& meta = timestamp_->body.snapshot;
  USHER_RETURN_IF_ERROR(About(
      Snapshot::kType, CheckContent(bytes, meta.length, meta.hashes, false)));
  USHER_ASSIGN_OR_RETURN(Metadata<Snapshot> next, Verified<Snapshot>(bytes));
  if (snapshot_.has_value() && next.body.version < snapshot_->body.version) {
    return RolledBack(Snapshot::kType, next.body.version,
                      snapshot_->body.version);
  }
  if (next.body.version != meta.version) {
    return WrongVersion(Snapshot::kType, next.body.version, meta.version);
  }
  USHER_RETURN_IF_ERROR(CheckSnapshotRollback(next.body));
  USHER_RETURN_IF_ERROR(CheckExpiry(Snapshot::kType, next.body));
  snapshot_ = std::move(next);
  snapshot_final_ = true;
  return absl::OkStatus();
}

std::shared_ptr<const Targets> TrustedMetadataSet::ShareTargets(
    absl::string_view role) const {
  const auto it = targets_.find(role);
  return it == targets_.end() ? nullptr : it->second.body;
}

const MetaFile* TrustedMetadataSet::targets_meta(absl::string_view role) const {
  if (!snapshot_final_) return nullptr;
  const auto it = snapshot_->body.meta.find(absl::StrCat(role, ".json"));
  return it == snapshot_->body.meta.end() ? nullptr : &it->second;
}

std::optional<TrustedMetadataSet::Signers> TrustedMetadataSet::SignersOf(
    absl::string_view role, absl::string_view delegator) const {
  if (delegator.empty()) {
    const auto it = root_.body.roles.find(std::string(role));
    if (role != Targets::kType || it == root_.body.roles.end()) {
      return std::nullopt;
    }
    return Signers{root_.body.keys, it->second};
  }
  const Targets* const from = targets(delegator);
  if (from == nullptr || !from->delegations.has_value()) return std::nullopt;
  const Role* const found = FindRole(*from->delegations, role);
  if (found == nullptr) return std::nullopt;
  return Signers{from->delegations->keys, *found};
}

bool TrustedMetadataSet::IsTrusted(absl::string_view role,
                                   absl::string_view delegator) const {
  const auto it = targets_.find(role);
  return it != targets_.end() &&
         (delegator.empty() ? role == Targets::kType
                            : it->second.delegator != nullptr) &&
         it->second.delegator == ShareTargets(delegator);
}

absl::StatusOr<std::shared_ptr<const Targets>>
TrustedMetadataSet::VerifiedTargets(absl::string_view bytes,
                                    absl::string_view role,
                                    const Signers& signers) const {
  const MetaFile* const meta = targets_meta(role);
  if (meta == nullptr) {
    return Refuse(Snapshot::kType, hr::kWuEMetadataSignatureVerifyFailed,
                  absl::StrCat("does not name ", RoleFileName(role)));
  }
  USHER_RETURN_IF_ERROR(
      About(role, CheckContent(bytes, meta->length, meta->hashes, false)));
  absl::StatusOr<Metadata<Targets>> next = Parse<Targets>(bytes);
  if (!next.ok()) return About(role, next.status());
  USHER_RETURN_IF_ERROR(
      About(role, VerifyThreshold(next->signed_bytes, next->signatures,
                                  signers.keys, signers.role)));
  if (next->body.version != meta->version) {
    return WrongVersion(role, next->body.version, meta->version);
  }
  USHER_RETURN_IF_ERROR(CheckExpiry(role, next->body));
  return std::make_shared<const Targets>(std::move(next->body));
}

absl::Status TrustedMetadataSet::UpdateTargets(absl::string_view bytes) {
  const std::string role{Targets::kType};
  if (!snapshot_final_ || targets_.contains(role)) return WrongOrder(role);
  const std::optional<Signers> signers = SignersOf(role, "");
  // Parse() requires every top-level role in a root.
  if (!signers.has_value()) return WrongOrder(role);
  USHER_ASSIGN_OR_RETURN(std::shared_ptr<const Targets> next,
                         VerifiedTargets(bytes, role, *signers));
  targets_[role] = {std::move(next), nullptr};
  return absl::OkStatus();
}

absl::Status TrustedMetadataSet::UpdateDelegatedTargets(
    absl::string_view bytes, absl::string_view role,
    absl::string_view delegator) {
  const std::optional<Signers> signers = SignersOf(role, delegator);
  if (!snapshot_final_ || delegator.empty() || !signers.has_value()) {
    return WrongOrder(role);
  }
  // Before the old one is replaced: a role may delegate to itself.
  USHER_ASSIGN_OR_RETURN(std::shared_ptr<const Targets> next,
                         VerifiedTargets(bytes, role, *signers));
  targets_.insert_or_assign(
      std::string(role),
      TrustedTargets{std::move(next), ShareTargets(delegator)});
  return absl::OkStatus();
}

}  // namespace usher::tuf
