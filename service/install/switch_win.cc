// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <winioctl.h>
// clang-format on

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"
#include "service/install/file_name.h"
#include "service/install/switch.h"

// `current` is a junction, which needs no privilege. It is made under another
// name and renamed when there is none; otherwise its target is replaced where
// it stands: FSCTL_SET_REPARSE_POINT on a reparse point of the same kind
// exchanges the data in one step of NTFS's own log, so after a power cut it
// has the old target or the new one.
//
// A file system without reparse points (FAT, exFAT, shares, Wine) has the file
// `.current` instead, which holds the name of the version's folder.

namespace usher::install {
namespace {

constexpr size_t kMaxName = 512;
constexpr wchar_t kDevicePrefix[] = L"\\??\\";

// REPARSE_DATA_BUFFER of a mount point, up to the names.
struct JunctionHeader {
  DWORD tag = IO_REPARSE_TAG_MOUNT_POINT;
  WORD data_length = 0;
  WORD reserved = 0;
  WORD target_offset = 0;
  WORD target_length = 0;
  WORD shown_offset = 0;
  WORD shown_length = 0;
};
constexpr size_t kBeforeData = offsetof(JunctionHeader, target_offset);
static_assert(sizeof(JunctionHeader) == 16);

std::filesystem::path NextOf(const std::filesystem::path& link) {
  return link.parent_path() / ".current.next";
}

std::filesystem::path PointerOf(const std::filesystem::path& link) {
  return link.parent_path() / ".current";
}

// Opens the junction itself.
win32::Handle OpenLink(const std::filesystem::path& link, DWORD access) {
  return win32::Handle(CreateFileW(
      win32::ApiPath(link).c_str(), access,
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
      nullptr));
}

// ERROR_SUCCESS or a Windows error.
DWORD SetTarget(HANDLE link, const std::wstring& folder) {
  const std::wstring target = kDevicePrefix + folder;
  const size_t target_bytes = target.size() * sizeof(wchar_t);
  const size_t shown_bytes = folder.size() * sizeof(wchar_t);
  const size_t names = target_bytes + shown_bytes + 2 * sizeof(wchar_t);
  if (sizeof(JunctionHeader) + names > MAXIMUM_REPARSE_DATA_BUFFER_SIZE) {
    return ERROR_FILENAME_EXCED_RANGE;
  }
  JunctionHeader header;
  header.data_length =
      static_cast<WORD>(sizeof(JunctionHeader) - kBeforeData + names);
  header.target_length = static_cast<WORD>(target_bytes);
  header.shown_offset = static_cast<WORD>(target_bytes + sizeof(wchar_t));
  header.shown_length = static_cast<WORD>(shown_bytes);
  std::vector<char> buffer(sizeof header + names);
  std::memcpy(buffer.data(), &header, sizeof header);
  std::memcpy(buffer.data() + sizeof header, target.data(), target_bytes);
  std::memcpy(buffer.data() + sizeof header + header.shown_offset,
              folder.data(), shown_bytes);
  DWORD returned = 0;
  if (DeviceIoControl(link, FSCTL_SET_REPARSE_POINT, buffer.data(),
                      static_cast<DWORD>(buffer.size()), nullptr, 0, &returned,
                      nullptr) == 0 ||
      FlushFileBuffers(link) == 0) {
    return GetLastError();
  }
  return ERROR_SUCCESS;
}

// The last component of a junction's target; "" if there is none.
std::string TargetOf(HANDLE link) {
  std::vector<char> buffer(MAXIMUM_REPARSE_DATA_BUFFER_SIZE);
  DWORD size = 0;
  JunctionHeader header;
  if (DeviceIoControl(link, FSCTL_GET_REPARSE_POINT, nullptr, 0, buffer.data(),
                      static_cast<DWORD>(buffer.size()), &size, nullptr) == 0 ||
      size < sizeof header) {
    return "";
  }
  std::memcpy(&header, buffer.data(), sizeof header);
  const size_t start = sizeof header + header.target_offset;
  if (header.tag != IO_REPARSE_TAG_MOUNT_POINT ||
      start + header.target_length > size) {
    return "";
  }
  std::wstring target(header.target_length / sizeof(wchar_t), L'\0');
  std::memcpy(target.data(), buffer.data() + start,
              target.size() * sizeof(wchar_t));
  return win32::ToUtf8(target.substr(target.rfind(L'\\') + 1));
}

bool MeansUnsupported(DWORD error) {
  return error == ERROR_NOT_SUPPORTED || error == ERROR_INVALID_FUNCTION;
}

// The folder as a junction names it, "C:\…"; "" if a junction cannot.
std::wstring JunctionTarget(const std::filesystem::path& folder) {
  constexpr std::wstring_view kLong = L"\\\\?\\";
  const std::wstring path = win32::ApiPath(folder);
  if (!path.starts_with(kLong) || path.size() < 6 || path[5] != L':') {
    return {};
  }
  return path.substr(kLong.size());
}

absl::Status RemoveLink(const std::filesystem::path& link) {
  if (RemoveDirectoryW(win32::ApiPath(link).c_str()) != 0 ||
      GetLastError() == ERROR_FILE_NOT_FOUND ||
      GetLastError() == ERROR_PATH_NOT_FOUND) {
    return absl::OkStatus();
  }
  return win32::LastError("remove", PathToUtf8(link));
}

// Makes the junction under another name, then renames it. False: not on this
// file system.
absl::StatusOr<bool> MakeJunction(const std::filesystem::path& link,
                                  const std::wstring& target) {
  const std::filesystem::path next = NextOf(link);
  // What a crash left.
  USHER_RETURN_IF_ERROR(RemoveLink(next));
  if (CreateDirectoryW(win32::ApiPath(next).c_str(), nullptr) == 0) {
    return win32::LastError("create", PathToUtf8(next));
  }
  win32::Handle handle = OpenLink(next, GENERIC_WRITE);
  const DWORD error =
      handle.open() ? SetTarget(handle.get(), target) : GetLastError();
  handle.Close();
  if (error == ERROR_SUCCESS) {
    USHER_RETURN_IF_ERROR(RenameDurably(next, link));
    return true;
  }
  USHER_RETURN_IF_ERROR(RemoveLink(next));
  if (MeansUnsupported(error)) return false;
  return win32::SystemError(error, "create the junction", PathToUtf8(link));
}

}  // namespace

absl::StatusOr<std::string> CurrentVersion(const std::filesystem::path& link) {
  const win32::Handle handle = OpenLink(link, FILE_READ_ATTRIBUTES);
  if (handle.open()) return TargetOf(handle.get());
  const DWORD error = GetLastError();
  if (error != ERROR_FILE_NOT_FOUND && error != ERROR_PATH_NOT_FOUND) {
    return win32::SystemError(error, "read the junction", PathToUtf8(link));
  }
  const std::filesystem::path pointer = PointerOf(link);
  if (!Exists(pointer)) return std::string();
  return ReadFile(pointer, kMaxName);
}

absl::Status SwitchTo(const std::filesystem::path& link,
                      absl::string_view version) {
  const std::wstring target =
      JunctionTarget(link.parent_path() / PathFromUtf8(version));
  if (!target.empty() && !Exists(PointerOf(link))) {
    const win32::Handle handle = OpenLink(link, GENERIC_WRITE);
    if (handle.open()) {
      const DWORD error = SetTarget(handle.get(), target);
      if (error == ERROR_SUCCESS) return absl::OkStatus();
      return win32::SystemError(error, "redirect the junction",
                                PathToUtf8(link));
    }
    if (GetLastError() != ERROR_FILE_NOT_FOUND) {
      return win32::LastError("open the junction", PathToUtf8(link));
    }
    USHER_ASSIGN_OR_RETURN(const bool made, MakeJunction(link, target));
    if (made) return absl::OkStatus();
  }
  return WriteFileAtomically(PointerOf(link), version, Access::kWorldRead);
}

absl::Status RemoveSwitch(const std::filesystem::path& link) {
  const std::filesystem::path folder = link.parent_path();
  if (!Exists(folder)) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(RemoveLink(link));
  USHER_RETURN_IF_ERROR(RemoveLink(NextOf(link)));
  const std::filesystem::path pointer = PointerOf(link);
  if (DeleteFileW(win32::ApiPath(pointer).c_str()) == 0 &&
      GetLastError() != ERROR_FILE_NOT_FOUND) {
    return win32::LastError("remove", PathToUtf8(pointer));
  }
  return SyncDirectory(folder);
}

}  // namespace usher::install
