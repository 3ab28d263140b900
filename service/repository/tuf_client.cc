#include "service/repository/tuf_client.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/missing_file.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata_codec.h"

namespace usher::repository {
namespace {

absl::Status TooLarge(absl::string_view name, int64_t max_bytes) {
  return Error(
      hr::kWuEMetadataSignatureVerifyFailed,
      absl::StrCat(name, ": larger than the limit of ", max_bytes, " bytes"),
      name);
}

}  // namespace

TufClient::TufClient(const RepositoryOptions& options, std::string metadata_url,
                     const MetadataStore& store, Fetcher& fetcher,
                     const CancellationToken& cancel, TargetsCheck check)
    : options_(options),
      metadata_url_(std::move(metadata_url)),
      store_(store),
      fetcher_(fetcher),
      cancel_(cancel),
      check_(std::move(check)),
      budget_(options) {}

absl::Status TufClient::Refresh() {
  USHER_ASSIGN_OR_RETURN(const std::string root,
                         store_.Read("root", options_.max_root_bytes));
  // Section 5.1: one time for the whole run.
  USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet set,
                         tuf::TrustedMetadataSet::Create(root, absl::Now()));
  bool unchanged = false;
  if (options_.roots_are_recent) {
    tuf::TrustedMetadataSet same = set;
    USHER_ASSIGN_OR_RETURN(unchanged, TimestampIsUnchanged(same));
    if (unchanged) set = std::move(same);
  }
  if (!unchanged) {
    USHER_RETURN_IF_ERROR(UpdateRoots(set));
    USHER_RETURN_IF_ERROR(UpdateTimestamp(set));
  }
  USHER_RETURN_IF_ERROR(UpdateSnapshot(set));
  USHER_RETURN_IF_ERROR(UpdateTargets(set));
  set_.emplace(std::move(set));
  return absl::OkStatus();
}

absl::StatusOr<bool> TufClient::TimestampIsUnchanged(
    tuf::TrustedMetadataSet& set) {
  const std::optional<std::string> cached =
      store_.ReadIfUsable("timestamp", options_.max_timestamp_bytes);
  if (!cached.has_value() || !set.FinishRoot().ok()) return false;
  const absl::StatusOr<std::string> bytes =
      Fetch("timestamp.json", options_.max_timestamp_bytes);
  if (!bytes.ok()) {
    // A server that has no usable timestamp may have a root that says why; one
    // that does not answer has neither.
    if (WasNotAnswered(bytes.status())) return bytes.status();
    return false;
  }
  // Nothing that is not trusted already gets in this way, and what has expired
  // does not stay.
  return *bytes == *cached && set.UpdateTimestamp(*bytes).ok();
}

absl::Status TufClient::UpdateRoots(tuf::TrustedMetadataSet& set) {
  for (int i = 0; i < options_.max_root_rotations; ++i) {
    const std::string name = absl::StrCat(set.root().version + 1, ".root.json");
    const absl::StatusOr<std::string> bytes =
        Fetch(name, options_.max_root_bytes);
    if (!bytes.ok()) {
      if (!IsMissingFile(bytes.status())) return bytes.status();
      work_.roots_followed = true;  // the trusted one is the last
      break;
    }
    const bool rotated_before = set.online_keys_rotated();
    USHER_RETURN_IF_ERROR(set.UpdateRoot(*bytes));
    if (set.online_keys_rotated() && !rotated_before) {
      // Section 5.3.11. Before the root: dying in between must not leave files
      // that a stolen key ran up under a root that no longer trusts it.
      USHER_RETURN_IF_ERROR(store_.Remove("timestamp"));
      USHER_RETURN_IF_ERROR(store_.Remove("snapshot"));
    }
    USHER_RETURN_IF_ERROR(Keep("root", *bytes));
  }
  return set.FinishRoot();
}

absl::Status TufClient::UpdateTimestamp(tuf::TrustedMetadataSet& set) {
  // A damaged or no longer trusted one is as good as none.
  if (const std::optional<std::string> cached =
          store_.ReadIfUsable("timestamp", options_.max_timestamp_bytes)) {
    set.LoadCachedTimestamp(*cached).IgnoreError();
  }
  USHER_ASSIGN_OR_RETURN(const std::string bytes,
                         Fetch("timestamp.json", options_.max_timestamp_bytes));
  USHER_ASSIGN_OR_RETURN(const bool changed, set.UpdateTimestamp(bytes));
  return changed ? Keep("timestamp", bytes) : absl::OkStatus();
}

absl::Status TufClient::UpdateSnapshot(tuf::TrustedMetadataSet& set) {
  if (const std::optional<std::string> cached =
          store_.ReadIfUsable("snapshot", options_.max_snapshot_bytes)) {
    const absl::StatusOr<bool> current = set.LoadCachedSnapshot(*cached);
    if (current.ok() && *current) return absl::OkStatus();
  }
  USHER_ASSIGN_OR_RETURN(
      const std::string bytes,
      FetchDescribed(set, "snapshot", set.timestamp()->snapshot,
                     options_.max_snapshot_bytes));
  USHER_RETURN_IF_ERROR(set.UpdateSnapshot(bytes));
  return Keep("snapshot", bytes);
}

