#include <windows.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"

namespace usher {
namespace {

constexpr DWORD kShareAll =
    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// ReadFile and WriteFile count in 32 bits.
constexpr size_t kMaxTransfer = size_t{1} << 30;

// FileRenameInfoEx (Windows 10, 1607), which MinGW's headers hide.
constexpr auto kFileRenameInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(22);

win32::Readers ReadersFor(Access access) {
  switch (access) {
    case Access::kUsersRead:
      return win32::Readers::kUsers;
    case Access::kWorldRead:
      return win32::Readers::kEveryone;
    case Access::kPrivate:
      break;
  }
  return win32::Readers::kNobody;
}

SECURITY_ATTRIBUTES SecurityFor(Access access) {
  return {sizeof(SECURITY_ATTRIBUTES),
          win32::NewFileSecurity(ReadersFor(access)), FALSE};
}

std::filesystem::path ParentOf(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

bool IsFolder(const std::wstring& api_path) {
  const DWORD attributes = GetFileAttributesW(api_path.c_str());
  return attributes != INVALID_FILE_ATTRIBUTES &&
         (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

absl::Status NotRegular(absl::string_view name) {
  return Error(hr::kWuEInvalidFile,
               absl::StrCat(name, " is not a regular file"), name);
}

absl::Status WriteNewFile(const std::filesystem::path& path,
                          absl::string_view content, Access access) {
  const std::string name = PathToUtf8(path);
  SECURITY_ATTRIBUTES security = SecurityFor(access);
  const win32::Handle file(CreateFileW(win32::ApiPath(path).c_str(),
                                       GENERIC_WRITE, 0, &security, CREATE_NEW,
                                       FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.open()) return win32::LastError("create", name);
  while (!content.empty()) {
    DWORD count = 0;
    if (::WriteFile(file.get(), content.data(),
                    static_cast<DWORD>(std::min(content.size(), kMaxTransfer)),
                    &count, nullptr) == 0) {
      return win32::LastError("write", name);
    }
    content.remove_prefix(count);
  }
  if (FlushFileBuffers(file.get()) == 0) {
    return win32::LastError("write to disk", name);
  }
  return absl::OkStatus();
}

// Renames as POSIX does: also over a file that somebody has open. Not every
// file system can.
bool RenameAsPosix(const std::wstring& from, const std::wstring& to) {
  const win32::Handle file(CreateFileW(
      from.c_str(), DELETE | SYNCHRONIZE, kShareAll, nullptr, OPEN_EXISTING,
      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  if (!file.open()) return false;
  const size_t name_bytes = to.size() * sizeof(wchar_t);
  const size_t size =
      offsetof(FILE_RENAME_INFO, FileName) + name_bytes + sizeof(wchar_t);
  // Of the structure's own alignment, as long as it needs.
  std::vector<FILE_RENAME_INFO> buffer(size / sizeof(FILE_RENAME_INFO) + 1);
  FILE_RENAME_INFO* const info = buffer.data();
  info->Flags =
      FILE_RENAME_FLAG_REPLACE_IF_EXISTS | FILE_RENAME_FLAG_POSIX_SEMANTICS;
  info->FileNameLength = static_cast<DWORD>(name_bytes);
  // The name goes on behind the structure's end.
  std::memcpy(
      reinterpret_cast<char*>(info) + offsetof(FILE_RENAME_INFO, FileName),
      to.c_str(), name_bytes + sizeof(wchar_t));
  return SetFileInformationByHandle(file.get(), kFileRenameInfoEx, info,
                                    static_cast<DWORD>(size)) != 0;
}

}  // namespace

// Not by std::filesystem's own conversions: they throw at what is not valid.
std::string PathToUtf8(const std::filesystem::path& path) {
  return win32::ToUtf8(path.native());
}

std::filesystem::path PathFromUtf8(absl::string_view text) {
  return win32::ToWide(text);
}

std::filesystem::path AnyLength(const std::filesystem::path& path) {
  return win32::ApiPath(path);
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     uint64_t max_bytes) {
  const std::string name = PathToUtf8(path);
  // A folder is opened, too, so that it can be told apart.
  const win32::Handle file(
      CreateFileW(win32::ApiPath(path).c_str(), GENERIC_READ, kShareAll,
                  nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  if (!file.open()) return win32::LastError("open", name);
  BY_HANDLE_FILE_INFORMATION info;
  if (GetFileType(file.get()) != FILE_TYPE_DISK) return NotRegular(name);
  if (GetFileInformationByHandle(file.get(), &info) == 0) {
    return win32::LastError("examine", name);
  }
  if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    return NotRegular(name);
  }
  std::string content;
  std::array<char, size_t{64} * 1024> buffer;
  while (true) {
    DWORD count = 0;
    if (::ReadFile(file.get(), buffer.data(), buffer.size(), &count, nullptr) ==
        0) {
      return win32::LastError("read", name);
    }
    if (count == 0) return content;
    if (count > max_bytes - content.size()) {
      return Error(hr::kWuEInvalidFile,
                   absl::StrCat(name, " is larger than the limit of ",
                                max_bytes, " bytes"),
                   name);
    }
    content.append(buffer.data(), count);
  }
}

absl::Status WriteFileAtomically(const std::filesystem::path& path,
                                 absl::string_view content, Access access) {
  const std::filesystem::path temporary = TemporaryFor(path);
  absl::Status status = WriteNewFile(temporary, content, access);
  if (status.ok()) status = RenameDurably(temporary, path);
  // After a failed rename; gone already after a good one.
  if (!status.ok()) DeleteFileW(win32::ApiPath(temporary).c_str());
  return status;
}

absl::Status MakeDirectories(const std::filesystem::path& path, Access access) {
  if (path.empty()) return absl::OkStatus();
  const std::wstring api_path = win32::ApiPath(path);
  if (IsFolder(api_path)) return absl::OkStatus();
  const std::string name = PathToUtf8(path);
  if (GetFileAttributesW(api_path.c_str()) != INVALID_FILE_ATTRIBUTES) {
    return win32::SystemError(ERROR_DIRECTORY, "make the folder", name);
  }
  // "a/b/" has "a/b" as its parent and is the same folder.
  if (!path.has_filename() && path.has_relative_path()) {
    return MakeDirectories(path.parent_path(), access);
  }
  const std::filesystem::path parent = ParentOf(path);
  if (parent != path) USHER_RETURN_IF_ERROR(MakeDirectories(parent, access));
  SECURITY_ATTRIBUTES security = SecurityFor(access);
  if (CreateDirectoryW(api_path.c_str(), &security) == 0) {
    const DWORD error = GetLastError();
    // Somebody else made it meanwhile; a file of that name is an error.
    if (error == ERROR_ALREADY_EXISTS && IsFolder(api_path)) {
      return absl::OkStatus();
    }
    return win32::SystemError(error, "make the folder", name);
  }
  return SyncDirectory(parent);
}

absl::Status RenameDurably(const std::filesystem::path& from,
                           const std::filesystem::path& to) {
  const std::wstring api_from = win32::ApiPath(from);
  const std::wstring api_to = win32::ApiPath(to);
  if (!RenameAsPosix(api_from, api_to) &&
      MoveFileExW(api_from.c_str(), api_to.c_str(),
                  MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) == 0) {
    return win32::LastError(
        "rename", absl::StrCat(PathToUtf8(from), " to ", PathToUtf8(to)));
  }
  USHER_RETURN_IF_ERROR(SyncDirectory(ParentOf(to)));
  if (ParentOf(from) == ParentOf(to)) return absl::OkStatus();
  return SyncDirectory(ParentOf(from));
}

absl::Status SyncDirectory(const std::filesystem::path& path) {
  const win32::Handle folder(CreateFileW(
      win32::ApiPath(path).c_str(), FILE_LIST_DIRECTORY | FILE_ADD_FILE,
      kShareAll, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  if (!folder.open()) {
    return win32::LastError("open the folder", PathToUtf8(path));
  }
  // Where folders cannot be flushed, the file system's journal has to do: NTFS
  // keeps the order of its operations in a power cut.
  FlushFileBuffers(folder.get());
  return absl::OkStatus();
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  const std::string name = PathToUtf8(path);
  SECURITY_ATTRIBUTES security = SecurityFor(Access::kPrivate);
  win32::Handle file(CreateFileW(
      win32::ApiPath(path).c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll,
      &security, OPEN_ALWAYS,
      FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
  BY_HANDLE_FILE_INFORMATION info;
  if (!file.open() || GetFileInformationByHandle(file.get(), &info) == 0) {
    return win32::LastError("open the lock file", name);
  }
  if ((info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is a link where a lock file belongs"),
                 name);
  }
  // Far behind any content, which stays readable.
  OVERLAPPED place = {};
  place.OffsetHigh = 0x7fffffff;
  if (LockFileEx(file.get(),
                 LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
                 &place) == 0) {
    const DWORD error = GetLastError();
    if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING) {
      return Error(hr::kWuEDsStorefilelocked,
                   absl::StrCat(name, " is locked by another process"), name);
    }
    return win32::SystemError(error, "lock", name);
  }
  return FileLock(reinterpret_cast<intptr_t>(file.Release()));
}

FileLock::FileLock(FileLock&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

FileLock::~FileLock() {
  if (handle_ != -1) CloseHandle(reinterpret_cast<HANDLE>(handle_));
}

}  // namespace usher
