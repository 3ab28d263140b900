#include <windows.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/win32.h"
#include "service/platform/filesystem/file.h"

namespace usher::platform {
namespace {

// ReadFile and WriteFile count in 32 bits.
constexpr size_t kMaxTransfer = size_t{1} << 30;

HANDLE AsHandle(intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

DWORD DispositionOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kReadWrite:
      return OPEN_ALWAYS;
    case OpenMode::kCreateNew:
      return CREATE_NEW;
    default:
      return OPEN_EXISTING;
  }
}

OVERLAPPED At(int64_t offset) {
  OVERLAPPED at = {};
  at.Offset = static_cast<DWORD>(offset & 0xffffffff);
  at.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return at;
}

absl::Status NotRegular(absl::string_view name) {
  return Error(hr::kWuEInvalidFile,
               absl::StrCat(name, " is not a regular file"), name);
}

}  // namespace

absl::StatusOr<File> File::Open(const std::filesystem::path& path,
                                OpenMode mode) {
  std::string name = PathToUtf8(path);
  const bool writes =
      mode == OpenMode::kReadWrite || mode == OpenMode::kCreateNew;
  // A folder and a link are opened, too, so that they can be told apart.
  const DWORD flags =
      FILE_ATTRIBUTE_NORMAL | FILE_FLAG_BACKUP_SEMANTICS |
      (mode == OpenMode::kReadFollowingLinks ? 0
                                             : FILE_FLAG_OPEN_REPARSE_POINT);
  SECURITY_ATTRIBUTES security = {
      sizeof security, win32::NewFileSecurity(win32::Readers::kNobody), FALSE};
  HANDLE handle = CreateFileW(
      win32::ApiPath(path).c_str(), GENERIC_READ | (writes ? GENERIC_WRITE : 0),
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
      writes ? &security : nullptr, DispositionOf(mode), flags, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    const DWORD error = GetLastError();
    // "NUL" and its like are not opened as folders.
    if (error == ERROR_INVALID_NAME || error == ERROR_DIRECTORY) {
      return NotRegular(name);
    }
    return win32::SystemError(error, "open", name);
  }
  File file(reinterpret_cast<intptr_t>(handle), std::move(name));
  BY_HANDLE_FILE_INFORMATION info;
  if (GetFileType(handle) != FILE_TYPE_DISK) return NotRegular(file.name_);
  if (GetFileInformationByHandle(handle, &info) == 0) {
    return win32::LastError("examine", file.name_);
  }
  if ((info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
      mode != OpenMode::kReadFollowingLinks) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(file.name_, " is a link where a file belongs"),
                 file.name_);
  }
  if ((info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    return NotRegular(file.name_);
  }
  return file;
}

File::File(File&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)),
      name_(std::move(other.name_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(name_, other.name_);
  return *this;
}

File::~File() {
  if (handle_ != -1) CloseHandle(AsHandle(handle_));
}

absl::StatusOr<int64_t> File::Size() const {
  LARGE_INTEGER size;
  if (GetFileSizeEx(AsHandle(handle_), &size) == 0) {
    return win32::LastError("examine", name_);
  }
  return size.QuadPart;
}

absl::StatusOr<size_t> File::ReadAt(int64_t offset, char* buffer,
                                    size_t length) const {
  size_t filled = 0;
  while (filled < length) {
    OVERLAPPED at = At(offset + static_cast<int64_t>(filled));
    DWORD count = 0;
    if (::ReadFile(AsHandle(handle_), buffer + filled,
                   static_cast<DWORD>(std::min(length - filled, kMaxTransfer)),
                   &count, &at) == 0) {
      if (GetLastError() == ERROR_HANDLE_EOF) break;
      return win32::LastError("read", name_);
    }
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

absl::Status File::WriteAt(int64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    OVERLAPPED at = At(offset);
    DWORD count = 0;
    if (WriteFile(AsHandle(handle_), bytes.data(),
                  static_cast<DWORD>(std::min(bytes.size(), kMaxTransfer)),
                  &count, &at) == 0) {
      return win32::LastError("write", name_);
    }
    bytes.remove_prefix(count);
    offset += count;
  }
  return absl::OkStatus();
}

absl::Status File::Truncate(int64_t size) {
  FILE_END_OF_FILE_INFO end;
  end.EndOfFile.QuadPart = size;
  if (SetFileInformationByHandle(AsHandle(handle_), FileEndOfFileInfo, &end,
                                 sizeof end) == 0) {
    return win32::LastError("set the size of", name_);
  }
  return absl::OkStatus();
}

absl::Status File::Sync() {
  if (FlushFileBuffers(AsHandle(handle_)) == 0) {
    return win32::LastError("write to disk", name_);
  }
  return absl::OkStatus();
}

// Windows has no such hint.
void File::StartWriteback(int64_t /*offset*/, int64_t /*length*/) {}

absl::StatusOr<int64_t> FreeBytes(const std::filesystem::path& folder) {
  ULARGE_INTEGER available;
  if (GetDiskFreeSpaceExW(win32::ApiPath(folder).c_str(), &available, nullptr,
                          nullptr) == 0) {
    return win32::LastError("examine the file system of", PathToUtf8(folder));
  }
  return static_cast<int64_t>(
      std::min<uint64_t>(available.QuadPart, INT64_MAX));
}

}  // namespace usher::platform
