#include <windows.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"

// std::filesystem::remove_all will not do: it takes a junction for a folder,
// and it fails at long paths and read-only files.

namespace usher {
namespace {

bool IsNothingThere(DWORD error) {
  return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
}

// A folder on the way down, with what is still to be removed from it.
struct Level {
  std::wstring path;
  // Open without FILE_SHARE_DELETE: while we are below, nobody puts a link in
  // the folder's place.
  win32::Handle handle;
  std::vector<WIN32_FIND_DATAW> entries;
};

bool IsRealFolder(DWORD attributes) {
  return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
         (attributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0;
}

// Removes a file, a link, or an empty folder.
absl::Status RemoveOne(const std::wstring& path, DWORD attributes) {
  const bool folder = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  const auto remove = [&] {
    return folder ? RemoveDirectoryW(path.c_str()) : DeleteFileW(path.c_str());
  };
  if (remove() != 0) return absl::OkStatus();
  if (GetLastError() == ERROR_ACCESS_DENIED &&
      (attributes & FILE_ATTRIBUTE_READONLY) != 0) {
    SetFileAttributesW(path.c_str(), folder ? FILE_ATTRIBUTE_DIRECTORY
                                            : FILE_ATTRIBUTE_NORMAL);
    if (remove() != 0) return absl::OkStatus();
  }
  if (IsNothingThere(GetLastError())) return absl::OkStatus();
  return win32::LastError("remove", win32::ToUtf8(path));
}

// Opens a folder and lists it. A link that came in its place meanwhile has no
// entries.
absl::StatusOr<Level> Enter(std::wstring path) {
  Level level;
  level.handle = win32::Handle(CreateFileW(
      path.c_str(), FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE,
      nullptr, OPEN_EXISTING,
      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  BY_HANDLE_FILE_INFORMATION info;
  if (!level.handle.open() ||
      GetFileInformationByHandle(level.handle.get(), &info) == 0) {
    return win32::LastError("open the folder", win32::ToUtf8(path));
  }
  level.path = std::move(path);
  if (!IsRealFolder(info.dwFileAttributes)) return level;

  WIN32_FIND_DATAW entry;
  HANDLE search =
      FindFirstFileExW((level.path + L"\\*").c_str(), FindExInfoBasic, &entry,
                       FindExSearchNameMatch, nullptr, 0);
  if (search == INVALID_HANDLE_VALUE) {
    if (IsNothingThere(GetLastError())) return level;
    return win32::LastError("list", win32::ToUtf8(level.path));
  }
  do {
    const std::wstring_view name = entry.cFileName;
    if (name != L"." && name != L"..") level.entries.push_back(entry);
  } while (FindNextFileW(search, &entry) != 0);
  const DWORD error = GetLastError();
  FindClose(search);
  if (error != ERROR_NO_MORE_FILES) {
    return win32::SystemError(error, "list", win32::ToUtf8(level.path));
  }
  return level;
}

}  // namespace

absl::Status RemoveTree(const std::filesystem::path& path) {
  std::wstring root = win32::ApiPath(path);
  while (root.ends_with(L'\\')) root.pop_back();
  const DWORD attributes = GetFileAttributesW(root.c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) {
    if (IsNothingThere(GetLastError())) return absl::OkStatus();
    return win32::LastError("examine", PathToUtf8(path));
  }
  if (!IsRealFolder(attributes)) return RemoveOne(root, attributes);

  // A stack of our own: paths may be deeper than a thread's stack.
  std::vector<Level> levels;
  USHER_ASSIGN_OR_RETURN(Level top, Enter(std::move(root)));
  levels.push_back(std::move(top));
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.entries.empty()) {
      level.handle.Close();
      USHER_RETURN_IF_ERROR(RemoveOne(
          level.path, FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_READONLY));
      levels.pop_back();
      continue;
    }
    const WIN32_FIND_DATAW entry = level.entries.back();
    level.entries.pop_back();
    std::wstring child = level.path + L"\\" + entry.cFileName;
    if (IsRealFolder(entry.dwFileAttributes)) {
      USHER_ASSIGN_OR_RETURN(Level next, Enter(std::move(child)));
      levels.push_back(std::move(next));
    } else {
      USHER_RETURN_IF_ERROR(RemoveOne(child, entry.dwFileAttributes));
    }
  }
  return absl::OkStatus();
}

}  // namespace usher
