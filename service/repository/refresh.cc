#include "service/repository/refresh.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/tuf/metadata_codec.h"
#include "service/repository/url.h"

namespace usher::repository {
namespace {

absl::Status TooLarge(absl::string_view name, int64_t max_bytes) {
  return Error(
      hr::kWuEMetadataSignatureVerifyFailed,
      absl::StrCat(name, ": larger than the limit of ", max_bytes, " bytes"),
      name);
}

}  // namespace

absl::StatusOr<std::vector<TargetFile>> CatalogsOf(const tuf::Targets& targets,
                                                   int64_t max_bytes) {
  std::vector<TargetFile> catalogs;
  for (const auto& [name, info] : targets.targets) {
    if (!absl::StartsWith(name, "catalog/") || !absl::EndsWith(name, ".usc")) {
      continue;
    }
    const auto sha256 = info.hashes.find("sha256");
    const absl::StatusOr<Sha256Digest> digest =
        ParseSha256Hex(sha256 == info.hashes.end() ? "" : sha256->second);
    if (!digest.ok()) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat("targets.json: no SHA-256 of ", name),
                   "targets.json");
    }
    if (info.length > max_bytes) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat("targets.json: ", name, " has ", info.length,
                                " bytes; the limit is ", max_bytes),
                   "targets.json");
    }
    catalogs.push_back({name, info.length, *digest});
  }
  return catalogs;
}

RefreshRun::RefreshRun(const RepositoryOptions& options,
                       const MetadataStore& store, Fetcher& fetcher,
                       const CancellationToken& cancel)
    : options_(options), store_(store), fetcher_(fetcher), cancel_(cancel) {}

absl::StatusOr<RefreshOutcome> RefreshRun::Run() {
  USHER_ASSIGN_OR_RETURN(const std::string root,
                         store_.Read("root", options_.max_root_bytes));
  // Section 5.1: one time for the whole run.
  USHER_ASSIGN_OR_RETURN(tuf::TrustedMetadataSet set,
                         tuf::TrustedMetadataSet::Create(root, absl::Now()));
  USHER_RETURN_IF_ERROR(UpdateRoots(set));
  USHER_RETURN_IF_ERROR(UpdateTimestamp(set));
  USHER_RETURN_IF_ERROR(UpdateSnapshot(set));
  USHER_RETURN_IF_ERROR(UpdateTargets(set));
  USHER_ASSIGN_OR_RETURN(
      outcome_.catalogs,
      CatalogsOf(*set.targets(), options_.max_catalog_bytes));
  outcome_.root_version = set.root().version;
  outcome_.root_expires = set.root().expires;
  outcome_.timestamp_version = set.timestamp()->version;
  outcome_.snapshot_version = set.snapshot()->version;
  outcome_.targets_version = set.targets()->version;
  return outcome_;
}

absl::Status RefreshRun::UpdateRoots(tuf::TrustedMetadataSet& set) {
  for (int i = 0; i < options_.max_root_rotations; ++i) {
    const std::string name = absl::StrCat(set.root().version + 1, ".root.json");
    const absl::StatusOr<std::string> bytes =
        Fetch(name, options_.max_root_bytes);
    if (!bytes.ok()) {
      if (IsMissingFile(bytes.status())) break;  // the trusted one is the last
      return bytes.status();
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

absl::Status RefreshRun::UpdateTimestamp(tuf::TrustedMetadataSet& set) {
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

absl::Status RefreshRun::UpdateSnapshot(tuf::TrustedMetadataSet& set) {
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

absl::Status RefreshRun::UpdateTargets(tuf::TrustedMetadataSet& set) {
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
  // What a refresh could not end with is not kept either.
  USHER_RETURN_IF_ERROR(
      CatalogsOf(*set.targets(), options_.max_catalog_bytes).status());
  return Keep("targets", bytes);
}

absl::StatusOr<std::string> RefreshRun::FetchDescribed(
    const tuf::TrustedMetadataSet& set, absl::string_view role,
    const tuf::MetaFile& meta, int64_t max_bytes) {
  const std::string file = tuf::RoleFileName(role);
  const std::string name = set.root().consistent_snapshot.value_or(false)
                               ? absl::StrCat(meta.version, ".", file)
                               : file;
  if (meta.length.value_or(0) > max_bytes) return TooLarge(name, max_bytes);
  return Fetch(name, meta.length.value_or(max_bytes));
}

absl::StatusOr<std::string> RefreshRun::Fetch(const std::string& name,
                                              int64_t max_bytes) {
  std::string bytes;
  ++outcome_.requests;
  const absl::Status status = fetcher_.Fetch(
      JoinUrl(JoinUrl(options_.url, "metadata"), name), max_bytes,
      [&bytes](absl::string_view data) {
        bytes.append(data.data(), data.size());
        return absl::OkStatus();
      },
      cancel_);
  outcome_.bytes += static_cast<int64_t>(bytes.size());
  if (status.ok()) return bytes;
  if (HResultOf(status) == hr::kWuEInvalidFile) {
    return TooLarge(name, max_bytes);
  }
  return Error(status.code(), HResultOf(status),
               absl::StrCat(name, ": ", status.message()), name);
}

absl::Status RefreshRun::Keep(absl::string_view role, absl::string_view bytes) {
  outcome_.changed = true;
  return store_.Write(role, bytes);
}

}  // namespace usher::repository
