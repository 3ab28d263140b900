#include "publisher/vendor_publication.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/missing_file.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/trusted_metadata_set.h"
#include "common/uuid.h"
#include "publisher/prepared_catalogs.h"
#include "publisher/pruning.h"
#include "publisher/published_metadata.h"
#include "publisher/repository_init.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;

absl::Status WriteVendorDocument(const Workspace& workspace, int64_t version,
                                 const std::string& text) {
  const std::string& vendor = workspace.settings().vendor;
  USHER_RETURN_IF_ERROR(WritePublic(
      workspace.public_dir(),
      workspace.metadata_dir() / PathFromUtf8(VersionedName(version, vendor)),
      text));
  USHER_FAULT_POINT("publisher.vendor_version_written");
  // What names the newest, for whoever takes the folder.
  return WritePublic(
      workspace.public_dir(),
      workspace.metadata_dir() / PathFromUtf8(tuf::RoleFileName(vendor)), text);
}

// Whether the key, whoever else, has signed.
absl::Status CheckSignedBy(const tuf::Metadata<tuf::Targets>& document,
                           const tuf::PrivateKey& key) {
  tuf::Role own;
  own.key_ids = {key.key_id()};
  return tuf::VerifyThreshold(document.signed_bytes, document.signatures,
                              {{key.key_id(), key.public_key()}}, own);
}

// The document that is public, if it is one that was signed here; absent if
// there is none, or if it is another one and `ignore_others`.
absl::StatusOr<absl::optional<tuf::Metadata<tuf::Targets>>> LoadPublished(
    const Workspace& workspace, bool ignore_others,
    PassphraseSource& passphrases) {
  const Settings& settings = workspace.settings();
  const fs::path path = workspace.metadata_dir() /
                        PathFromUtf8(tuf::RoleFileName(settings.vendor));
  auto document = ReadMetadata<tuf::Targets>(path);
  absl::Status status = document.status();
  if (IsMissingFile(status)) {
    return absl::optional<tuf::Metadata<tuf::Targets>>();
  }
  if (status.ok()) {
    status = CheckIsLast(settings, RecordOf(*document), PathToUtf8(path));
  }
  if (status.ok() && !IsRecorded(settings, RecordOf(*document))) {
    // Bookkeeping of a backup, or of an older version of this program: the key
    // must say whose it is.
    USHER_ASSIGN_OR_RETURN(
        const tuf::PrivateKey key,
        LoadKey(KeyPath(workspace.keys_dir(), settings.vendor), passphrases));
    status = Annotate(CheckSignedBy(*document, key), PathToUtf8(path));
  }
  if (status.ok()) {
    return absl::optional<tuf::Metadata<tuf::Targets>>(*std::move(document));
  }
  if (ignore_others) return absl::optional<tuf::Metadata<tuf::Targets>>();
  return Annotate(
      status,
      absl::StrCat("what is public is not what was signed here: restore ",
                   PathToUtf8(workspace.public_dir()),
                   ", or sign it afresh with \"usher-publish publish ",
                   PathToUtf8(workspace.dir()), " --renew\""));
}

}  // namespace

absl::StatusOr<VendorInitResult> InitVendor(const fs::path& dir,
                                            const VendorInitOptions& options,
                                            PassphraseSource& passphrases) {
  USHER_RETURN_IF_ERROR(CheckVendorName(options.vendor));
  Settings settings;
  settings.vendor = options.vendor;
  settings.service_name = options.service_name;
  USHER_ASSIGN_OR_RETURN(settings.service_id,
                         CanonicalUuid(options.service_id));
  USHER_ASSIGN_OR_RETURN(
      Workspace workspace,
      CreateWorkspace(dir, std::move(settings), options.keys));
  VendorInitResult result;
  result.key = KeyPath(workspace.keys_dir(), options.vendor);
  std::error_code error;
  if (fs::exists(result.key, error)) {
    USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                           LoadKey(result.key, passphrases));
    result.key_id = key.key_id();
  } else {
    USHER_ASSIGN_OR_RETURN(const std::string passphrase,
                           passphrases.ForNewKey());
    USHER_ASSIGN_OR_RETURN(const tuf::PrivateKey key,
                           CreateKey(result.key, options.scheme, passphrase));
    result.key_id = key.key_id();
    result.created = true;
    result.encrypted = !passphrase.empty();
  }
  USHER_RETURN_IF_ERROR(
      MakeDirectories(workspace.targets_dir(), Access::kWorldRead));
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(Draft()));
  // Last: only now is the folder a workspace.
  USHER_RETURN_IF_ERROR(workspace.SaveSettings());
  return result;
}

