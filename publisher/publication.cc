#include "publisher/publication.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "common/utf8.h"
#include "common/uuid.h"
#include "publisher/catalog_file.h"
#include "publisher/claims.h"
#include "publisher/prepared_catalogs.h"
#include "publisher/pruning.h"
#include "publisher/published_metadata.h"
#include "publisher/real_folders.h"
#include "publisher/update_checks.h"
#include "publisher/vendor.h"
#include "publisher/vendor_publication.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using repository::v1::CatalogRecord;
using repository::v1::Payload;
using repository::v1::UpdateDescription;

constexpr absl::Duration kDay = absl::Hours(24);
// What clients accept (service/repository/repository.h).
constexpr size_t kMaxTimestampBytes = size_t{16} * 1024;
constexpr size_t kMaxSnapshotBytes = size_t{2} * 1024 * 1024;
constexpr uint64_t kMaxCatalogFile = uint64_t{4} << 30;

// The key of a role, checked to be the one that the root names.
absl::StatusOr<tuf::PrivateKey> SigningKey(const Workspace& workspace,
                                           const tuf::Root& root,
                                           const std::string& role,
                                           PassphraseSource& passphrases) {
  const fs::path path = KeyPath(workspace.keys_dir(), role);
  auto key = LoadKey(path, passphrases);
  if (!key.ok()) {
    return Annotate(key.status(), absl::StrCat("the ", role, " key"));
  }
  const auto found = root.roles.find(role);
  if (found == root.roles.end() || found->second.threshold != 1 ||
      !absl::c_linear_search(found->second.key_ids, key->key_id())) {
    return Error(hr::kWuEMetadataBadSignature,
                 absl::StrCat(PathToUtf8(path),
                              " is not the key that the root gives the role ",
                              role, "; put the right one there"),
                 PathToUtf8(path));
  }
  return key;
}

// The version after what was given out before and what is public.
template <typename Body>
absl::StatusOr<int64_t> NextVersionOf(
    int64_t given_out, const absl::optional<tuf::Metadata<Body>>& published) {
  return NextVersion(
      std::max(given_out,
               published.has_value() ? published->body.version : int64_t{0}),
      Body::kType);
}

// A publisher was killed between the two places of the newest root.
absl::Status MendRootCopy(const Workspace& workspace,
                          const PublishedMetadata& published) {
  if (!published.root_copy_is_old) return absl::OkStatus();
  return WriteRoot(workspace, published.root.body.version, published.root_text);
}

// Keeps the first of the vendors' documents to expire.
void NoteVendorExpiry(absl::string_view vendor, absl::Time expires,
                      PublishResult& result) {
  if (expires >= result.vendors_expire) return;
  result.vendors_expire = expires;
  result.first_vendor = std::string(vendor);
}

// When the vendors' documents expire that the snapshot names. What cannot be
// read is named, and no reason to let the timestamp expire.
void ReadVendorExpiries(const Workspace& workspace,
                        const tuf::Snapshot& snapshot, PublishResult& result) {
  for (const Vendor& vendor : workspace.settings().vendors) {
    const auto meta = snapshot.meta.find(tuf::RoleFileName(vendor.name));
    if (vendor.removed || meta == snapshot.meta.end()) continue;
    const fs::path path =
        workspace.metadata_dir() /
        PathFromUtf8(VersionedName(meta->second.version, vendor.name));
    const std::string text = ReadFile(path, kMaxMetadataBytes).value_or("");
    const auto document = tuf::Parse<tuf::Targets>(text);
    if (!document.ok() ||
        !tuf::CheckContent(text, meta->second.length, meta->second.hashes,
                           /*need_hash=*/true)
             .ok()) {
      result.damaged_vendors.push_back(vendor.name);
      continue;
    }
    NoteVendorExpiry(vendor.name, document->body.expires, result);
  }
}

// What one run of Publish() decides and signs.
class Publication {
 public:
  Publication(Workspace& workspace, const PublishOptions& options,
              PassphraseSource& passphrases, absl::Time now)
      : workspace_(workspace),
        options_(options),
        passphrases_(passphrases),
        now_(now) {}

