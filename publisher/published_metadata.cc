#include "publisher/published_metadata.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace usher::publisher {

std::string VersionedName(int64_t version, absl::string_view role) {
  return absl::StrCat(version, ".", role, ".json");
}

bool IsAgeing(absl::Time expires, absl::Time renewed, absl::Time now) {
  return expires < now + (renewed - now) / 2;
}

std::vector<int64_t> VersionsOf(const std::filesystem::path& metadata_dir,
                                absl::string_view role) {
  std::vector<int64_t> versions;
  std::error_code error;
  for (std::filesystem::directory_iterator it(metadata_dir, error), end;
       !error && it != end; it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    absl::string_view digits = name;
    int64_t version = 0;
    if (absl::ConsumeSuffix(&digits, absl::StrCat(".", role, ".json")) &&
        absl::SimpleAtoi(digits, &version) && version > 0 &&
        VersionedName(version, role) == name) {
      versions.push_back(version);
    }
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

absl::StatusOr<PublishedMetadata> PublishedMetadata::Load(
    const std::filesystem::path& metadata_dir) {
  PublishedMetadata published;
  const std::vector<int64_t> roots = VersionsOf(metadata_dir, "root");
  if (roots.empty()) {
    return Error(
        hr::kWuEInvalidFile,
        absl::StrCat("there is no N.root.json in ", PathToUtf8(metadata_dir),
                     "; restore it from a backup or from the web "
                     "server"),
        PathToUtf8(metadata_dir));
  }
  USHER_ASSIGN_OR_RETURN(
      published.root, ReadMetadata<tuf::Root>(
                          metadata_dir / VersionedName(roots.back(), "root")));
  auto timestamp =
      ReadMetadata<tuf::Timestamp>(metadata_dir / "timestamp.json");
  if (!timestamp.ok()) return published;
  published.timestamp = *std::move(timestamp);
  auto snapshot = ReadMetadata<tuf::Snapshot>(
      metadata_dir /
      VersionedName(published.timestamp->body.snapshot.version, "snapshot"));
  if (!snapshot.ok()) return published;
  published.snapshot = *std::move(snapshot);
  const auto meta = published.snapshot->body.meta.find("targets.json");
  if (meta == published.snapshot->body.meta.end()) return published;
  auto targets = ReadMetadata<tuf::Targets>(
      metadata_dir / VersionedName(meta->second.version, "targets"));
  if (targets.ok()) published.targets = *std::move(targets);
  return published;
}

absl::Status WritePublic(const std::filesystem::path& path,
                         absl::string_view content) {
  USHER_RETURN_IF_ERROR(
      MakeDirectories(path.parent_path(), Access::kWorldRead));
  return WriteFileAtomically(path, content, Access::kWorldRead);
}

absl::Status WriteRoot(const Workspace& workspace, int64_t version,
                       absl::string_view text) {
  USHER_RETURN_IF_ERROR(WritePublic(
      workspace.metadata_dir() / VersionedName(version, "root"), text));
  return WriteFileAtomically(workspace.dir() / "root.json", text,
                             Access::kWorldRead);
}

}  // namespace usher::publisher
