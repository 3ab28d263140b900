#include "service/install/product_folder.h"

#include <algorithm>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/install/file_name.h"
#include "service/install/switch.h"

namespace usher::install {
namespace {

constexpr size_t kMaxName = 128;
constexpr uint64_t kMaxList = uint64_t{4} * 1024 * 1024;
constexpr absl::string_view kCurrent = "current";
constexpr absl::string_view kList = ".versions";

bool Allowed(absl::string_view name, absl::string_view extra) {
  if (name.empty() || name.size() > kMaxName || name[0] == '.') return false;
  return std::all_of(name.begin(), name.end(), [extra](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("._+-", c) ||
           absl::StrContains(extra, c);
  });
}

}  // namespace

absl::StatusOr<ProductFolder> ProductFolder::Of(
    const std::filesystem::path& product_dir, absl::string_view product,
    absl::string_view version, int64_t step_id) {
  const std::string folder_name = VersionFolderName(version);
  if (!Allowed(product, "") || !IsFileName(product)) {
    return Error(hr::kWuEUhInvalidmetadata,
                 "the product's name cannot be a folder's", product);
  }
  if (!Allowed(version, "~:") || !IsFileName(folder_name) ||
      absl::EqualsIgnoreCase(version, kCurrent)) {
    return Error(hr::kWuEUhInvalidmetadata,
                 "the version cannot be a folder's name", version);
  }
  ProductFolder folder;
  folder.root_ = product_dir / PathFromUtf8(product);
  folder.version_ = folder_name;
  folder.step_id_ = step_id;
  return folder;
}

std::filesystem::path ProductFolder::target() const {
  return root_ / PathFromUtf8(version_);
}

std::filesystem::path ProductFolder::staging() const {
  return root_ / absl::StrCat(".staging-", step_id_);
}

std::filesystem::path ProductFolder::old() const {
  return root_ / absl::StrCat(".old-", step_id_);
}

absl::StatusOr<std::string> ProductFolder::Current() const {
  return CurrentVersion(root_ / std::string{kCurrent});
}

absl::Status ProductFolder::Switch(absl::string_view version) const {
  const std::filesystem::path link = root_ / std::string{kCurrent};
  return version.empty() ? RemoveSwitch(link) : SwitchTo(link, version);
}

absl::StatusOr<std::vector<std::string>> ProductFolder::Versions() const {
  const std::filesystem::path list = root_ / std::string{kList};
  std::vector<std::string> versions;
  if (!Exists(list)) return versions;
  USHER_ASSIGN_OR_RETURN(const std::string text, ReadFile(list, kMaxList));
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (Allowed(line, "~:%") && Exists(root_ / PathFromUtf8(line))) {
      versions.emplace_back(line);
    }
  }
  return versions;
}

absl::Status ProductFolder::WriteVersions(
    const std::vector<std::string>& versions) const {
  std::string text;
  for (const std::string& version : versions) {
    absl::StrAppend(&text, version, "\n");
  }
  return WriteFileAtomically(root_ / std::string{kList}, text,
                             Access::kWorldRead);
}

absl::Status ProductFolder::Enlist() const {
  USHER_ASSIGN_OR_RETURN(std::vector<std::string> versions, Versions());
  if (!versions.empty() && versions.back() == version_) {
    return absl::OkStatus();
  }
  versions.erase(std::remove(versions.begin(), versions.end(), version_),
                 versions.end());
  versions.push_back(version_);
  return WriteVersions(versions);
}

absl::Status ProductFolder::Delist() const {
  USHER_ASSIGN_OR_RETURN(std::vector<std::string> versions, Versions());
  versions.erase(std::remove(versions.begin(), versions.end(), version_),
                 versions.end());
  return WriteVersions(versions);
}

absl::StatusOr<std::string> ProductFolder::Other() const {
  USHER_ASSIGN_OR_RETURN(std::vector<std::string> versions, Versions());
  versions.erase(std::remove(versions.begin(), versions.end(), version_),
                 versions.end());
  return versions.empty() ? std::string() : versions.back();
}

absl::Status ProductFolder::RemoveLeftovers() const {
  return RemoveTemporaries(root_, kList);
}

absl::Status ProductFolder::RemoveIfEmpty() const {
  if (!Exists(root_)) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(const std::vector<std::string> versions, Versions());
  USHER_ASSIGN_OR_RETURN(const std::string current, Current());
  if (!versions.empty() || !current.empty() || Exists(target())) {
    return absl::OkStatus();
  }
  // Files that are not ours keep the folder: only the list is removed for it.
  USHER_RETURN_IF_ERROR(RemoveTree(root_ / std::string{kList}));
  std::error_code error;
  std::filesystem::remove(root_, error);
  return SyncDirectory(root_.parent_path());
}

}  // namespace usher::install
