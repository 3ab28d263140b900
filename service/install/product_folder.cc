#include "service/install/product_folder.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/fault_point.h"
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

absl::StatusOr<std::vector<ProductFolder::Installed>> ProductFolder::Versions()
    const {
  const std::filesystem::path list = root_ / std::string{kList};
  std::vector<Installed> versions;
  if (!Exists(list)) return versions;
  USHER_ASSIGN_OR_RETURN(const std::string text, ReadFile(list, kMaxList));
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (Allowed(words.first, "~:%") &&
        Exists(root_ / PathFromUtf8(words.first))) {
      versions.push_back({std::string(words.first), std::string(words.second)});
    }
  }
  return versions;
}

absl::StatusOr<std::vector<ProductFolder::Installed>>
ProductFolder::OtherVersions() const {
  USHER_ASSIGN_OR_RETURN(std::vector<Installed> versions, Versions());
  versions.erase(std::remove_if(versions.begin(), versions.end(),
                                [this](const Installed& installed) {
                                  return IsSameFileName(installed.version,
                                                        version_);
                                }),
                 versions.end());
  return versions;
}

absl::Status ProductFolder::WriteVersions(
    const std::vector<Installed>& versions) const {
  std::string text;
  for (const Installed& installed : versions) {
    absl::StrAppend(&text, installed.version,
                    installed.owner.empty() ? "" : " ", installed.owner, "\n");
  }
  return WriteFileAtomically(root_ / std::string{kList}, text,
                             Access::kWorldRead);
}

absl::StatusOr<std::string> ProductFolder::OwnerOf(
    absl::string_view version) const {
  USHER_ASSIGN_OR_RETURN(const std::vector<Installed> versions, Versions());
  for (const Installed& installed : versions) {
    if (IsSameFileName(installed.version, version)) return installed.owner;
  }
  return std::string();
}

absl::Status ProductFolder::Enlist(absl::string_view owner) const {
  const Installed entry{version_, std::string(owner)};
  USHER_ASSIGN_OR_RETURN(const std::vector<Installed> before, Versions());
  if (!before.empty() && before.back() == entry) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(std::vector<Installed> versions, OtherVersions());
  versions.push_back(entry);
  return WriteVersions(versions);
}

absl::Status ProductFolder::Delist() const {
  USHER_ASSIGN_OR_RETURN(const std::vector<Installed> versions,
                         OtherVersions());
  return WriteVersions(versions);
}

absl::StatusOr<std::string> ProductFolder::Other(
    absl::string_view owner) const {
  USHER_ASSIGN_OR_RETURN(const std::vector<Installed> versions,
                         OtherVersions());
  const auto other = std::find_if(
      versions.rbegin(), versions.rend(), [owner](const Installed& installed) {
        return installed.owner.empty() || installed.owner != owner;
      });
  return other == versions.rend() ? std::string() : other->version;
}

absl::Status ProductFolder::RemoveOthersOf(absl::string_view owner) const {
  if (owner.empty() || !Exists(root_)) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(const std::string current, Current());
  USHER_ASSIGN_OR_RETURN(std::vector<Installed> versions, Versions());
  bool any = false;
  for (const Installed& installed : versions) {
    if (installed.owner != owner ||
        IsSameFileName(installed.version, version_) ||
        IsSameFileName(installed.version, current)) {
      continue;
    }
    USHER_RETURN_IF_ERROR(RemoveTree(root_ / PathFromUtf8(installed.version)));
    USHER_FAULT_POINT("archive.old_removed");
    any = true;
  }
  if (!any) return absl::OkStatus();
  // Without those whose folder is gone.
  USHER_ASSIGN_OR_RETURN(versions, Versions());
  return WriteVersions(versions);
}

absl::Status ProductFolder::RemoveLeftovers() const {
  return RemoveTemporaries(root_, kList);
}

absl::Status ProductFolder::RemoveIfEmpty() const {
  if (!Exists(root_)) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(const std::vector<Installed> versions, Versions());
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