  absl::StatusOr<PublishResult> Run() {
    USHER_RETURN_IF_ERROR(Prepare());
    USHER_RETURN_IF_ERROR(SignAll());
    USHER_RETURN_IF_ERROR(WriteAll());
    return result_;
  }

 private:
  absl::Status Prepare() {
    USHER_ASSIGN_OR_RETURN(
        published_,
        PublishedMetadata::Load(
            workspace_, options_.renew ? PublishedMetadata::Wrong::kIgnore
                                       : PublishedMetadata::Wrong::kRefuse));
    const tuf::Root& root = published_.root.body;
    if (root.expires <= now_) {
      return Error(hr::kCertEExpired,
                   absl::StrCat("the root expired; run \"usher-publish "
                                "renew-root ",
                                PathToUtf8(workspace_.dir()), "\" first"),
                   "root.json");
    }
    USHER_ASSIGN_OR_RETURN(PreparedCatalogs catalogs,
                           PreparedCatalogs::Make(workspace_, options_.renew));
    catalogs_.emplace(std::move(catalogs));
    USHER_RETURN_IF_ERROR(
        CheckClaims(workspace_, kOwnClaims, catalogs_->claims()));
    USHER_RETURN_IF_ERROR(ReadVendors());
    result_.updates = catalogs_->updates();
    result_.payloads_absent = catalogs_->payloads_absent();
    result_.catalog_files = static_cast<int64_t>(catalogs_->targets().size());
    result_.catalog_bytes = catalogs_->bytes();
    result_.catalog_sha256 = catalogs_->Digest();
    result_.root_version = root.version;
    result_.root_expires = root.expires;
    result_.missing_roots = published_.missing_roots;
    return absl::OkStatus();
  }

  // What clients will ask of the vendors' documents: they leave out a vendor
  // whose keys have changed since it signed.
  absl::Status ReadVendors() {
    delegations_ = DelegationsTo(workspace_.settings().vendors);
    for (Vendor& vendor : workspace_.settings().vendors) {
      if (vendor.version == 0) continue;
      if (vendor.removed) {
        vendor_meta_[tuf::RoleFileName(vendor.name)].version = vendor.version;
        continue;
      }
      if (!HasClaims(workspace_, vendor.name)) {
        return Error(hr::kWuEInvalidOperation,
                     absl::StrCat("vendor ", vendor.name,
                                  " has come back; check what it has by "
                                  "\"usher-publish vendor take ",
                                  PathToUtf8(workspace_.dir()), " ",
                                  vendor.name, " FROM\", or remove it"),
                     vendor.name);
      }
      const fs::path path =
          workspace_.metadata_dir() /
          PathFromUtf8(VersionedName(vendor.version, vendor.name));
      const auto file = ReadFile(path, kMaxMetadataBytes);
      if (!file.ok()) {
        return Annotate(
            file.status(),
            absl::StrCat("the document of vendor ", vendor.name,
                         " cannot be read; run \"usher-publish vendor take ",
                         PathToUtf8(workspace_.dir()), " ", vendor.name,
                         " FROM\" again, or remove the vendor"));
      }
      const std::string& text = *file;
      const std::string sha256 = ToHex(Sha256Of(text));
      if (!vendor.sha256.empty() && sha256 != vendor.sha256) {
        return Error(hr::kWuEMetadataSignatureVerifyFailed,
                     absl::StrCat(PathToUtf8(path),
                                  " is not what was taken from the vendor; "
                                  "run \"usher-publish vendor take ",
                                  PathToUtf8(workspace_.dir()), " ",
                                  vendor.name, " FROM\" again"),
                     vendor.name);
      }
      auto document = tuf::Parse<tuf::Targets>(text);
      if (!document.ok()) {
        return Annotate(document.status(), PathToUtf8(path));
      }
      if (const absl::Status status = tuf::VerifyThreshold(
              document->signed_bytes, document->signatures, delegations_->keys,
              *tuf::FindRole(*delegations_, vendor.name));
          !status.ok()) {
        return Error(hr::kWuEMetadataBadSignature,
                     absl::StrCat("vendor ", vendor.name, ", version ",
                                  vendor.version, ": ", status.message(),
                                  "; take a folder that it has signed with its "
                                  "present keys, or remove it"),
                     vendor.name);
      }
      if (document->body.version != vendor.version) {
        return Error(hr::kWuEMetadataSignatureVerifyFailed,
                     absl::StrCat(PathToUtf8(path), " has version ",
                                  document->body.version,
                                  "; take the vendor's folder again"),
                     vendor.name);
      }
      vendor.sha256 = sha256;
      vendor_meta_[tuf::RoleFileName(vendor.name)] =
          tuf::DescribeMetadata(vendor.version, text);
      NoteVendorExpiry(vendor.name, document->body.expires, result_);
    }
    return absl::OkStatus();
  }

