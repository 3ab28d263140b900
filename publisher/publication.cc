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
#include "common/uuid.h"
#include "publisher/catalog_file.h"
#include "publisher/published_metadata.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using repository::v1::CatalogRecord;
using repository::v1::Payload;
using repository::v1::UpdateDescription;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr int kCatalogLevel = 9;
// What clients accept (service/repository/repository.h).
constexpr size_t kMaxTimestampBytes = size_t{16} * 1024;
constexpr uint64_t kMaxCatalogFile = uint64_t{4} << 30;

fs::path CatalogPath(const Workspace& workspace, absl::string_view sha256) {
  return workspace.targets_dir() / "catalog" /
         PathFromUtf8(absl::StrCat(sha256, ".catalog.usc"));
}

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

// A document that has used up half of the time that a new one would get.
bool Ageing(absl::Time expires, absl::Time renewed, absl::Time now) {
  return expires < now + (renewed - now) / 2;
}

struct OwnPayload {
  std::string location;
  FileFacts facts;
};

// The payloads that the repository itself must hold.
struct PayloadList {
  std::vector<OwnPayload> own;
  int64_t absent = 0;
};

PayloadList ListPayloads(const Draft& draft) {
  PayloadList list;
  UpdateDescription description;
  for (const DraftEntry* entry : draft.Sorted()) {
    description.ParseFromString(entry->wire);
    for (const Payload& payload : description.payloads()) {
      if (absl::StartsWith(payload.location(), kAbsentPrefix)) ++list.absent;
      if (!IsOwnPayload(payload.location())) continue;
      OwnPayload own{payload.location(), {payload.size(), {}}};
      std::copy(payload.sha256().begin(), payload.sha256().end(),
                own.facts.sha256.begin());
      list.own.push_back(std::move(own));
    }
  }
  return list;
}

