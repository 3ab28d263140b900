#include <windows.h>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "common/win32.h"
#include "service/install/file_name.h"
#include "service/install/windows_name.h"

namespace usher::install {

bool IsFileName(absl::string_view name) { return IsWindowsFileName(name); }

std::string VersionFolderName(absl::string_view version) {
  return absl::StrReplaceAll(version, {{":", "%3A"}});
}

bool IsSameFileName(absl::string_view a, absl::string_view b) {
  return absl::EqualsIgnoreCase(a, b);
}

bool Exists(const std::filesystem::path& path) {
  return GetFileAttributesW(win32::ApiPath(path).c_str()) !=
         INVALID_FILE_ATTRIBUTES;
}

}  // namespace usher::install