  // The targets, but for version and expiry.
  tuf::Targets NextTargets() const {
    tuf::Targets body;
    body.targets = catalogs_->targets();
    if (delegations_.has_value()) body.delegations = *delegations_;
    return body;
  }

  bool TargetsChanged() const {
    if (!published_.targets.has_value()) return true;
    tuf::Targets body = NextTargets();
    body.version = published_.targets->body.version;
    body.expires = published_.targets->body.expires;
    const auto bytes = tuf::SignedBytes(body);
    return !bytes.ok() || *bytes != published_.targets->signed_bytes;
  }

  bool VendorsChanged() const {
    if (!published_.snapshot.has_value()) return true;
    std::map<std::string, tuf::MetaFile> meta = published_.snapshot->body.meta;
    meta.erase("targets.json");
    return !absl::c_equal(meta, vendor_meta_, [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.version == b.second.version &&
             a.second.length == b.second.length &&
             a.second.hashes == b.second.hashes;
    });
  }

  // Whether a document must be signed again though nothing changed.
  template <typename Body>
  bool Stale(const absl::optional<tuf::Metadata<Body>>& metadata,
             absl::Time renewed) const {
    if (options_.renew || !metadata.has_value()) return true;
    return IsAgeing(metadata->body.expires, renewed, now_);
  }

  absl::Status SignAll() {
    const bool targets =
        TargetsChanged() ||
        published_.targets->body.version < options_.min_version ||
        Stale(published_.targets, options_.expires.targets);
    const bool snapshot =
        targets || VendorsChanged() ||
        published_.snapshot->body.version < options_.min_version ||
        Stale(published_.snapshot, options_.expires.snapshot);
    const bool timestamp =
        snapshot || published_.timestamp->body.version < options_.min_version ||
        Stale(published_.timestamp, options_.expires.timestamp);
    if (targets) {
      USHER_RETURN_IF_ERROR(SignTargets());
    } else {
      Report(published_.targets->body);
    }
    if (snapshot) {
      USHER_RETURN_IF_ERROR(SignSnapshot());
    } else {
      result_.snapshot_version = published_.snapshot->body.version;
    }
    if (timestamp) {
      USHER_RETURN_IF_ERROR(SignTimestamp());
    } else {
      result_.timestamp_version = published_.timestamp->body.version;
      result_.timestamp_expires = published_.timestamp->body.expires;
    }
    result_.changed = timestamp;
    return absl::OkStatus();
  }

  // At least as high as was asked for.
  template <typename Body>
  absl::StatusOr<int64_t> NextVersion(
      int64_t given_out,
      const absl::optional<tuf::Metadata<Body>>& published) const {
    return NextVersionOf(std::max(given_out, options_.min_version - 1),
                         published);
  }

  void Report(const tuf::Targets& targets) {
    result_.targets_version = targets.version;
    result_.targets_expires = targets.expires;
  }

  absl::Status SignTargets() {
    USHER_ASSIGN_OR_RETURN(
        const tuf::PrivateKey key,
        SigningKey(workspace_, published_.root.body, "targets", passphrases_));
    tuf::Targets body = NextTargets();
    USHER_ASSIGN_OR_RETURN(
        body.version,
        NextVersion(workspace_.settings().targets_version, published_.targets));
    body.expires = options_.expires.targets;
    Report(body);
    USHER_ASSIGN_OR_RETURN(targets_, SignDocument(std::move(body), key));
    return absl::OkStatus();
  }