absl::Status TufClient::UpdateTargets(tuf::TrustedMetadataSet& set) {
  if (const std::optional<std::string> cached =
          store_.ReadIfUsable("targets", options_.max_targets_bytes)) {
    if (set.UpdateTargets(*cached).ok()) return absl::OkStatus();
  }
  const tuf::MetaFile* meta = set.targets_meta();
  if (meta == nullptr) {
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 "snapshot.json: does not name targets.json", "snapshot.json");
  }
  USHER_ASSIGN_OR_RETURN(
      const std::string bytes,
      FetchDescribed(set, "targets", *meta, options_.max_targets_bytes));
  USHER_RETURN_IF_ERROR(set.UpdateTargets(bytes));
  if (check_ != nullptr) USHER_RETURN_IF_ERROR(check_(*set.targets()));
  return Keep("targets", bytes);
}

absl::StatusOr<std::shared_ptr<const tuf::Targets>> TufClient::LoadRole(
    absl::string_view role, absl::string_view delegator) {
  if (!set_.has_value()) {
    return Error(hr::kEUnexpected, "roles are loaded after the refresh");
  }
  if (set_->IsTrusted(role, delegator)) return set_->ShareTargets(role);
  const int64_t max_bytes = budget_.For(role, delegator);
  if (const std::optional<std::string> cached =
          store_.ReadIfUsable(role, max_bytes)) {
    if (set_->UpdateDelegatedTargets(*cached, role, delegator).ok()) {
      budget_.Take(role, delegator, cached->size());
      return set_->ShareTargets(role);
    }
  }
  const tuf::MetaFile* meta = set_->targets_meta(role);
  if (meta == nullptr) {
    return Error(
        hr::kWuEMetadataSignatureVerifyFailed,
        absl::StrCat("snapshot.json: does not name ", tuf::RoleFileName(role)),
        "snapshot.json");
  }
  const absl::StatusOr<std::string> bytes =
      FetchDescribed(*set_, role, *meta, max_bytes);
  if (!bytes.ok()) {
    // Larger than its parent says is its parent's matter.
    return HResultOf(bytes.status()) == hr::kWuEMetadataSignatureVerifyFailed &&
                   meta->length.value_or(max_bytes) >= max_bytes
               ? budget_.Exceeded(tuf::RoleFileName(role))
               : bytes.status();
  }
  USHER_RETURN_IF_ERROR(set_->UpdateDelegatedTargets(*bytes, role, delegator));
  budget_.Take(role, delegator, bytes->size());
  USHER_RETURN_IF_ERROR(Keep(role, *bytes));
  return set_->ShareTargets(role);
}

absl::StatusOr<std::optional<tuf::TargetInfo>> TufClient::FindTarget(
    const std::string& name) {
  tuf::TargetSearch search(name, options_.search_limits);
  while (true) {
    USHER_ASSIGN_OR_RETURN(const std::optional<tuf::TargetSearch::Step> step,
                           search.Next());
    if (!step.has_value()) return std::nullopt;
    USHER_ASSIGN_OR_RETURN(const std::shared_ptr<const tuf::Targets> targets,
                           LoadRole(step->role, step->delegator));
    if (const tuf::TargetInfo* const found = search.Visit(*targets)) {
      return *found;
    }
  }
}

absl::StatusOr<std::string> TufClient::FetchDescribed(
    const tuf::TrustedMetadataSet& set, absl::string_view role,
    const tuf::MetaFile& meta, int64_t max_bytes) {
  const std::string file = tuf::RoleFileName(role);
  const std::string name = set.root().consistent_snapshot.value_or(false)
                               ? absl::StrCat(meta.version, ".", file)
                               : file;
  if (meta.length.value_or(0) > max_bytes) return TooLarge(name, max_bytes);
  return Fetch(name, meta.length.value_or(max_bytes));
}

absl::StatusOr<std::string> TufClient::Fetch(const std::string& name,
                                             int64_t max_bytes) {
  std::string bytes;
  ++work_.requests;
  const absl::Status status = fetcher_.Fetch(
      // The name is encoded where it needs to be (RoleFileName).
      absl::StrCat(absl::StripSuffix(metadata_url_, "/"), "/", name), max_bytes,
      [&bytes](absl::string_view data) {
        bytes.append(data.data(), data.size());
        return absl::OkStatus();
      },
      cancel_);
  work_.bytes += static_cast<int64_t>(bytes.size());
  if (status.ok()) return bytes;
  if (HResultOf(status) == hr::kWuEInvalidFile) {
    return TooLarge(name, max_bytes);
  }
  return Error(status.code(), HResultOf(status),
               absl::StrCat(name, ": ", status.message()), name);
}

absl::Status TufClient::Keep(absl::string_view role, absl::string_view bytes) {
  work_.changed = true;
  return store_.Write(role, bytes);
}

}  // namespace usher::repository
