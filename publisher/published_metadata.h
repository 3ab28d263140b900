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
#include "common/tuf/metadata.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/workspace.h"

namespace usher::publisher {

inline constexpr uint64_t kMaxMetadataBytes = uint64_t{64} * 1024 * 1024;

// "{version}.{role}.json"
std::string VersionedName(int64_t version, absl::string_view role);

// Versions for which `{version}.{role}.json` is in the folder, ascending.
std::vector<int64_t> VersionsOf(const std::filesystem::path& metadata_dir,
                                absl::string_view role);

// What is public now. Documents that are missing or damaged are absent; the
// root cannot be.
struct PublishedMetadata {
  tuf::Metadata<tuf::Root> root;
  absl::optional<tuf::Metadata<tuf::Targets>> targets;
  absl::optional<tuf::Metadata<tuf::Snapshot>> snapshot;
  absl::optional<tuf::Metadata<tuf::Timestamp>> timestamp;

  // Follows the names from the timestamp down. WU_E_INVALID_FILE without a
  // readable root.
  static absl::StatusOr<PublishedMetadata> Load(
      const std::filesystem::path& metadata_dir);
};

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

// Writes a file that a web server serves, with its folder.
absl::Status WritePublic(const std::filesystem::path& path,
                         absl::string_view content);

// Makes a root public, and the one that is handed to new clients.
absl::Status WriteRoot(const Workspace& workspace, int64_t version,
                       absl::string_view text);

// A signed document on its way to its file.
struct SignedFile {
  int64_t version = 0;
  std::string text;
};

// Signs `body` with `key`.
template <typename Body>
absl::StatusOr<SignedFile> SignDocument(Body body, const tuf::PrivateKey& key) {
  tuf::Metadata<Body> metadata;
  metadata.body = std::move(body);
  USHER_RETURN_IF_ERROR(tuf::Sign(metadata, {key}));
  SignedFile file;
  file.version = metadata.body.version;
  USHER_ASSIGN_OR_RETURN(file.text, tuf::Serialize(metadata));
  return file;
}

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PUBLISHED_METADATA_H_
