#include "publisher/vendor_intake.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/delegation.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "publisher/catalog_file.h"
#include "publisher/claims.h"
#include "publisher/payload_store.h"
#include "publisher/published_metadata.h"
#include "publisher/update_checks.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using repository::v1::CatalogRecord;
using repository::v1::Payload;
using repository::v1::UpdateDescription;

// A vendor's catalogs have some hundred KB; what is beyond these is no mistake.
constexpr int64_t kMaxVendorBytes = int64_t{256} * 1024 * 1024;
constexpr size_t kMaxVendorCatalogs = 1024;
constexpr size_t kMaxVendorRecords = 500'000;

absl::StatusOr<Vendor*> FindVendor(Workspace& workspace,
                                   absl::string_view name) {
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  for (Vendor& vendor : workspace.settings().vendors) {
    if (vendor.name == name && !vendor.removed) return &vendor;
  }
  return Error(hr::kWuEUnknownId,
               absl::StrCat("the repository has no vendor \"", name,
                            "\"; see \"usher-publish vendor list ",
                            PathToUtf8(workspace.dir()), "\""),
               name);
}

absl::Status CheckKeys(const std::vector<tuf::Key>& keys, int64_t threshold) {
  std::set<std::string> different;
  for (const tuf::Key& key : keys) {
    USHER_ASSIGN_OR_RETURN(std::string fingerprint, tuf::KeyFingerprint(key));
    if (!different.insert(std::move(fingerprint)).second) {
      return Error(hr::kEInvalidarg, "the same key stands there twice",
                   "--key");
    }
  }
  if (threshold < 1 || threshold > static_cast<int64_t>(keys.size())) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat("the threshold must be between 1 and the number "
                              "of keys, ",
                              keys.size()),
                 "--threshold");
  }
  return absl::OkStatus();
}

class Intake {
 public:
  Intake(Workspace& workspace, Vendor& vendor, fs::path from, absl::Time now)
      : workspace_(workspace),
        vendor_(vendor),
        folder_(VendorFolder(vendor.name)),
        from_(std::move(from)),
        now_(now) {}

  absl::StatusOr<VendorIntake> Run() {
    USHER_RETURN_IF_ERROR(ReadDocument());
    USHER_RETURN_IF_ERROR(CheckSize());
    if (IsTakenAgain() && IsWhole()) return result_;
    USHER_RETURN_IF_ERROR(ReadPrevious());
    for (const auto& [name, info] : document_.body.targets) {
      USHER_RETURN_IF_ERROR(CheckCatalog(name, info));
    }
    USHER_RETURN_IF_ERROR(CheckBundles());
    USHER_RETURN_IF_ERROR(CheckClaims(workspace_, vendor_.name, claims_));
    USHER_RETURN_IF_ERROR(CheckPayloads());
    USHER_RETURN_IF_ERROR(Write());
    return result_;
  }

 private:
  absl::Status ReadDocument() {
    const std::string file = tuf::RoleFileName(vendor_.name);
    const fs::path path = from_ / "metadata" / PathFromUtf8(file);
    USHER_ASSIGN_OR_RETURN(text_, ReadFile(path, kMaxRoleBytes));
    auto document = tuf::Parse<tuf::Targets>(text_);
    if (!document.ok()) return Annotate(document.status(), PathToUtf8(path));
    document_ = *std::move(document);
    std::vector<Vendor> alone = {vendor_};
    alone[0].version = 1;
    const tuf::Delegations delegations = *DelegationsTo(alone);
    const absl::Status verified = tuf::VerifyThreshold(
        document_.signed_bytes, document_.signatures, delegations.keys,
        *tuf::FindRole(delegations, vendor_.name));
    if (!verified.ok()) {
      return Error(hr::kWuEMetadataBadSignature,
                   absl::StrCat(PathToUtf8(path), ": ", verified.message(),
                                "; it must be signed by the keys that vendor ",
                                vendor_.name, " has here"),
                   file);
    }
    result_.version = document_.body.version;
    result_.expires = document_.body.expires;
    result_.catalogs = static_cast<int64_t>(document_.body.targets.size());
    if (document_.body.expires <= now_) {
      return Error(hr::kCertEExpired,
                   absl::StrCat(PathToUtf8(path),
                                " has expired; the vendor "
                                "must publish it again"),
                   file);
    }
    if (document_.body.delegations.has_value()) {
      return Error(hr::kWuEInvalidOperation,
                   absl::StrCat(PathToUtf8(path),
                                " delegates to others, which a vendor may not"),
                   file);
    }
    if (document_.body.version - vendor_.version > kMaxVersionStep) {
      return Error(
          hr::kWuEInvalidOperation,
          absl::StrCat(PathToUtf8(path), " has version ",
                       document_.body.version, ", more than ", kMaxVersionStep,
                       " after version ", vendor_.version,
                       " that the repository has; ask the vendor whether its "
                       "key was stolen"),
          file);
    }
    if (document_.body.version > vendor_.version) return absl::OkStatus();
    if (IsTakenAgain() &&
        (IsDocumentThere() || ToHex(Sha256Of(text_)) == vendor_.sha256)) {
      return absl::OkStatus();
    }
    return Error(
        hr::kWuERedirectorIdSmaller,
        absl::StrCat(PathToUtf8(path), " has version ", document_.body.version,
                     ", and the repository has version ", vendor_.version,
                     " already; the vendor must publish again, if need be with "
                     "\"publish --min-version ",
                     vendor_.version + 1, "\""),
        file);
  }

