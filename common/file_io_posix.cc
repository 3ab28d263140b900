#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher {
namespace {

// Repeats a call that a signal interrupted.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

mode_t FileMode(Access access) {
  return access == Access::kPrivate ? 0600 : 0644;
}

mode_t FolderMode(Access access) {
  return access == Access::kPrivate ? 0700 : 0755;
}

std::filesystem::path ParentOf(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

absl::Status WriteAll(int fd, absl::string_view content,
                      const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written =
        Retry([&] { return write(fd, content.data(), content.size()); });
    if (written < 0) return SystemError(errno, "write", PathToUtf8(path));
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteNewFile(const std::filesystem::path& path,
                          absl::string_view content, Access access) {
  const int fd = Retry([&] {
    return open(path.c_str(),
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                FileMode(access));
  });
  if (fd < 0) return SystemError(errno, "create", PathToUtf8(path));
  const auto close_fd = absl::MakeCleanup([fd] { close(fd); });
  USHER_RETURN_IF_ERROR(WriteAll(fd, content, path));
  // The mode given to open() is subject to the umask.
  if (fchmod(fd, FileMode(access)) != 0) {
    return SystemError(errno, "set the permissions of", PathToUtf8(path));
  }
  if (Retry([fd] { return fsync(fd); }) != 0) {
    return SystemError(errno, "write to disk", PathToUtf8(path));
  }
  return absl::OkStatus();
}

}  // namespace

std::string PathToUtf8(const std::filesystem::path& path) {
  return path.native();
}

std::filesystem::path PathFromUtf8(absl::string_view text) {
  return std::string(text);
}

std::filesystem::path AnyLength(const std::filesystem::path& path) {
  return path;
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     uint64_t max_bytes) {
  const std::string name = PathToUtf8(path);
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const int fd = Retry(
      [&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (fd < 0) return SystemError(errno, "open", name);
  const auto close_fd = absl::MakeCleanup([fd] { close(fd); });
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError(errno, "examine", name);
  if (!S_ISREG(info.st_mode)) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is not a regular file"), name);
  }
  std::string content;
  std::array<char, size_t{64} * 1024> buffer;
  while (true) {
    const ssize_t count =
        Retry([&] { return read(fd, buffer.data(), buffer.size()); });
    if (count < 0) return SystemError(errno, "read", name);
    if (count == 0) return content;
    if (static_cast<uint64_t>(count) > max_bytes - content.size()) {
      return Error(hr::kWuEInvalidFile,
                   absl::StrCat(name, " is larger than the limit of ",
                                max_bytes, " bytes"),
                   name);
    }
    content.append(buffer.data(), static_cast<size_t>(count));
  }
}

absl::Status WriteFileAtomically(const std::filesystem::path& path,
                                 absl::string_view content, Access access) {
  const std::filesystem::path temporary = TemporaryFor(path);
  absl::Status status = WriteNewFile(temporary, content, access);
  if (status.ok()) status = RenameDurably(temporary, path);
  // After a failed rename; gone already after a good one.
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

absl::Status MakeDirectories(const std::filesystem::path& path, Access access) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return absl::OkStatus();
    return SystemError(ENOTDIR, "make the folder", PathToUtf8(path));
  }
  if (path.empty()) return absl::OkStatus();
  // "a/b/" has "a/b" as its parent and is the same folder.
  if (!path.has_filename()) return MakeDirectories(path.parent_path(), access);
  const std::filesystem::path parent = ParentOf(path);
  if (parent != path) USHER_RETURN_IF_ERROR(MakeDirectories(parent, access));
  if (mkdir(path.c_str(), FolderMode(access)) != 0) {
    if (errno != EEXIST) {
      return SystemError(errno, "make the folder", PathToUtf8(path));
    }
    // Somebody else made it meanwhile; a file of that name is an error.
    if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return absl::OkStatus();
    }
    return SystemError(ENOTDIR, "make the folder", PathToUtf8(path));
  }
  // The mode given to mkdir() is subject to the umask.
  if (chmod(path.c_str(), FolderMode(access)) != 0) {
    return SystemError(errno, "set the permissions of", PathToUtf8(path));
  }
  return SyncDirectory(parent);
}

absl::Status RenameDurably(const std::filesystem::path& from,
                           const std::filesystem::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    return SystemError(errno, "rename",
                       absl::StrCat(PathToUtf8(from), " to ", PathToUtf8(to)));
  }
  USHER_RETURN_IF_ERROR(SyncDirectory(ParentOf(to)));
  if (ParentOf(from) == ParentOf(to)) return absl::OkStatus();
  return SyncDirectory(ParentOf(from));
}

absl::Status SyncDirectory(const std::filesystem::path& path) {
  const int fd = Retry(
      [&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0) return SystemError(errno, "open the folder", PathToUtf8(path));
  const auto close_fd = absl::MakeCleanup([fd] { close(fd); });
  // Some file systems cannot sync a folder and say EINVAL; there the rename
  // itself is as durable as it gets.
  if (Retry([fd] { return fsync(fd); }) != 0 && errno != EINVAL) {
    return SystemError(errno, "write to disk", PathToUtf8(path));
  }
  return absl::OkStatus();
}

absl::StatusOr<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  const std::string name = PathToUtf8(path);
  const int fd = Retry([&] {
    return open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  });
  if (fd < 0) return SystemError(errno, "open the lock file", name);
  if (Retry([fd] { return flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
    const int error = errno;
    close(fd);
    if (error == EWOULDBLOCK) {
      return Error(hr::kWuEDsStorefilelocked,
                   absl::StrCat(name, " is locked by another process"), name);
    }
    return SystemError(error, "lock", name);
  }
  return FileLock(fd);
}

FileLock::FileLock(FileLock&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

FileLock::~FileLock() {
  if (handle_ >= 0) close(static_cast<int>(handle_));
}

}  // namespace usher
