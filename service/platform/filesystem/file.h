#ifndef USHER_SERVICE_PLATFORM_FILESYSTEM_FILE_H_
#define USHER_SERVICE_PLATFORM_FILESYSTEM_FILE_H_

// A regular file held open, read and written at offsets. Platform twins:
// file_posix.cc, file_win.cc.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::platform {

enum class OpenMode {
  // An existing file, for reading; a link in the last place is refused.
  kRead,
  // The same, but links are followed.
  kReadFollowingLinks,
  // For reading and writing, made (private) when missing; a link is refused.
  kReadWrite,
  // For reading and writing; an existing file or link is refused.
  kCreateNew,
};

// Not thread-safe. The file may be renamed or removed while it is open.
// Errors are those of usher::SystemError; a full disk, quota or file size
// limit is ERROR_DISK_FULL.
class File {
 public:
  // Anything but a regular file is refused with WU_E_INVALID_FILE.
  static absl::StatusOr<File> Open(const std::filesystem::path& path,
                                   OpenMode mode);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  absl::StatusOr<int64_t> Size() const;
  // Reads up to `length` bytes; fewer, or 0, only at the end of the file.
  absl::StatusOr<size_t> ReadAt(int64_t offset, char* buffer,
                                size_t length) const;
  absl::Status WriteAt(int64_t offset, absl::string_view bytes);
  absl::Status Truncate(int64_t size);
  // Returns when all content has reached the disk.
  absl::Status Sync();
  // Asks the system to begin writing this part to the disk, so that Sync has
  // less to wait for. Only a hint.
  void StartWriteback(int64_t offset, int64_t length);

 private:
  File(intptr_t handle, std::string name)
      : handle_(handle), name_(std::move(name)) {}

  intptr_t handle_ = -1;
  std::string name_;
};

// Bytes that this process may still write to the file system of `folder`.
absl::StatusOr<int64_t> FreeBytes(const std::filesystem::path& folder);

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_FILESYSTEM_FILE_H_