  bool IsTakenAgain() const {
    return document_.body.version == vendor_.version;
  }

  bool IsDocumentThere() const {
    const auto present =
        ReadFile(PublicDocument(vendor_.version), kMaxMetadataBytes);
    return present.ok() && *present == text_;
  }

  // Whether all of the version that was taken before is there, undamaged.
  bool IsWhole() const {
    // A vendor that was away and is back has no claims: others may have taken
    // up meanwhile what it had.
    if (!HasClaims(workspace_, vendor_.name) || !IsDocumentThere()) {
      return false;
    }
    const PayloadStore store = workspace_.payloads();
    for (const auto& [name, info] : document_.body.targets) {
      const auto content = PublicCatalog(name, info);
      if (!content.has_value()) return false;
      bool whole = true;
      const absl::Status decoded =
          DecodeCatalog(*content, [&](const CatalogRecord& record) {
            for (const Payload& payload : record.update().payloads()) {
              whole = whole && (!IsOwnPayload(payload.location()) ||
                                store.Has(payload.location(), FactsOf(payload),
                                          PayloadStore::By::kContent));
            }
            return absl::OkStatus();
          });
      if (!decoded.ok() || !whole) return false;
    }
    return true;
  }

  // What was taken of a catalog before; absent if it is not there or is not
  // what the document names.
  absl::optional<std::string> PublicCatalog(const std::string& name,
                                            const tuf::TargetInfo& info) const {
    const auto hash = info.hashes.find("sha256");
    if (hash == info.hashes.end()) return absl::nullopt;
    auto content = ReadFile(
        workspace_.targets_dir() /
            PathFromUtf8(tuf::ConsistentTargetPath(name, hash->second)),
        static_cast<uint64_t>(info.length));
    if (!content.ok() || static_cast<int64_t>(content->size()) != info.length ||
        ToHex(Sha256Of(*content)) != hash->second) {
      return absl::nullopt;
    }
    return *std::move(content);
  }

  absl::Status CheckSize() const {
    int64_t bytes = 0;
    for (const auto& [name, info] : document_.body.targets) {
      bytes += std::min(info.length, kMaxVendorBytes + 1);
    }
    if (document_.body.targets.size() <= kMaxVendorCatalogs &&
        bytes <= kMaxVendorBytes) {
      return absl::OkStatus();
    }
    return Error(
        hr::kWuEMaxCapacityReached,
        absl::StrCat("the vendor has ", document_.body.targets.size(),
                     " catalogs, or they are larger than is taken; at most ",
                     kMaxVendorCatalogs, " of ", kMaxVendorBytes >> 20,
                     " MiB together"),
        tuf::RoleFileName(vendor_.name));
  }

  fs::path PublicDocument(int64_t version) const {
    return workspace_.metadata_dir() /
           PathFromUtf8(VersionedName(version, vendor_.name));
  }

