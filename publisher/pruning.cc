#include "publisher/pruning.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/published_metadata.h"

namespace usher::publisher {

namespace fs = std::filesystem;

absl::Status PruneVersions(const Workspace& workspace, absl::string_view role,
                           int keep) {
  const fs::path metadata = workspace.metadata_dir();
  std::vector<int64_t> versions = VersionsOf(metadata, role);
  const size_t kept =
      std::min<size_t>(versions.size(), static_cast<size_t>(std::max(keep, 1)));
  versions.resize(versions.size() - kept);
  for (const int64_t version : versions) {
    USHER_RETURN_IF_ERROR(
        RemoveTree(metadata / PathFromUtf8(VersionedName(version, role))));
  }
  return absl::OkStatus();
}

namespace {

// Removes the catalogs in the folder that no version of the role names.
absl::Status RemoveUnnamedCatalogs(const Workspace& workspace,
                                   absl::string_view role,
                                   absl::string_view folder) {
  const fs::path metadata = workspace.metadata_dir();
  std::set<std::string> named;
  for (const int64_t version : VersionsOf(metadata, role)) {
    const auto document = ReadMetadata<tuf::Targets>(
        metadata / PathFromUtf8(VersionedName(version, role)));
    // What it names cannot be told, so all stays.
    if (!document.ok()) return absl::OkStatus();
    for (const auto& [name, info] : document->body.targets) {
      const auto hash = info.hashes.find("sha256");
      if (hash != info.hashes.end()) {
        named.insert(tuf::ConsistentTargetPath(name, hash->second));
      }
    }
  }
  std::vector<fs::path> unused;
  std::error_code error;
  for (fs::directory_iterator
           it(workspace.targets_dir() / PathFromUtf8(folder), error),
       end;
       !error && it != end; it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    std::error_code ignored;
    if (absl::EndsWith(name, ".usc") && it->is_regular_file(ignored) &&
        !named.contains(std::string(folder) + name)) {
      unused.push_back(it->path());
    }
  }
  for (const fs::path& path : unused) USHER_RETURN_IF_ERROR(RemoveTree(path));
  return absl::OkStatus();
}

}  // namespace

absl::Status PruneCatalogs(const Workspace& workspace, absl::string_view role,
                           absl::string_view folder, int keep) {
  USHER_RETURN_IF_ERROR(PruneVersions(workspace, role, keep));
  return RemoveUnnamedCatalogs(workspace, role, folder);
}

absl::Status PruneVendor(const Workspace& workspace, absl::string_view vendor,
                         absl::string_view folder, int64_t newest) {
  const fs::path metadata = workspace.metadata_dir();
  std::set<int64_t> needed = {newest};
  for (const int64_t version : VersionsOf(metadata, "snapshot")) {
    const auto snapshot = ReadMetadata<tuf::Snapshot>(
        metadata / PathFromUtf8(VersionedName(version, "snapshot")));
    // What it names cannot be told, so all stays.
    if (!snapshot.ok()) return absl::OkStatus();
    const auto meta = snapshot->body.meta.find(tuf::RoleFileName(vendor));
    if (meta != snapshot->body.meta.end()) needed.insert(meta->second.version);
  }
  for (const int64_t version : VersionsOf(metadata, vendor)) {
    if (needed.contains(version)) continue;
    USHER_RETURN_IF_ERROR(
        RemoveTree(metadata / PathFromUtf8(VersionedName(version, vendor))));
  }
  return RemoveUnnamedCatalogs(workspace, vendor, folder);
}

}  // namespace usher::publisher
