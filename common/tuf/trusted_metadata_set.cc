#include "common/tuf/trusted_metadata_set.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/metadata_codec.h"

namespace usher::tuf {
namespace {

constexpr char kTargetsFile[] = "targets.json";

std::string FileOf(absl::string_view type) {
  return absl::StrCat(type, ".json");
}

// "timestamp.json: …", with the file as the subject.
absl::Status About(absl::string_view type, const absl::Status& status) {
  if (status.ok()) return status;
  const std::string file = FileOf(type);
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

std::set<std::string> SignersOf(const Root& root, const std::string& role) {
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

absl::Status TrustedMetadataSet::CheckExpiry(absl::string_view type,
                                             const Common& body) const {
  if (reference_time_ < body.expires) return absl::OkStatus();
  return Refuse(type, hr::kCertEExpired,
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
    if (SignersOf(root_.body, role) != SignersOf(next.body, role)) {
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

const MetaFile* TrustedMetadataSet::targets_meta() const {
  if (!snapshot_final_) return nullptr;
  const auto it = snapshot_->body.meta.find(kTargetsFile);
  return it == snapshot_->body.meta.end() ? nullptr : &it->second;
}

absl::Status TrustedMetadataSet::UpdateTargets(absl::string_view bytes) {
  if (!snapshot_final_ || targets_.has_value()) {
    return WrongOrder(Targets::kType);
  }
  const MetaFile* meta = targets_meta();
  if (meta == nullptr) {
    return Refuse(Snapshot::kType, hr::kWuEMetadataSignatureVerifyFailed,
                  "does not name targets.json");
  }
  USHER_RETURN_IF_ERROR(About(
      Targets::kType, CheckContent(bytes, meta->length, meta->hashes, false)));
  USHER_ASSIGN_OR_RETURN(Metadata<Targets> next, Verified<Targets>(bytes));
  if (next.body.version != meta->version) {
    return WrongVersion(Targets::kType, next.body.version, meta->version);
  }
  USHER_RETURN_IF_ERROR(CheckExpiry(Targets::kType, next.body));
  targets_ = std::move(next);
  return absl::OkStatus();
}

}  // namespace usher::tuf
