#ifndef USHER_PUBLISHER_ROOT_CEREMONY_H_
#define USHER_PUBLISHER_ROOT_CEREMONY_H_

// The next root of a repository on its way through the hands of those who hold
// root keys: made where the repository is, signed where the keys are, put
// together and published where the repository is.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/tuf/key.h"
#include "common/tuf/metadata.h"
#include "common/tuf/private_key.h"
#include "publisher/workspace.h"

namespace usher::publisher {

// A root.json that is not yet public: an ordinary TUF document, so that other
// tools can read and sign it. Not thread-safe.
class RootDraft {
 public:
  // The successor of the repository's root: the same keys, the next version,
  // no signature.
  static absl::StatusOr<RootDraft> Next(const Workspace& workspace,
                                        absl::Time expires);
  // The first root of a repository that is being made, no signature.
  static RootDraft First(tuf::Root body);
  // Reads a file. E_INVALIDARG names the file and what is wrong in it.
  static absl::StatusOr<RootDraft> Read(const std::filesystem::path& path);
  absl::Status Write(const std::filesystem::path& path) const;

  const tuf::Metadata<tuf::Root>& metadata() const { return metadata_; }

  // Changes of what is signed; each drops all signatures.
  //
  // Lets a key sign for a role. WU_E_DUPLICATE_ITEM if it may already, under
  // whatever id.
  absl::Status AddKey(absl::string_view role, const tuf::Key& key);
  // Takes a key's right to sign for a role; `key_id` is its id or the
  // beginning of it that no other key of the role has, at least 6 digits. The
  // role keeps as many keys as its threshold, and one at least.
  absl::Status RemoveKey(absl::string_view role, absl::string_view key_id);
  // From 1 to the number of the role's keys. What "publish" signs (timestamp,
  // snapshot, targets) it signs with one key.
  absl::Status SetThreshold(absl::string_view role, int64_t threshold);
  // In the future.
  absl::Status SetExpires(absl::Time expires, absl::Time now);

  // Adds the signature of a key, whether it is one of the new root's or one of
  // the old's.
  absl::Status Sign(const tuf::PrivateKey& key);
  // Adds the signatures of a copy. WU_E_INVALID_OPERATION if what they cover
  // is not the same.
  absl::Status Combine(const RootDraft& other);

  // How far the signatures go for one root's keys.
  struct Progress {
    int64_t threshold = 0;
    std::vector<std::string> signed_by;  // key ids
    std::vector<std::string> missing;
    bool done() const {
      return static_cast<int64_t>(signed_by.size()) >= threshold;
    }
  };
  // By the keys that `root` (the old one, or the draft's own) has for root.
  absl::StatusOr<Progress> ProgressBy(const tuf::Root& root) const;

 private:
  explicit RootDraft(tuf::Metadata<tuf::Root> metadata)
      : metadata_(std::move(metadata)) {}

  absl::StatusOr<tuf::Role*> RoleOf(absl::string_view role);
  // By a key that the draft itself has.
  bool IsSignedBy(const tuf::Signature& signature,
                  absl::string_view bytes) const;
  void DropUnusedKeys();

  tuf::Metadata<tuf::Root> metadata_;
};

// The root that is public, verified from {dir}/root.json on.
absl::StatusOr<tuf::Root> PublicRoot(const Workspace& workspace);

// Publishes a draft, also the first root. Checks as a client would that it
// follows the public root (WU_E_METADATA_BAD_SIGNATURE says whose signatures
// are missing), that it has not expired, and that what is public stays signed
// by keys that it names: a role's new key must be there beside the old one
// until "publish --renew" has signed with it. A first root must be the one that
// was drafted when the repository was made. WU_E_INVALID_OPERATION otherwise;
// nothing is changed then.
absl::Status PublishRoot(Workspace& workspace, const RootDraft& draft,
                         absl::Time now);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_ROOT_CEREMONY_H_