  absl::Status SignSnapshot() {
    USHER_ASSIGN_OR_RETURN(
        const tuf::PrivateKey key,
        SigningKey(workspace_, published_.root.body, "snapshot", passphrases_));
    tuf::Snapshot body;
    USHER_ASSIGN_OR_RETURN(body.version,
                           NextVersion(workspace_.settings().snapshot_version,
                                       published_.snapshot));
    body.expires = options_.expires.snapshot;
    body.meta = vendor_meta_;
    body.meta["targets.json"] =
        targets_.has_value()
            ? tuf::DescribeMetadata(targets_->version, targets_->text)
            : published_.snapshot->body.meta.at("targets.json");
    result_.snapshot_version = body.version;
    USHER_ASSIGN_OR_RETURN(snapshot_, SignDocument(std::move(body), key));
    if (snapshot_->text.size() > kMaxSnapshotBytes) {
      return Error(hr::kWuEMaxCapacityReached,
                   "the snapshot is larger than clients accept: the "
                   "repository has had too many vendors");
    }
    return absl::OkStatus();
  }

  absl::Status SignTimestamp() {
    USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                           SigningKey(workspace_, published_.root.body,
                                      "timestamp", passphrases_));
    tuf::Timestamp body;
    USHER_ASSIGN_OR_RETURN(body.version,
                           NextVersion(workspace_.settings().timestamp_version,
                                       published_.timestamp));
    body.expires = options_.expires.timestamp;
    body.snapshot =
        snapshot_.has_value()
            ? tuf::DescribeMetadata(snapshot_->version, snapshot_->text)
            : published_.timestamp->body.snapshot;
    result_.timestamp_version = body.version;
    result_.timestamp_expires = body.expires;
    USHER_ASSIGN_OR_RETURN(timestamp_, SignDocument(std::move(body), key));
    if (timestamp_->text.size() > kMaxTimestampBytes) {
      return Error(hr::kWuEMaxCapacityReached,
                   "the timestamp is larger than clients accept");
    }
    return absl::OkStatus();
  }

  // What is named comes before what names it; the timestamp is last.
  absl::Status WriteAll() {
    USHER_ASSIGN_OR_RETURN(result_.payloads_moved, catalogs_->WritePayloads());
    USHER_FAULT_POINT("publisher.payloads_written");
    USHER_ASSIGN_OR_RETURN(result_.bytes_written, catalogs_->WriteFiles());
    USHER_FAULT_POINT("publisher.catalog_written");
    USHER_RETURN_IF_ERROR(
        WriteClaims(workspace_, kOwnClaims, catalogs_->claims()));
    USHER_RETURN_IF_ERROR(MendRootCopy(workspace_, published_));
    if (!timestamp_.has_value()) {
      USHER_RETURN_IF_ERROR(
          ConfirmSigned(workspace_, RecordOf(*published_.timestamp)));
      return catalogs_->Remember();
    }
    // Recorded before they are public, so that no version is given out twice,
    // and so that what is found there later is known for what was signed here.
    Settings& settings = workspace_.settings();
    settings.targets_version = result_.targets_version;
    settings.snapshot_version = result_.snapshot_version;
    settings.timestamp_version = result_.timestamp_version;
    settings.shard_bits = catalogs_->shard_bits();
    USHER_RETURN_IF_ERROR(
        BeginSigned(workspace_,
                    published_.timestamp.has_value()
                        ? absl::make_optional(RecordOf(*published_.timestamp))
                        : absl::nullopt,
                    timestamp_->record));
    USHER_FAULT_POINT("publisher.settings_written");
    const fs::path metadata = workspace_.metadata_dir();
    if (targets_.has_value()) {
      USHER_RETURN_IF_ERROR(
          WritePublic(workspace_.public_dir(),
                      metadata / VersionedName(targets_->version, "targets"),
                      targets_->text));
      USHER_FAULT_POINT("publisher.targets_written");
    }
    if (snapshot_.has_value()) {
      USHER_RETURN_IF_ERROR(
          WritePublic(workspace_.public_dir(),
                      metadata / VersionedName(snapshot_->version, "snapshot"),
                      snapshot_->text));
      USHER_FAULT_POINT("publisher.snapshot_written");
    }
    USHER_RETURN_IF_ERROR(WritePublic(workspace_.public_dir(),
                                      metadata / "timestamp.json",
                                      timestamp_->text));
    USHER_FAULT_POINT("publisher.timestamp_written");
    USHER_RETURN_IF_ERROR(ConfirmSigned(workspace_, timestamp_->record));
    for (const auto* file : {&targets_, &snapshot_, &timestamp_}) {
      if (!file->has_value()) continue;
      result_.bytes_written += static_cast<int64_t>((*file)->text.size());
    }
    // After all else: what is remembered is public.
    USHER_RETURN_IF_ERROR(catalogs_->Remember());
    USHER_RETURN_IF_ERROR(PruneVersions(
        workspace_, "snapshot", result_.snapshot_version, options_.keep));
    USHER_RETURN_IF_ERROR(PruneCatalogs(
        workspace_, "targets", workspace_.settings().catalog_folder(),
        result_.targets_version, options_.keep));
    return PruneVendors(workspace_);
  }

  Workspace& workspace_;
  const PublishOptions& options_;
  PassphraseSource& passphrases_;
  const absl::Time now_;
  PublishedMetadata published_;
  absl::optional<PreparedCatalogs> catalogs_;
  absl::optional<tuf::Delegations> delegations_;
  std::map<std::string, tuf::MetaFile> vendor_meta_;  // by file name
  absl::optional<SignedFile> targets_;
  absl::optional<SignedFile> snapshot_;
  absl::optional<SignedFile> timestamp_;
  PublishResult result_;
};

}  // namespace