  // The catalogs that were checked when they were taken.
  absl::Status ReadPrevious() {
    if (vendor_.version == 0) return absl::OkStatus();
    const auto text =
        ReadFile(PublicDocument(vendor_.version), kMaxMetadataBytes);
    // Then everything is checked again.
    if (!text.ok()) return absl::OkStatus();
    const auto previous = tuf::Parse<tuf::Targets>(*text);
    if (!previous.ok()) return absl::OkStatus();
    if (!vendor_.sha256.empty() && ToHex(Sha256Of(*text)) != vendor_.sha256) {
      return absl::OkStatus();
    }
    for (const auto& [name, info] : previous->body.targets) {
      const auto hash = info.hashes.find("sha256");
      if (hash != info.hashes.end()) known_.insert({name, hash->second});
    }
    return absl::OkStatus();
  }

  absl::Status CheckCatalog(const std::string& name,
                            const tuf::TargetInfo& info) {
    if (!absl::StartsWith(name, folder_) || !absl::EndsWith(name, ".usc") ||
        name.find('/', folder_.size()) != std::string::npos) {
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat(name, " is no catalog in the vendor's folder ", folder_),
          name);
    }
    const auto hash = info.hashes.find("sha256");
    if (hash == info.hashes.end()) {
      return Error(hr::kWuEInvalidUpdate, absl::StrCat(name, " has no SHA-256"),
                   name);
    }
    const std::string path = tuf::ConsistentTargetPath(name, hash->second);
    absl::optional<std::string> taken;
    if (known_.contains({name, hash->second})) {
      taken = PublicCatalog(name, info);
    }
    const bool known = taken.has_value();
    if (!known) {
      USHER_ASSIGN_OR_RETURN(taken,
                             ReadFile(from_ / "targets" / PathFromUtf8(path),
                                      static_cast<uint64_t>(info.length)));
    }
    const std::string& content = *taken;
    if (static_cast<int64_t>(content.size()) != info.length ||
        ToHex(Sha256Of(content)) != hash->second) {
      return Error(hr::kWuEDmIncorrectfilehash,
                   absl::StrCat("targets/", path, " is not what ",
                                tuf::RoleFileName(vendor_.name), " names"),
                   path);
    }
    bool header = false;
    USHER_RETURN_IF_ERROR(
        Annotate(DecodeCatalog(content,
                               [&](const CatalogRecord& record) {
                                 header = header || record.has_header();
                                 return CheckRecord(record, known);
                               }),
                 absl::StrCat("targets/", path)));
    if (!header) {
      return Error(hr::kWuEInvalidUpdate,
                   absl::StrCat("targets/", path, " has no header"), path);
    }
    if (!known) {
      ++result_.catalogs_new;
      contents_[path] = content;
    }
    return absl::OkStatus();
  }

  absl::Status CheckRecord(const CatalogRecord& record, bool known) {
    if (++records_ > kMaxVendorRecords) {
      return Error(hr::kWuEMaxCapacityReached,
                   absl::StrCat("the vendor has more than ", kMaxVendorRecords,
                                " updates and categories"),
                   vendor_.name);
    }
    if (record.has_header()) {
      USHER_RETURN_IF_ERROR(CheckAsClients(record.header()));
      if (record.header().service_id() == workspace_.settings().service_id) {
        return absl::OkStatus();
      }
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("the catalog is for service ",
                       record.header().service_id(), ", and the repository is ",
                       workspace_.settings().service_id));
    }
    if (record.has_category()) {
      USHER_RETURN_IF_ERROR(CheckCategory(record.category()));
      return claims_.AddCategory(record.category());
    }
    if (!record.has_update()) {
      return Error(hr::kWuEInvalidUpdate, "a record of unknown kind");
    }
    const UpdateDescription& description = record.update();
    const usher::v1::Update& update = description.update();
    if (!known) {
      USHER_RETURN_IF_ERROR(CheckUpdate(description));
      USHER_RETURN_IF_ERROR(CheckAsClients(description));
      ++result_.updates;
    }
    if (!known || IsTakenAgain()) {
      for (const Payload& payload : description.payloads()) {
        if (IsOwnPayload(payload.location())) payloads_.push_back(payload);
      }
    }
    const std::string& id = update.identity().update_id();
    if (!claims_.updates.insert(id).second) {
      return Error(hr::kWuEDsDuplicateupdateid,
                   absl::StrCat("update ", id, " stands twice"), id);
    }
    revisions_[id] = {update.identity().revision_number(),
                      update.bundled_updates_size() > 0};
    if (update.bundled_updates_size() > 0) bundles_.push_back(update);
    return absl::OkStatus();
  }

  // Clients find members in the whole repository; but a vendor whose bundle
  // names another's update would be left out when that one goes.
  absl::Status CheckBundles() const {
    for (const usher::v1::Update& bundle : bundles_) {
      for (const auto& child : bundle.bundled_updates()) {
        const auto member = revisions_.find(child.update_id());
        if (member == revisions_.end() ||
            member->second.first != child.revision_number() ||
            member->second.second) {
          return Error(
              hr::kWuEInvalidUpdate,
              absl::StrCat(bundle.name(), ": the bundle contains update ",
                           child.update_id(), " revision ",
                           child.revision_number(),
                           ", which is not among the vendor's own, or is a "
                           "bundle itself"),
              bundle.name());
        }
      }
    }
    return absl::OkStatus();
  }

  static FileFacts FactsOf(const Payload& payload) {
    FileFacts facts;
    facts.size = payload.size();
    std::copy(payload.sha256().begin(), payload.sha256().end(),
              facts.sha256.begin());
    return facts;
  }

  // What is taken again may be there to mend what is damaged.
  PayloadStore::By HowToLook() const {
    return IsTakenAgain() ? PayloadStore::By::kContent
                          : PayloadStore::By::kSize;
  }

  absl::Status CheckPayloads() const {
    for (const Payload& payload : payloads_) {
      const FileFacts facts = FactsOf(payload);
      if (payload.location() != PayloadLocation(facts.sha256, payload.name())) {
        return Error(
            hr::kWuEInvalidUpdate,
            absl::StrCat("the payload ", payload.name(), " lies at ",
                         payload.location(), ", not where its hash says"),
            payload.location());
      }
      const fs::path path =
          from_ / "targets" / PathFromUtf8(payload.location());
      if (workspace_.payloads().Has(payload.location(), facts, HowToLook())) {
        continue;
      }
      std::error_code error;
      if (!fs::is_regular_file(fs::symlink_status(path, error)) ||
          static_cast<int64_t>(fs::file_size(path, error)) != facts.size) {
        return Error(hr::kWuESourceAbsent,
                     absl::StrCat("the payload ", PathToUtf8(path),
                                  " is missing or has another size"),
                     payload.location());
      }
    }
    return absl::OkStatus();
  }

  // What is named comes before what names it. Nothing of it is public before
  // the next snapshot is.
  absl::Status Write() {
    PayloadStore store = workspace_.payloads();
    for (const Payload& payload : payloads_) {
      const FileFacts facts = FactsOf(payload);
      if (!store.Has(payload.location(), facts, HowToLook())) {
        USHER_ASSIGN_OR_RETURN(
            const FileFacts taken,
            store.Take(from_ / "targets" / PathFromUtf8(payload.location()),
                       payload.name(), facts.size));
        if (taken.size != facts.size || taken.sha256 != facts.sha256) {
          return Error(hr::kWuEDmIncorrectfilehash,
                       absl::StrCat("targets/", payload.location(),
                                    " is not what the catalog names"),
                       payload.location());
        }
        ++result_.payloads_new;
        result_.bytes += facts.size;
      }
      USHER_RETURN_IF_ERROR(store.Publish(payload.location(), facts).status());
    }
    USHER_FAULT_POINT("publisher.vendor_payloads_taken");
    for (const auto& [path, content] : contents_) {
      USHER_RETURN_IF_ERROR(
          WritePublic(workspace_.public_dir(),
                      workspace_.targets_dir() / PathFromUtf8(path), content));
      result_.bytes += static_cast<int64_t>(content.size());
    }
    USHER_RETURN_IF_ERROR(WritePublic(workspace_.public_dir(),
                                      PublicDocument(document_.body.version),
                                      text_));
    result_.bytes += static_cast<int64_t>(text_.size());
    USHER_FAULT_POINT("publisher.vendor_document_taken");
    USHER_RETURN_IF_ERROR(WriteClaims(workspace_, vendor_.name, claims_));
    vendor_.version = document_.body.version;
    vendor_.sha256 = ToHex(Sha256Of(text_));
    USHER_RETURN_IF_ERROR(workspace_.SaveSettings());
    result_.changed = true;
    return absl::OkStatus();
  }

  Workspace& workspace_;
  Vendor& vendor_;
  const std::string folder_;
  const fs::path from_;
  const absl::Time now_;
  std::string text_;
  tuf::Metadata<tuf::Targets> document_;
  std::set<std::pair<std::string, std::string>> known_;  // name and SHA-256
  std::map<std::string, std::string> contents_;          // by path, of new ones
  size_t records_ = 0;
  Claims claims_;
  // By update id: its revision, and whether it is a bundle.
  std::map<std::string, std::pair<int32_t, bool>> revisions_;
  std::vector<usher::v1::Update> bundles_;
  // Of new catalogs; when a version is taken again, of all.
  std::vector<Payload> payloads_;
  VendorIntake result_;
};

}  // namespace

