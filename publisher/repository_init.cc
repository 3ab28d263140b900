#include "publisher/repository_init.h"

#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/metadata_codec.h"
#include "common/utf8.h"
#include "common/uuid.h"
#include "publisher/published_metadata.h"
#include "publisher/root_ceremony.h"
#include "publisher/update_checks.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kDay = absl::Hours(24);

// Writes the first root for its holders to sign. What is to be remembered of
// it, Settings::first_root.
absl::StatusOr<std::string> DraftFirstRoot(tuf::Root body,
                                           const InitOptions& options) {
  RootDraft draft = RootDraft::First(std::move(body));
  for (const tuf::Key& key : options.root_keys) {
    USHER_RETURN_IF_ERROR(draft.AddKey("root", key));
  }
  USHER_RETURN_IF_ERROR(draft.SetThreshold("root", options.root_threshold));
  USHER_RETURN_IF_ERROR(draft.Write(options.root_draft));
  USHER_ASSIGN_OR_RETURN(const std::string bytes,
                         tuf::SignedBytes(draft.metadata().body));
  return ToHex(Sha256Of(bytes));
}

}  // namespace

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
  const bool drafted = !options.root_keys.empty();
  tuf::Root body;
  body.version = 1;
  body.expires = options.root_expires.value_or(now + 730 * kDay);
  // Existing keys first: a wrong passphrase must not leave half a set.
  std::map<std::string, tuf::PrivateKey> keys;
  for (const absl::string_view role : RoleNames()) {
    if (drafted && role == "root") continue;
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
  if (drafted) {
    body.roles["root"] = tuf::Role();
    USHER_ASSIGN_OR_RETURN(workspace.settings().first_root,
                           DraftFirstRoot(std::move(body), options));
    result.root = options.root_draft;
  } else {
    USHER_ASSIGN_OR_RETURN(
        const SignedFile root,
        SignDocument(std::move(body), keys.find("root")->second));
    USHER_RETURN_IF_ERROR(WriteRoot(workspace, root.version, root.text));
    result.root = workspace.dir() / "root.json";
    result.root_sha256 = ToHex(Sha256Of(root.text));
  }
  USHER_RETURN_IF_ERROR(
      MakeDirectories(workspace.targets_dir(), Access::kWorldRead));
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(Draft()));
  // Last: only now is the folder a repository.
  USHER_RETURN_IF_ERROR(workspace.SaveSettings());
  result.service_id = workspace.settings().service_id;
  return result;
}

}  // namespace usher::publisher