// What bundles contain is in the repository and is no bundle; clients would
// refuse the whole catalog.
absl::Status CheckBundles(const Draft& draft) {
  UpdateDescription description;
  UpdateDescription member;
  for (const DraftEntry* entry : draft.Sorted()) {
    description.ParseFromString(entry->wire);
    for (const auto& child : description.update().bundled_updates()) {
      const DraftEntry* const found = draft.Find(child.update_id());
      const bool there =
          found != nullptr && found->revision == child.revision_number();
      if (there) {
        member.ParseFromString(found->wire);
        if (member.update().bundled_updates().empty()) continue;
      }
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat(entry->name, ": the bundle contains update ",
                       child.update_id(), " revision ", child.revision_number(),
                       there ? ", which is a bundle itself"
                             : ", which the repository does not have; add it, "
                               "or change or remove the bundle"),
          entry->name);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPayloadsPresent(const PayloadStore& store,
                                  const PayloadList& list) {
  std::vector<std::string> missing;
  for (const OwnPayload& payload : list.own) {
    if (!store.Has(payload.location, payload.facts.size)) {
      missing.push_back(payload.location);
    }
  }
  if (missing.empty()) return absl::OkStatus();
  const size_t count = missing.size();
  if (count > 5) missing.resize(5);
  return Error(
      hr::kWuESourceAbsent,
      absl::StrCat(count, " payloads are missing (",
                   absl::StrJoin(missing, ", "), count > 5 ? ", …" : "",
                   "); add their updates again"),
      missing.front());
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
    USHER_ASSIGN_OR_RETURN(const Draft draft, workspace_.LoadDraft());
    USHER_RETURN_IF_ERROR(CheckBundles(draft));
    payloads_ = ListPayloads(draft);
    USHER_RETURN_IF_ERROR(
        CheckPayloadsPresent(workspace_.payloads(), payloads_));
    const Settings& settings = workspace_.settings();
    USHER_ASSIGN_OR_RETURN(
        catalog_, draft.Encode(settings.service_id, settings.service_name,
                               /*all_categories=*/false, kCatalogLevel));
    catalog_sha256_ = ToHex(Sha256Of(catalog_));
    result_.updates = static_cast<int64_t>(draft.size());
    result_.payloads_absent = payloads_.absent;
    result_.catalog_bytes = static_cast<int64_t>(catalog_.size());
    result_.catalog_sha256 = catalog_sha256_;
    result_.root_version = root.version;
    result_.root_expires = root.expires;
    return absl::OkStatus();
  }

  bool CatalogChanged() const {
    if (!published_.targets.has_value()) return true;
    const auto& targets = published_.targets->body.targets;
    const auto found = targets.find(std::string(kCatalogTarget));
    if (targets.size() != 1 || found == targets.end()) return true;
    const auto hash = found->second.hashes.find("sha256");
    return hash == found->second.hashes.end() ||
           hash->second != catalog_sha256_;
  }

  // Whether a document must be signed again though nothing changed: by age,
  // or because the root gives its role to another key now.
  template <typename Body>
  bool Stale(const absl::optional<tuf::Metadata<Body>>& metadata,
             absl::Time renewed) const {
    if (options_.renew || !metadata.has_value()) return true;
    if (Ageing(metadata->body.expires, renewed, now_)) return true;
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
        CatalogChanged() || Stale(published_.targets, options_.expires.targets);
    const bool snapshot =
        targets || Stale(published_.snapshot, options_.expires.snapshot);
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
    tuf::Targets body;
    body.version = NextVersion(workspace_, "targets",
                               workspace_.settings().targets_version);
    body.expires = options_.expires.targets;
    tuf::TargetInfo& info = body.targets[std::string(kCatalogTarget)];
    info.length = static_cast<int64_t>(catalog_.size());
    info.hashes["sha256"] = catalog_sha256_;
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
    if (targets_.has_value()) {
      body.meta["targets.json"] =
          tuf::DescribeMetadata(targets_->version, targets_->text);
    } else {
      body.meta = published_.snapshot->body.meta;
    }
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
    PayloadStore store = workspace_.payloads();
    for (const OwnPayload& payload : payloads_.own) {
      USHER_ASSIGN_OR_RETURN(const bool moved,
                             store.Publish(payload.location, payload.facts));
      if (moved) ++result_.payloads_moved;
    }
    USHER_FAULT_POINT("publisher.payloads_written");
    const fs::path catalog = CatalogPath(workspace_, catalog_sha256_);
    const auto present = HashFile(catalog);
    if (!present.ok() || ToHex(present->sha256) != catalog_sha256_) {
      USHER_RETURN_IF_ERROR(WritePublic(catalog, catalog_));
    }
    USHER_FAULT_POINT("publisher.catalog_written");
    if (!timestamp_.has_value()) return absl::OkStatus();
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
    USHER_RETURN_IF_ERROR(workspace_.SaveSettings());
    USHER_RETURN_IF_ERROR(
        WritePublic(metadata / "timestamp.json", timestamp_->text));
    USHER_FAULT_POINT("publisher.timestamp_written");
    return Prune();
  }

  absl::Status Prune() const {
    const fs::path metadata = workspace_.metadata_dir();
    std::set<std::string> catalogs = {catalog_sha256_};
    for (const absl::string_view role : {"targets", "snapshot"}) {
      std::vector<int64_t> versions = VersionsOf(metadata, role);
      const size_t keep = std::min<size_t>(
          versions.size(), static_cast<size_t>(std::max(options_.keep, 1)));
      const auto first_kept =
          versions.end() - static_cast<std::ptrdiff_t>(keep);
      // The newest is the one in use, whatever its number.
      for (auto it = versions.begin(); it != first_kept; ++it) {
        USHER_RETURN_IF_ERROR(RemoveTree(metadata / VersionedName(*it, role)));
      }
      if (role != "targets") continue;
      for (auto it = first_kept; it != versions.end(); ++it) {
        const auto kept =
            ReadMetadata<tuf::Targets>(metadata / VersionedName(*it, role));
        if (!kept.ok()) continue;
        for (const auto& [name, info] : kept->body.targets) {
          const auto hash = info.hashes.find("sha256");
          if (hash != info.hashes.end()) catalogs.insert(hash->second);
        }
      }
    }
    return PruneCatalogs(catalogs);
  }

  absl::Status PruneCatalogs(const std::set<std::string>& kept) const {
    std::vector<fs::path> unused;
    std::error_code error;
    for (fs::directory_iterator it(workspace_.targets_dir() / "catalog", error),
         end;
         !error && it != end; it.increment(error)) {
      const std::string name = PathToUtf8(it->path().filename());
      if (absl::EndsWith(name, ".catalog.usc") &&
          kept.count(name.substr(0, name.find('.'))) == 0) {
        unused.push_back(it->path());
      }
    }
    for (const fs::path& path : unused) USHER_RETURN_IF_ERROR(RemoveTree(path));
    return absl::OkStatus();
  }

  Workspace& workspace_;
  const PublishOptions& options_;
  PassphraseSource& passphrases_;
  const absl::Time now_;
  PublishedMetadata published_;
  PayloadList payloads_;
  std::string catalog_;
  std::string catalog_sha256_;
  absl::optional<SignedFile> targets_;
  absl::optional<SignedFile> snapshot_;
  absl::optional<SignedFile> timestamp_;
  PublishResult result_;
};

}  // namespace

