#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/platform/filesystem/file.h"

namespace usher::platform {
namespace {

// Repeats a call that a signal interrupted.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// A quota and a file size limit are a full disk to whoever has to act.
absl::Status WriteError(int error, absl::string_view what,
                        absl::string_view name) {
  if (error == EDQUOT || error == EFBIG) {
    return Error(hr::kErrorDiskFull,
                 absl::StrCat("cannot ", what, " ", name,
                              ": the disk quota or file size limit is reached"),
                 name);
  }
  return SystemError(error, what, name);
}

int FlagsOf(OpenMode mode) {
  // O_NONBLOCK: opening a FIFO must not wait for its other end.
  constexpr int kAlways = O_CLOEXEC | O_NONBLOCK;
  switch (mode) {
    case OpenMode::kRead:
      return kAlways | O_RDONLY | O_NOFOLLOW;
    case OpenMode::kReadFollowingLinks:
      return kAlways | O_RDONLY;
    case OpenMode::kReadWrite:
      return kAlways | O_RDWR | O_CREAT | O_NOFOLLOW;
    case OpenMode::kCreateNew:
      return kAlways | O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
  }
  return kAlways | O_RDONLY | O_NOFOLLOW;
}

}  // namespace

absl::StatusOr<File> File::Open(const std::filesystem::path& path,
                                OpenMode mode) {
  std::string name = PathToUtf8(path);
  const int fd = Retry([&] { return open(path.c_str(), FlagsOf(mode), 0600); });
  if (fd < 0) {
    if (errno == ELOOP) {
      return Error(hr::kWuEInvalidFile,
                   absl::StrCat(name, " is a link where a file belongs"), name);
    }
    return WriteError(errno, "open", name);
  }
  File file(fd, std::move(name));
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError(errno, "examine", file.name_);
  if (!S_ISREG(info.st_mode)) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(file.name_, " is not a regular file"),
                 file.name_);
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
  if (handle_ >= 0) close(static_cast<int>(handle_));
}

absl::StatusOr<int64_t> File::Size() const {
  struct stat info;
  if (fstat(static_cast<int>(handle_), &info) != 0) {
    return SystemError(errno, "examine", name_);
  }
  return info.st_size;
}

absl::StatusOr<size_t> File::ReadAt(int64_t offset, char* buffer,
                                    size_t length) const {
  size_t filled = 0;
  while (filled < length) {
    const ssize_t count = Retry([&] {
      return pread(static_cast<int>(handle_), buffer + filled, length - filled,
                   offset + static_cast<int64_t>(filled));
    });
    if (count < 0) return SystemError(errno, "read", name_);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  return filled;
}

absl::Status File::WriteAt(int64_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = Retry([&] {
      return pwrite(static_cast<int>(handle_), bytes.data(), bytes.size(),
                    offset);
    });
    if (count < 0) return WriteError(errno, "write", name_);
    bytes.remove_prefix(static_cast<size_t>(count));
    offset += count;
  }
  return absl::OkStatus();
}

absl::Status File::Truncate(int64_t size) {
  if (Retry([&] { return ftruncate(static_cast<int>(handle_), size); }) != 0) {
    return WriteError(errno, "set the size of", name_);
  }
  return absl::OkStatus();
}

absl::Status File::Sync() {
  if (Retry([&] { return fsync(static_cast<int>(handle_)); }) != 0) {
    return WriteError(errno, "write to disk", name_);
  }
  return absl::OkStatus();
}

void File::StartWriteback(int64_t offset, int64_t length) {
#ifdef SYNC_FILE_RANGE_WRITE
  // A failure only means that Sync has more to do.
  static_cast<void>(sync_file_range(static_cast<int>(handle_), offset, length,
                                    SYNC_FILE_RANGE_WRITE));
#else
  static_cast<void>(offset);
  static_cast<void>(length);
#endif
}

absl::StatusOr<int64_t> FreeBytes(const std::filesystem::path& folder) {
  struct statvfs info;
  if (Retry([&] { return statvfs(folder.c_str(), &info); }) != 0) {
    return SystemError(errno, "examine the file system of", PathToUtf8(folder));
  }
  // What root keeps for itself counts for root.
  const uint64_t blocks = geteuid() == 0 ? info.f_bfree : info.f_bavail;
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (info.f_frsize != 0 && blocks > kMax / info.f_frsize) {
    return std::numeric_limits<int64_t>::max();
  }
  return static_cast<int64_t>(blocks * info.f_frsize);
}

}  // namespace usher::platform