absl::StatusOr<PublishResult> PublishVendor(Workspace& workspace,
                                            const PublishOptions& options,
                                            PassphraseSource& passphrases,
                                            absl::Time now) {
  Settings& settings = workspace.settings();
  const std::string& vendor = settings.vendor;
  USHER_ASSIGN_OR_RETURN(PreparedCatalogs catalogs,
                         PreparedCatalogs::Make(workspace, options.renew));
  PublishResult result;
  result.updates = catalogs.updates();
  result.payloads_absent = catalogs.payloads_absent();
  result.catalog_files = static_cast<int64_t>(catalogs.targets().size());
  result.catalog_bytes = catalogs.bytes();
  result.catalog_sha256 = catalogs.Digest();
  USHER_ASSIGN_OR_RETURN(const auto published,
                         LoadPublished(workspace, options.renew, passphrases));
  USHER_ASSIGN_OR_RETURN(
      const tuf::PrivateKey key,
      LoadKey(KeyPath(workspace.keys_dir(), vendor), passphrases));
  tuf::Targets body;
  body.targets = catalogs.targets();
  if (published.has_value() && !options.renew &&
      published->body.version >= options.min_version &&
      !IsAgeing(published->body.expires, options.expires.targets, now)) {
    body.version = published->body.version;
    body.expires = published->body.expires;
    const auto same = tuf::SignedBytes(body);
    // Another key may have taken the place of the one that signed.
    if (same.ok() && *same == published->signed_bytes &&
        CheckSignedBy(*published, key).ok()) {
      result.targets_version = body.version;
      result.targets_expires = body.expires;
      USHER_ASSIGN_OR_RETURN(result.payloads_moved, catalogs.WritePayloads());
      USHER_ASSIGN_OR_RETURN(result.bytes_written, catalogs.WriteFiles());
      USHER_RETURN_IF_ERROR(ConfirmSigned(workspace, RecordOf(*published)));
      USHER_RETURN_IF_ERROR(catalogs.Remember());
      return result;
    }
  }
  USHER_ASSIGN_OR_RETURN(
      body.version,
      NextVersion(
          std::max({settings.targets_version, options.min_version - 1,
                    published.has_value() ? published->body.version : 0}),
          vendor));
  body.expires = options.expires.targets;
  result.targets_version = body.version;
  result.targets_expires = body.expires;
  USHER_ASSIGN_OR_RETURN(const SignedFile document,
                         SignDocument(std::move(body), key));
  USHER_ASSIGN_OR_RETURN(result.payloads_moved, catalogs.WritePayloads());
  USHER_ASSIGN_OR_RETURN(result.bytes_written, catalogs.WriteFiles());
  // Recorded before it is public, so that no version is given out twice.
  settings.targets_version = document.version;
  settings.shard_bits = catalogs.shard_bits();
  USHER_RETURN_IF_ERROR(BeginSigned(
      workspace,
      published.has_value() ? absl::make_optional(RecordOf(*published))
                            : absl::nullopt,
      document.record));
  USHER_FAULT_POINT("publisher.vendor_recorded");
  USHER_RETURN_IF_ERROR(
      WriteVendorDocument(workspace, document.version, document.text));
  USHER_FAULT_POINT("publisher.vendor_document_written");
  USHER_RETURN_IF_ERROR(ConfirmSigned(workspace, document.record));
  result.bytes_written += static_cast<int64_t>(document.text.size());
  result.changed = true;
  USHER_RETURN_IF_ERROR(catalogs.Remember());
  USHER_RETURN_IF_ERROR(PruneCatalogs(workspace, vendor,
                                      settings.catalog_folder(),
                                      document.version, options.keep));
  return result;
}

absl::Status AddVendorSignature(const Workspace& workspace,
                                const tuf::PrivateKey& key) {
  const std::string& vendor = workspace.settings().vendor;
  if (vendor.empty()) {
    return Error(
        hr::kWuEInvalidOperation,
        absl::StrCat(PathToUtf8(workspace.dir()), " is no vendor's folder"),
        PathToUtf8(workspace.dir()));
  }
  auto document = ReadMetadata<tuf::Targets>(
      workspace.metadata_dir() / PathFromUtf8(tuf::RoleFileName(vendor)));
  if (!document.ok()) {
    return Annotate(document.status(),
                    "there is nothing to sign; run \"usher-publish publish\" "
                    "first");
  }
  if (!IsRecorded(workspace.settings(), RecordOf(*document))) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat(tuf::RoleFileName(vendor), " in ",
                              PathToUtf8(workspace.metadata_dir()),
                              " is not what \"usher-publish publish\" made "
                              "last in this folder; publish again first"),
                 tuf::RoleFileName(vendor));
  }
  USHER_RETURN_IF_ERROR(tuf::Sign(*document, {key}, /*keep_others=*/true));
  USHER_ASSIGN_OR_RETURN(const std::string text, tuf::Serialize(*document));
  return WriteVendorDocument(workspace, document->body.version, text);
}

}  // namespace usher::publisher
