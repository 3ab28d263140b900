#include "publisher/pruning.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/published_metadata.h"
#include "publisher/real_folders.h"

namespace usher::publisher {

namespace fs = std::filesystem;

namespace {

// Whether a file was made within `age` before now. What has no time, or one to
// come, is taken for new.
bool IsYoung(const fs::path& path, absl::Duration age) {
  std::error_code error;
  const auto made = fs::last_write_time(path, error);
  if (error) return true;
  return absl::FromChrono(fs::file_time_type::clock::now() - made) < age;
}

}  // namespace

absl::Status PruneVersions(const Workspace& workspace, absl::string_view role,
                           int64_t present, const KeepOld& keep) {
  const auto path = [&workspace, role](int64_t version) {
    return workspace.metadata_dir() /
           PathFromUtf8(VersionedName(version, role));
  };
  USHER_RETURN_IF_ERROR(
      CheckRealFolders(workspace.public_dir(), workspace.metadata_dir()));
  USHER_ASSIGN_OR_RETURN(std::vector<int64_t> versions,
                         VersionsOf(workspace.metadata_dir(), role));
  while (!versions.empty() && versions.back() > present) {
    USHER_RETURN_IF_ERROR(RemoveTree(path(versions.back())));
    versions.pop_back();
  }
  const auto kept = static_cast<size_t>(std::max(keep.versions, 1));
  for (size_t i = 0; i + kept < versions.size(); ++i) {
    // It was the present one until the next one was made.
    if (IsYoung(path(versions[i + 1]), keep.age)) break;
    USHER_RETURN_IF_ERROR(RemoveTree(path(versions[i])));
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
  USHER_ASSIGN_OR_RETURN(const std::vector<int64_t> versions,
                         VersionsOf(metadata, role));
  for (const int64_t version : versions) {
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
  const fs::path catalogs = workspace.targets_dir() / PathFromUtf8(folder);
  USHER_RETURN_IF_ERROR(CheckRealFolders(workspace.public_dir(), catalogs));
  std::vector<fs::path> unused;
  std::error_code error;
  for (fs::directory_iterator it(catalogs, error), end; !error && it != end;
       it.increment(error)) {
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
                           absl::string_view folder, int64_t present,
                           const KeepOld& keep) {
  USHER_RETURN_IF_ERROR(PruneVersions(workspace, role, present, keep));
  return RemoveUnnamedCatalogs(workspace, role, folder);
}

absl::Status PruneVendors(const Workspace& workspace) {
  const fs::path metadata = workspace.metadata_dir();
  USHER_RETURN_IF_ERROR(CheckRealFolders(workspace.public_dir(), metadata));
  // By the file of the role.
  std::map<std::string, std::set<int64_t>> needed;
  USHER_ASSIGN_OR_RETURN(const std::vector<int64_t> snapshots,
                         VersionsOf(metadata, "snapshot"));
  for (const int64_t version : snapshots) {
    const auto snapshot = ReadMetadata<tuf::Snapshot>(
        metadata / PathFromUtf8(VersionedName(version, "snapshot")));
    // What it names cannot be told, so all stays.
    if (!snapshot.ok()) return absl::OkStatus();
    for (const auto& [file, meta] : snapshot->body.meta) {
      needed[file].insert(meta.version);
    }
  }
  for (const Vendor& vendor : workspace.settings().vendors) {
    std::set<int64_t>& versions = needed[tuf::RoleFileName(vendor.name)];
    versions.insert(vendor.version);
    USHER_ASSIGN_OR_RETURN(const std::vector<int64_t> present,
                           VersionsOf(metadata, vendor.name));
    for (const int64_t version : present) {
      if (versions.contains(version)) continue;
      USHER_RETURN_IF_ERROR(RemoveTree(
          metadata / PathFromUtf8(VersionedName(version, vendor.name))));
    }
    USHER_RETURN_IF_ERROR(RemoveUnnamedCatalogs(workspace, vendor.name,
                                                VendorFolder(vendor.name)));
  }
  return absl::OkStatus();
}

}  // namespace usher::publisher
