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

int64_t NextVersion(const Workspace& workspace, absl::string_view role,
                    int64_t recorded) {
  const std::vector<int64_t> versions =
      VersionsOf(workspace.metadata_dir(), role);
  return std::max(recorded, versions.empty() ? 0 : versions.back()) + 1;
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
    USHER_ASSIGN_OR_RETURN(published_,
                           PublishedMetadata::Load(workspace_.metadata_dir()));
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
    return absl::OkStatus();
  }

  // What clients will ask of the vendors' documents: they leave out a vendor
  // whose keys have changed since it signed.
  absl::Status ReadVendors() {
    delegations_ = DelegationsTo(workspace_.settings().vendors);
    for (const Vendor& vendor : workspace_.settings().vendors) {
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
      USHER_ASSIGN_OR_RETURN(const std::string text,
                             ReadFile(path, kMaxMetadataBytes));
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
      vendor_meta_[tuf::RoleFileName(vendor.name)] =
          tuf::DescribeMetadata(vendor.version, text);
      result_.vendors_expire =
          std::min(result_.vendors_expire, document->body.expires);
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

  // Whether a document must be signed again though nothing changed: by age,
  // or because the root gives its role to another key now.
  template <typename Body>
  bool Stale(const absl::optional<tuf::Metadata<Body>>& metadata,
             absl::Time renewed) const {
    if (options_.renew || !metadata.has_value()) return true;
    if (IsAgeing(metadata->body.expires, renewed, now_)) return true;
    const auto role = published_.root.body.roles.find(std::string(Body::kType));
    return role == published_.root.body.roles.end() ||
           std::none_of(metadata->signatures.begin(),
                        metadata->signatures.end(),
                        [&role](const tuf::Signature& signature) {
                          return absl::c_linear_search(role->second.key_ids,
                                                       signature.key_id);
                        });
  }

  absl::Status SignAll() {
    const bool targets =
        TargetsChanged() ||
        published_.targets->body.version < options_.min_targets_version ||
        Stale(published_.targets, options_.expires.targets);
    const bool snapshot = targets || VendorsChanged() ||
                          Stale(published_.snapshot, options_.expires.snapshot);
    const bool timestamp =
        snapshot || Stale(published_.timestamp, options_.expires.timestamp);
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

  void Report(const tuf::Targets& targets) {
    result_.targets_version = targets.version;
    result_.targets_expires = targets.expires;
  }

  absl::Status SignTargets() {
    USHER_ASSIGN_OR_RETURN(
        const tuf::PrivateKey key,
        SigningKey(workspace_, published_.root.body, "targets", passphrases_));
    tuf::Targets body = NextTargets();
    body.version = NextVersion(workspace_, "targets",
                               std::max(workspace_.settings().targets_version,
                                        options_.min_targets_version - 1));
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
    body.version = NextVersion(workspace_, "snapshot",
                               workspace_.settings().snapshot_version);
    body.expires = options_.expires.snapshot;
    body.meta = vendor_meta_;
    body.meta["targets.json"] =
        targets_.has_value()
            ? tuf::DescribeMetadata(targets_->version, targets_->text)
            : published_.snapshot->body.meta.at("targets.json");
    result_.snapshot_version = body.version;
    USHER_ASSIGN_OR_RETURN(snapshot_, SignDocument(std::move(body), key));
    return absl::OkStatus();
  }

  absl::Status SignTimestamp() {
    USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                           SigningKey(workspace_, published_.root.body,
                                      "timestamp", passphrases_));
    tuf::Timestamp body;
    body.version = workspace_.settings().timestamp_version;
    if (published_.timestamp.has_value()) {
      body.version = std::max(body.version, published_.timestamp->body.version);
    }
    ++body.version;
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
    if (!timestamp_.has_value()) return catalogs_->Remember();
    const fs::path metadata = workspace_.metadata_dir();
    if (targets_.has_value()) {
      USHER_RETURN_IF_ERROR(
          WritePublic(metadata / VersionedName(targets_->version, "targets"),
                      targets_->text));
      USHER_FAULT_POINT("publisher.targets_written");
    }
    if (snapshot_.has_value()) {
      USHER_RETURN_IF_ERROR(
          WritePublic(metadata / VersionedName(snapshot_->version, "snapshot"),
                      snapshot_->text));
      USHER_FAULT_POINT("publisher.snapshot_written");
    }
    // Recorded before it is public, so that no version is given out twice.
    Settings& settings = workspace_.settings();
    settings.targets_version = result_.targets_version;
    settings.snapshot_version = result_.snapshot_version;
    settings.timestamp_version = result_.timestamp_version;
    settings.shard_bits = catalogs_->shard_bits();
    USHER_RETURN_IF_ERROR(workspace_.SaveSettings());
    USHER_RETURN_IF_ERROR(
        WritePublic(metadata / "timestamp.json", timestamp_->text));
    USHER_FAULT_POINT("publisher.timestamp_written");
    for (const auto* file : {&targets_, &snapshot_, &timestamp_}) {
      if (!file->has_value()) continue;
      result_.bytes_written += static_cast<int64_t>((*file)->text.size());
    }
    // After all else: what is remembered is public.
    USHER_RETURN_IF_ERROR(catalogs_->Remember());
    USHER_RETURN_IF_ERROR(PruneVersions(workspace_, "snapshot", options_.keep));
    USHER_RETURN_IF_ERROR(PruneCatalogs(workspace_, "targets",
                                        workspace_.settings().catalog_folder(),
                                        options_.keep));
    for (const Vendor& vendor : workspace_.settings().vendors) {
      USHER_RETURN_IF_ERROR(PruneVendor(
          workspace_, vendor.name, VendorFolder(vendor.name), vendor.version));
    }
    return absl::OkStatus();
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

absl::StatusOr<Workspace> CreateWorkspace(const fs::path& dir,
                                          Settings settings,
                                          const fs::path& keys) {
  repository::v1::CatalogHeader header;
  header.set_format_version(1);
  header.set_service_id(settings.service_id);
  header.set_service_name(settings.service_name);
  USHER_RETURN_IF_ERROR(CheckAsClients(header));
  if (settings.service_name.empty() || !IsValidUtf8(settings.service_name)) {
    return Error(hr::kEInvalidarg, "the name must be UTF-8 and not empty",
                 "--name");
  }
  if (!keys.empty()) {
    std::error_code error;
    const fs::path absolute = fs::absolute(keys, error);
    if (error) {
      return SystemError(error.default_error_condition().value(), "find",
                         PathToUtf8(keys));
    }
    settings.keys = PathToUtf8(absolute);
  }
  return Workspace::Create(dir, std::move(settings));
}

absl::StatusOr<InitResult> InitRepository(const fs::path& dir,
                                          const InitOptions& options,
                                          PassphraseSource& passphrases,
                                          absl::Time now) {
  Settings settings;
  settings.service_name = options.service_name;
  settings.service_id =
      options.service_id.empty() ? RandomUuid() : options.service_id;
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      CreateWorkspace(dir, std::move(settings), options.keys));
  InitResult result;
  tuf::Root body;
  body.version = 1;
  body.expires = options.root_expires.value_or(now + 730 * kDay);
  // Existing keys first: a wrong passphrase must not leave half a set.
  std::map<std::string, tuf::PrivateKey> keys;
  for (const absl::string_view role : RoleNames()) {
    const fs::path path = KeyPath(workspace.keys_dir(), role);
    std::error_code error;
    if (!fs::exists(path, error)) {
      result.created_keys.emplace_back(role);
      continue;
    }
    USHER_ASSIGN_OR_RETURN(tuf::PrivateKey key, LoadKey(path, passphrases));
    keys.emplace(std::string(role), std::move(key));
  }
  if (!result.created_keys.empty()) {
    USHER_ASSIGN_OR_RETURN(const std::string passphrase,
                           passphrases.ForNewKey());
    result.encrypted = !passphrase.empty();
    for (const std::string& role : result.created_keys) {
      USHER_ASSIGN_OR_RETURN(tuf::PrivateKey key,
                             CreateKey(KeyPath(workspace.keys_dir(), role),
                                       options.scheme, passphrase));
      keys.emplace(role, std::move(key));
    }
  }
  for (const auto& [role, key] : keys) {
    body.keys[key.key_id()] = key.public_key();
    body.roles[role].key_ids = {key.key_id()};
  }
  USHER_ASSIGN_OR_RETURN(
      const SignedFile root,
      SignDocument(std::move(body), keys.find("root")->second));
  USHER_RETURN_IF_ERROR(WriteRoot(workspace, root.version, root.text));
  USHER_RETURN_IF_ERROR(
      MakeDirectories(workspace.targets_dir(), Access::kWorldRead));
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(Draft()));
  // Last: only now is the folder a repository.
  USHER_RETURN_IF_ERROR(workspace.SaveSettings());
  result.service_id = workspace.settings().service_id;
  result.root = workspace.dir() / "root.json";
  result.root_sha256 = ToHex(Sha256Of(root.text));
  return result;
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
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  USHER_ASSIGN_OR_RETURN(PublishedMetadata published,
                         PublishedMetadata::Load(workspace.metadata_dir()));
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
  body.version = std::max(body.version, settings.timestamp_version) + 1;
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
  USHER_ASSIGN_OR_RETURN(const SignedFile timestamp,
                         SignDocument(std::move(body), key));
  settings.timestamp_version = timestamp.version;
  USHER_RETURN_IF_ERROR(workspace.SaveSettings());
  USHER_RETURN_IF_ERROR(
      WritePublic(workspace.metadata_dir() / "timestamp.json", timestamp.text));
  return result;
}

absl::StatusOr<PublishResult> RenewRoot(Workspace& workspace,
                                        absl::Time expires,
                                        PassphraseSource& passphrases) {
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  USHER_ASSIGN_OR_RETURN(const PublishedMetadata published,
                         PublishedMetadata::Load(workspace.metadata_dir()));
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
  ++body.version;
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