Expiries Expiries::Default(absl::Time now) {
  return {now + 90 * kDay, now + 90 * kDay, now + 14 * kDay};
}

absl::StatusOr<InitResult> InitRepository(const fs::path& dir,
                                          const InitOptions& options,
                                          PassphraseSource& passphrases,
                                          absl::Time now) {
  Settings settings;
  settings.service_name = options.service_name;
  settings.service_id =
      options.service_id.empty() ? RandomUuid() : options.service_id;
  repository::v1::CatalogHeader header;
  header.set_format_version(1);
  header.set_service_id(settings.service_id);
  header.set_service_name(settings.service_name);
  USHER_RETURN_IF_ERROR(CheckAsClients(header));
  if (!options.keys.empty()) {
    std::error_code error;
    const fs::path absolute = fs::absolute(options.keys, error);
    if (error) {
      return SystemError(error.default_error_condition().value(), "find",
                         PathToUtf8(options.keys));
    }
    settings.keys = PathToUtf8(absolute);
  }
  USHER_ASSIGN_OR_RETURN(Workspace workspace,
                         Workspace::Create(dir, std::move(settings)));
  InitResult result;
  tuf::Root body;
  body.version = 1;
  body.expires = options.root_expires.value_or(now + 730 * kDay);
  absl::optional<tuf::PrivateKey> root_key;
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
  return Publication(workspace, options, passphrases, now).Run();
}

absl::StatusOr<PublishResult> RefreshTimestamp(Workspace& workspace,
                                               absl::Time expires,
                                               PassphraseSource& passphrases) {
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
  for (const OwnPayload& payload : ListPayloads(draft).own) {
    referenced.insert(payload.location);
  }
  std::error_code error;
  const fs::path catalogs = workspace.targets_dir() / "catalog";
  for (fs::directory_iterator it(catalogs, error), end; !error && it != end;
       it.increment(error)) {
    if (!absl::EndsWith(PathToUtf8(it->path()), ".catalog.usc")) continue;
    USHER_ASSIGN_OR_RETURN(const std::string file,
                           ReadFile(it->path(), kMaxCatalogFile));
    // A catalog that cannot be read may name anything: remove nothing then.
    USHER_RETURN_IF_ERROR(
        Annotate(DecodeCatalog(file,
                               [&referenced](const CatalogRecord& record) {
                                 for (const Payload& payload :
                                      record.update().payloads()) {
                                   referenced.insert(payload.location());
                                 }
                                 return absl::OkStatus();
                               }),
                 PathToUtf8(it->path())));
  }
  return workspace.payloads().Collect(referenced, dry_run);
}

}  // namespace usher::publisher
