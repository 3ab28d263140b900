#ifndef USHER_PUBLISHER_PUBLISHED_METADATA_H_
#define USHER_PUBLISHER_PUBLISHED_METADATA_H_

// The metadata files of a repository's public folder, and writing new ones.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/metadata.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/workspace.h"

namespace usher::publisher {

inline constexpr uint64_t kMaxMetadataBytes = uint64_t{64} * 1024 * 1024;
// What clients accept of one delegated role (service/repository/repository.h).
inline constexpr uint64_t kMaxRoleBytes = uint64_t{5} * 1024 * 1024;

// How far a version may be ahead of the last that is known; enough for versions
// that are seconds since 1970. Somebody who has stolen the key could use up all
// versions otherwise.
inline constexpr int64_t kMaxVersionStep = int64_t{1} << 32;

// "{version}.{role}.json"
std::string VersionedName(int64_t version, absl::string_view role);

// Versions for which `{version}.{role}.json` is in the folder, ascending. Good
// for removing old ones, not for counting on: anything may lie there. An error
// if the folder cannot be listed; one that is not there has none.
absl::StatusOr<std::vector<int64_t>> VersionsOf(
    const std::filesystem::path& metadata_dir, absl::string_view role);

// The version after `last`, which was given out or found. An error before the
// numbers end that every reader of JSON can tell apart.
absl::StatusOr<int64_t> NextVersion(int64_t last, absl::string_view role);

// How a document is remembered (Settings::signed_last).
template <typename Body>
SignedRecord RecordOf(const tuf::Metadata<Body>& metadata) {
  return {metadata.body.version, ToHex(Sha256Of(metadata.signed_bytes))};
}

// What is public now. Whoever can write to the web server's folder is not one
// who may sign: everything is verified before anything is signed on its word.
// Documents that are missing are absent, with all that they name; the root
// cannot be.
struct PublishedMetadata {
  tuf::Metadata<tuf::Root> root;
  std::string root_text;  // its file
  absl::optional<tuf::Metadata<tuf::Targets>> targets;
  absl::optional<tuf::Metadata<tuf::Snapshot>> snapshot;
  absl::optional<tuf::Metadata<tuf::Timestamp>> timestamp;
  // Names of roots before the present one that are not there, the last first,
  // as far as it makes sense to list them.
  std::vector<std::string> missing_roots;
  // Whether {dir}/root.json is an older one: a publisher was killed.
  bool root_copy_is_old = false;

  // What to do with a timestamp, snapshot or targets that is not what was
  // signed here.
  enum class Wrong {
    kRefuse,
    // Treat it as absent: everything is about to be signed afresh.
    kIgnore,
  };

  // Follows the roots from {dir}/root.json on, which is not served, and then
  // the names from the timestamp down: signatures by the root's keys, hashes,
  // and that it is not an older timestamp than was signed last.
  // WU_E_METADATA_BAD_SIGNATURE, WU_E_METADATA_SIGNATURE_VERIFY_FAILED,
  // WU_E_REDIRECTOR_ID_SMALLER, WU_E_INVALID_FILE without a root: the message
  // names the file and the way out.
  static absl::StatusOr<PublishedMetadata> Load(const Workspace& workspace,
                                                Wrong wrong = Wrong::kRefuse);
};

// Whether it is (one of) Settings::signed_last.
bool IsRecorded(const Settings& settings, const SignedRecord& found);

// Whether what is public may have that document as its newest:
// WU_E_REDIRECTOR_ID_SMALLER for an older one than was signed last, or another
// one of its version; WU_E_INVALID_OPERATION for a version so far ahead that
// only a stolen key can have signed it. A newer one is fine (the bookkeeping
// was restored from a backup), if it is verified.
absl::Status CheckIsLast(const Settings& settings, const SignedRecord& found,
                         absl::string_view name);

// Notes in the bookkeeping that `next` is about to be made public in the place
// of `present`, and saves it: a kill from here on leaves one of the two.
absl::Status BeginSigned(Workspace& workspace,
                         const absl::optional<SignedRecord>& present,
                         SignedRecord next);
// Notes that `present` is public; saves only if that is new.
absl::Status ConfirmSigned(Workspace& workspace, const SignedRecord& present);

// Whether a document has used up half of the time that a new one would get.
bool IsAgeing(absl::Time expires, absl::Time renewed, absl::Time now);

// Reads one document without verifying it.
template <typename Body>
absl::StatusOr<tuf::Metadata<Body>> ReadMetadata(
    const std::filesystem::path& path) {
  USHER_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(path, kMaxMetadataBytes));
  auto metadata = tuf::Parse<Body>(text);
  if (!metadata.ok()) return Annotate(metadata.status(), PathToUtf8(path));
  return metadata;
}

// Writes a file that a web server serves, below the folder that is served, with
// the folders on the way: CheckRealFolders().
absl::Status WritePublic(const std::filesystem::path& public_dir,
                         const std::filesystem::path& path,
                         absl::string_view content);

// Makes a root public, and then the one that is handed to new clients.
absl::Status WriteRoot(const Workspace& workspace, int64_t version,
                       absl::string_view text);

// A signed document on its way to its file.
struct SignedFile {
  int64_t version = 0;
  std::string text;
  SignedRecord record;
};

// Signs `body` with `key`.
template <typename Body>
absl::StatusOr<SignedFile> SignDocument(Body body, const tuf::PrivateKey& key) {
  tuf::Metadata<Body> metadata;
  metadata.body = std::move(body);
  USHER_RETURN_IF_ERROR(tuf::Sign(metadata, {key}));
  SignedFile file;
  file.version = metadata.body.version;
  file.record = RecordOf(metadata);
  USHER_ASSIGN_OR_RETURN(file.text, tuf::Serialize(metadata));
  return file;
}

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PUBLISHED_METADATA_H_
