#include <system_error>

#include "service/install/file_name.h"

namespace usher::install {

bool IsFileName(absl::string_view /*name*/) { return true; }

std::string VersionFolderName(absl::string_view version) {
  return std::string{version};
}

bool IsSameFileName(absl::string_view a, absl::string_view b) { return a == b; }

bool Exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

}  // namespace usher::install