Expiries Expiries::Default(absl::Time now) {
  return {now + 90 * kDay, now + 90 * kDay, now + 14 * kDay};
}

absl::StatusOr<PublishResult> Publish(Workspace& workspace,
                                      const PublishOptions& options,
                                      PassphraseSource& passphrases,
                                      absl::Time now) {
  if (!workspace.settings().vendor.empty()) {
    return PublishVendor(workspace, options, passphrases, now);
  }
  return Publication(workspace, options, passphrases, now).Run();
}

absl::StatusOr<PublishResult> RefreshTimestamp(Workspace& workspace,
                                               absl::Time expires,
                                               PassphraseSource& passphrases) {
  USHER_ASSIGN_OR_RETURN(const PublishedMetadata published,
                         PublishedMetadata::Load(workspace));
  if (!published.timestamp.has_value() || !published.targets.has_value()) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat("nothing complete is published yet; run "
                              "\"usher-publish publish ",
                              PathToUtf8(workspace.dir()), "\" first"),
                 PathToUtf8(workspace.dir()));
  }
  USHER_ASSIGN_OR_RETURN(
      const tuf::PrivateKey key,
      SigningKey(workspace, published.root.body, "timestamp", passphrases));
  tuf::Timestamp body = published.timestamp->body;
  Settings& settings = workspace.settings();
  USHER_ASSIGN_OR_RETURN(body.version, NextVersionOf(settings.timestamp_version,
                                                     published.timestamp));
  body.expires = expires;
  PublishResult result;
  result.changed = true;
  result.root_version = published.root.body.version;
  result.root_expires = published.root.body.expires;
  result.targets_version = published.targets->body.version;
  result.targets_expires = std::min(published.targets->body.expires,
                                    published.snapshot->body.expires);
  result.snapshot_version = published.snapshot->body.version;
  result.timestamp_version = body.version;
  result.timestamp_expires = expires;
  ReadVendorExpiries(workspace, published.snapshot->body, result);
  USHER_ASSIGN_OR_RETURN(const SignedFile timestamp,
                         SignDocument(std::move(body), key));
  USHER_RETURN_IF_ERROR(MendRootCopy(workspace, published));
  settings.timestamp_version = timestamp.version;
  USHER_RETURN_IF_ERROR(
      BeginSigned(workspace, RecordOf(*published.timestamp), timestamp.record));
  USHER_FAULT_POINT("publisher.refresh_recorded");
  USHER_RETURN_IF_ERROR(WritePublic(workspace.public_dir(),
                                    workspace.metadata_dir() / "timestamp.json",
                                    timestamp.text));
  USHER_FAULT_POINT("publisher.refresh_written");
  USHER_RETURN_IF_ERROR(ConfirmSigned(workspace, timestamp.record));
  return result;
}

