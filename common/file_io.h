#ifndef USHER_COMMON_FILE_IO_H_
#define USHER_COMMON_FILE_IO_H_

// Small, durable file operations; paths are UTF-8 inside, UTF-16 at the
// Windows API. Platform twins: file_io_posix.cc, file_io_win.cc, and for
// RemoveTree remove_tree_posix.cc, remove_tree_win.cc; the rest is in
// file_io.cc.

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher {

// Who may read a new file or folder.
enum class Access {
  kPrivate,    // the owner only (0600 / 0700)
  kUsersRead,  // whoever has signed in: on Windows nobody anonymous, no guest
  kWorldRead,  // everyone may read (0644 / 0755)
};

// Conversions between std::filesystem::path and UTF-8 text. On Windows, what is
// not valid becomes U+FFFD.
std::string PathToUtf8(const std::filesystem::path& path);
std::filesystem::path PathFromUtf8(absl::string_view text);

// `path` as the standard library's functions and streams take it whatever its
// length: on Windows absolute, with the prefix "\\?\" that lifts the limit of
// 260 characters.
std::filesystem::path AnyLength(const std::filesystem::path& path);

// Reads a whole regular file of at most `max_bytes`. Errors:
// ERROR_FILE_NOT_FOUND; WU_E_INVALID_FILE when it is larger or not regular.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path,
                                     uint64_t max_bytes);

// Replaces `path` with `content` so that after a power cut it holds either the
// old or the new content: temporary file in the same folder, fsync, rename,
// fsync of the folder.
absl::Status WriteFileAtomically(const std::filesystem::path& path,
                                 absl::string_view content,
                                 Access access = Access::kPrivate);

// A new name beside `path` for what is to take its place: ".NAME.RANDOM.tmp",
// with as much of the end of a long name as the 255 bytes of a file's name have
// room for. Nothing is created.
std::filesystem::path TemporaryFor(const std::filesystem::path& path);

// Removes from `folder` (not from below it) the temporary files of calls of
// WriteFileAtomically that did not end, those for `file` or, without it, for
// any. For folders that nobody else writes to now; none there is fine.
absl::Status RemoveTemporaries(const std::filesystem::path& folder,
                               absl::string_view file = "");

// Makes a folder with its parents. An existing one keeps its permissions.
absl::Status MakeDirectories(const std::filesystem::path& path,
                             Access access = Access::kPrivate);

// Renames within one file system, replacing a file at `to`, and makes it
// durable.
absl::Status RenameDurably(const std::filesystem::path& from,
                           const std::filesystem::path& to);

// Removes a file or a whole folder without following links out of it; nothing
// there is fine.
absl::Status RemoveTree(const std::filesystem::path& path);

// Writes the folder's entry list to disk.
absl::Status SyncDirectory(const std::filesystem::path& path);

// An exclusive lock on a file, held until destroyed or the process ends.
class FileLock {
 public:
  // Fails with WU_E_DS_STOREFILELOCKED when another process holds it.
  static absl::StatusOr<FileLock> Acquire(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(intptr_t handle) : handle_(handle) {}
  intptr_t handle_ = -1;
};

}  // namespace usher

#endif  // USHER_COMMON_FILE_IO_H_