absl::Status AddVendor(Workspace& workspace, absl::string_view name,
                       std::vector<tuf::Key> keys, int64_t threshold) {
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  USHER_RETURN_IF_ERROR(CheckVendorName(name));
  USHER_RETURN_IF_ERROR(CheckKeys(keys, threshold));
  if (FindVendor(workspace, name).ok()) {
    return Error(hr::kWuEDuplicateItem,
                 absl::StrCat("the repository has a vendor ", name,
                              " already; change its keys with \"usher-publish "
                              "vendor set-keys\""),
                 name);
  }
  std::vector<Vendor>& vendors = workspace.settings().vendors;
  // Clients are not told of removed ones.
  const auto present =
      std::count_if(vendors.begin(), vendors.end(),
                    [](const Vendor& v) { return !v.removed; });
  if (static_cast<size_t>(present) >= kMaxVendors) {
    return Error(hr::kWuEMaxCapacityReached,
                 absl::StrCat("the repository has ", kMaxVendors,
                              " vendors, as many as clients take"),
                 name);
  }
  const auto known =
      std::find_if(vendors.begin(), vendors.end(),
                   [name](const Vendor& v) { return v.name == name; });
  Vendor vendor;
  if (known != vendors.end()) {
    vendor.version = known->version;
    vendor.sha256 = known->sha256;
    vendors.erase(known);
  }
  vendor.name = std::string(name);
  vendor.keys = std::move(keys);
  vendor.threshold = threshold;
  vendors.push_back(std::move(vendor));
  return workspace.SaveSettings();
}

