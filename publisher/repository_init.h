#ifndef USHER_PUBLISHER_REPOSITORY_INIT_H_
#define USHER_PUBLISHER_REPOSITORY_INIT_H_

// Making a new repository.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/tuf/key.h"
#include "publisher/key_ring.h"
#include "publisher/workspace.h"

namespace usher::publisher {

struct InitOptions {
  std::string service_name;
  std::string service_id;      // canonical; empty: a new one
  std::filesystem::path keys;  // empty: {dir}/keys
  std::string scheme = "ed25519";
  absl::optional<absl::Time> root_expires;  // default: 2 years
  // The public halves of the root keys, if others hold them: then no root key
  // is made or used, and the first root is a draft for them to sign.
  std::vector<tuf::Key> root_keys;
  int64_t root_threshold = 1;
  std::filesystem::path root_draft;  // where it goes
};

struct InitResult {
  std::string service_id;
  // Of the root.json, or the draft, whose SHA-256 signatures would change.
  std::filesystem::path root;
  std::string root_sha256;  // "" for a draft
  // Roles whose keys were made; the others' were there already.
  std::vector<std::string> created_keys;
  bool encrypted = false;
};

// Workspace::Create() after checking, as clients would, what its catalogs will
// say of the service. `keys`: another folder for the private keys; empty: that
// of the settings.
absl::StatusOr<Workspace> CreateWorkspace(const std::filesystem::path& dir,
                                          Settings settings,
                                          const std::filesystem::path& keys);

// Makes a repository: keys that are missing, bookkeeping, 1.root.json and a
// copy of it as {dir}/root.json, for handing to clients; or a draft of it for
// PublishRoot(). WU_E_DUPLICATE_ITEM for a root key that stands there twice;
// E_INVALIDARG for a threshold that they cannot reach.
absl::StatusOr<InitResult> InitRepository(const std::filesystem::path& dir,
                                          const InitOptions& options,
                                          PassphraseSource& passphrases,
                                          absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_REPOSITORY_INIT_H_