absl::StatusOr<PublishResult> RenewRoot(Workspace& workspace,
                                        absl::Time expires,
                                        PassphraseSource& passphrases) {
  // Renewing the root repairs nothing else, nor is it in the way.
  USHER_ASSIGN_OR_RETURN(
      const PublishedMetadata published,
      PublishedMetadata::Load(workspace, PublishedMetadata::Wrong::kIgnore));
  const int64_t threshold = published.root.body.roles.at("root").threshold;
  if (threshold > 1) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat("the next root needs ", threshold,
                              " signatures; begin with \"usher-publish root "
                              "draft ",
                              PathToUtf8(workspace.dir()), " FILE\""),
                 "root");
  }
  USHER_ASSIGN_OR_RETURN(
      const tuf::PrivateKey key,
      SigningKey(workspace, published.root.body, "root", passphrases));
  tuf::Root body = published.root.body;
  USHER_ASSIGN_OR_RETURN(body.version, NextVersion(body.version, "root"));
  body.expires = expires;
  USHER_ASSIGN_OR_RETURN(const SignedFile root,
                         SignDocument(std::move(body), key));
  USHER_RETURN_IF_ERROR(WriteRoot(workspace, root.version, root.text));
  PublishResult result;
  result.changed = true;
  result.root_version = root.version;
  result.root_expires = expires;
  return result;
}

absl::StatusOr<absl::optional<PublishResult>> AnnounceRoot(
    Workspace& workspace, PassphraseSource& passphrases, absl::Time now) {
  USHER_ASSIGN_OR_RETURN(const PublishedMetadata published,
                         PublishedMetadata::Load(workspace));
  if (!published.targets.has_value()) return absl::optional<PublishResult>();
  const absl::Time expires = published.timestamp->body.expires;
  USHER_ASSIGN_OR_RETURN(
      PublishResult result,
      RefreshTimestamp(
          workspace, expires > now ? expires : Expiries::Default(now).timestamp,
          passphrases));
  return absl::make_optional(std::move(result));
}

absl::StatusOr<PayloadStore::Garbage> CollectGarbage(Workspace& workspace,
                                                     bool dry_run) {
  USHER_ASSIGN_OR_RETURN(const Draft draft, workspace.LoadDraft());
  std::set<std::string> referenced;
  const auto refer = [&referenced](const UpdateDescription& description) {
    for (const Payload& payload : description.payloads()) {
      referenced.insert(payload.location());
    }
  };
  for (const DraftEntry* entry : draft.Sorted()) refer(entry->Parse());
  std::error_code error;
  const fs::path catalogs = workspace.targets_dir() / "catalog";
  USHER_RETURN_IF_ERROR(CheckRealFolders(workspace.public_dir(), catalogs));
  // With the vendors'.
  for (fs::recursive_directory_iterator it(catalogs, error), end;
       !error && it != end; it.increment(error)) {
    if (!absl::EndsWith(PathToUtf8(it->path()), ".usc")) continue;
    USHER_ASSIGN_OR_RETURN(const std::string file,
                           ReadFile(it->path(), kMaxCatalogFile));
    // A catalog that cannot be read may name anything: remove nothing then.
    USHER_RETURN_IF_ERROR(
        Annotate(DecodeCatalog(file,
                               [&refer](const CatalogRecord& record) {
                                 if (record.has_update()) {
                                   refer(record.update());
                                 }
                                 return absl::OkStatus();
                               }),
                 PathToUtf8(it->path())));
  }
  return workspace.payloads().Collect(referenced, dry_run);
}

}  // namespace usher::publisher