absl::Status SetVendorKeys(Workspace& workspace, absl::string_view name,
                           std::vector<tuf::Key> keys, int64_t threshold) {
  USHER_ASSIGN_OR_RETURN(Vendor * vendor, FindVendor(workspace, name));
  USHER_RETURN_IF_ERROR(CheckKeys(keys, threshold));
  vendor->keys = std::move(keys);
  vendor->threshold = threshold;
  return workspace.SaveSettings();
}

absl::Status RemoveVendor(Workspace& workspace, absl::string_view name) {
  USHER_ASSIGN_OR_RETURN(Vendor * vendor, FindVendor(workspace, name));
  if (vendor->version == 0) {
    std::erase_if(workspace.settings().vendors,
                  [name](const Vendor& v) { return v.name == name; });
  } else {
    vendor->removed = true;
  }
  USHER_RETURN_IF_ERROR(workspace.SaveSettings());
  return RemoveClaims(workspace, name);
}

absl::StatusOr<VendorIntake> TakeVendor(Workspace& workspace,
                                        absl::string_view name,
                                        const fs::path& from, absl::Time now) {
  USHER_ASSIGN_OR_RETURN(Vendor * vendor, FindVendor(workspace, name));
  std::error_code error;
  fs::path folder = from;
  if (fs::is_directory(from / "public" / "metadata", error)) {
    folder = from / "public";
  }
  return Intake(workspace, *vendor, std::move(folder), now).Run();
}

}  // namespace usher::publisher
