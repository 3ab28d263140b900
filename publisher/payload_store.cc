#include "publisher/payload_store.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "publisher/platform.h"
#include "publisher/real_folders.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = size_t{256} * 1024;

absl::Status StreamError(absl::string_view what, const fs::path& path) {
  const int reason = errno != 0 ? errno : EIO;
  return SystemError(reason, what, PathToUtf8(path));
}

absl::Status FileSystemError(const std::error_code& error,
                             absl::string_view what, const fs::path& path) {
  return SystemError(error.default_error_condition().value(), what,
                     PathToUtf8(path));
}

// Reads `from` once: hashes it, and copies it to `to` unless that is empty.
absl::StatusOr<FileFacts> HashAndCopy(
    const fs::path& from, const fs::path& to, Links links = Links::kFollow,
    int64_t max_size = std::numeric_limits<int64_t>::max()) {
  USHER_ASSIGN_OR_RETURN(const auto in, OpenInputFile(from, links));
  std::ofstream out;
  if (!to.empty()) {
    errno = 0;
    out.open(to, std::ios::binary | std::ios::trunc);
    if (!out.is_open()) return StreamError("create", to);
  }
  std::string buffer(kBlock, '\0');
  Sha256 hash;
  FileFacts facts;
  while (true) {
    USHER_ASSIGN_OR_RETURN(const size_t count,
                           in->Read(buffer.data(), buffer.size()));
    if (count == 0) break;
    // Whatever its size was said to be.
    if (static_cast<int64_t>(count) > max_size - facts.size) {
      return Error(
          hr::kWuEInvalidFile,
          absl::StrCat(PathToUtf8(from), " has more than ", max_size, " bytes"),
          PathToUtf8(from));
    }
    hash.Update(absl::string_view(buffer.data(), count));
    facts.size += static_cast<int64_t>(count);
    errno = 0;
    if (out.is_open() &&
        !out.write(buffer.data(), static_cast<std::streamsize>(count))) {
      return StreamError("write", to);
    }
  }
  if (out.is_open()) {
    errno = 0;
    out.close();
    if (!out) return StreamError("write", to);
    USHER_RETURN_IF_ERROR(SyncFile(to));
  }
  facts.sha256 = hash.Finish();
  return facts;
}

// '/' on every platform.
std::string Generic(const fs::path& path) {
  const std::u8string text = path.generic_u8string();
  return std::string(text.begin(), text.end());
}

bool HasSize(const fs::path& path, int64_t size) {
  std::error_code error;
  return fs::is_regular_file(path, error) &&
         static_cast<int64_t>(fs::file_size(path, error)) == size && !error;
}

}  // namespace

std::string PayloadLocation(const Sha256Digest& sha256,
                            absl::string_view name) {
  std::string file(name);
  for (char& c : file) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        !absl::StrContains("._+~-", c)) {
      c = '_';
    }
  }
  return absl::StrCat("payloads/", ToHex(sha256), "/", file);
}

bool IsOwnPayload(absl::string_view location) {
  return absl::StartsWith(location, "payloads/") &&
         !absl::StartsWith(location, kAbsentPrefix);
}

absl::StatusOr<FileFacts> HashFile(const fs::path& path) {
  return HashAndCopy(path, fs::path());
}

absl::StatusOr<FileFacts> CopyAndHash(const fs::path& from, const fs::path& to,
                                      int64_t max_size) {
  return HashAndCopy(from, to, Links::kFollow, max_size);
}

absl::StatusOr<FileFacts> PayloadStore::Take(
    const fs::path& file, absl::string_view name,
    absl::optional<int64_t> expected_size) {
  USHER_RETURN_IF_ERROR(MakeDirectories(waiting_, Access::kPrivate));
  const fs::path temporary =
      waiting_ / PathFromUtf8(absl::StrCat("new-", RandomResourceId()));
  const auto remove = absl::MakeCleanup([&temporary] {
    std::error_code ignored;
    fs::remove(temporary, ignored);
  });
  USHER_ASSIGN_OR_RETURN(
      const FileFacts facts,
      expected_size.has_value()
          ? HashAndCopy(file, temporary, Links::kRefuse, *expected_size)
          : HashAndCopy(file, temporary));
  const fs::path relative = PathFromUtf8(PayloadLocation(facts.sha256, name));
  // A published copy that was damaged is replaced when the update is next
  // published.
  if (HasSize(published_ / relative, facts.size)) {
    const auto present = HashFile(published_ / relative);
    if (present.ok() && present->sha256 == facts.sha256) return facts;
  }
  const fs::path target = waiting_ / relative;
  USHER_RETURN_IF_ERROR(
      MakeDirectories(target.parent_path(), Access::kPrivate));
  USHER_RETURN_IF_ERROR(RenameDurably(temporary, target));
  return facts;
}

bool PayloadStore::Has(absl::string_view location, const FileFacts& facts,
                       By by) const {
  const fs::path relative = PathFromUtf8(location);
  std::error_code error;
  const fs::path waiting = waiting_ / relative;
  // That one replaces the other.
  const fs::path path =
      fs::exists(waiting, error) ? waiting : published_ / relative;
  if (!HasSize(path, facts.size)) return false;
  if (by == By::kSize) return true;
  const auto found = HashFile(path);
  return found.ok() && found->sha256 == facts.sha256;
}

absl::StatusOr<bool> PayloadStore::Publish(absl::string_view location,
                                           const FileFacts& facts) {
  const fs::path relative = PathFromUtf8(location);
  const fs::path from = waiting_ / relative;
  const fs::path to = published_ / relative;
  std::error_code error;
  if (!fs::exists(from, error)) {
    if (HasSize(to, facts.size)) return false;
    return Error(hr::kWuESourceAbsent,
                 absl::StrCat("the payload ", location,
                              " is missing; add its update again"),
                 location);
  }
  USHER_ASSIGN_OR_RETURN(const FileFacts found, HashFile(from));
  if (found.sha256 != facts.sha256 || found.size != facts.size) {
    return Error(hr::kWuEDmIncorrectfilehash,
                 absl::StrCat(PathToUtf8(from),
                              " was changed since it was added; add its "
                              "update again"),
                 location);
  }
  USHER_RETURN_IF_ERROR(
      CheckRealFolders(published_.parent_path(), to.parent_path()));
  USHER_RETURN_IF_ERROR(MakeDirectories(to.parent_path(), Access::kWorldRead));
  fs::permissions(from,
                  fs::perms::owner_read | fs::perms::owner_write |
                      fs::perms::group_read | fs::perms::others_read,
                  error);
  if (error) return FileSystemError(error, "set the permissions of", from);
  USHER_FAULT_POINT("publisher.payload");
  USHER_RETURN_IF_ERROR(RenameDurably(from, to));
  fs::remove(from.parent_path(), error);  // fails while another name is there
  return true;
}

absl::Status PayloadStore::CollectIn(const fs::path& folder,
                                     const std::set<std::string>& referenced,
                                     bool dry_run, Garbage& garbage) {
  std::error_code error;
  const fs::path payloads = folder / "payloads";
  if (!fs::is_directory(payloads, error)) return absl::OkStatus();
  std::vector<fs::path> unused;
  std::vector<fs::path> folders;
  for (fs::recursive_directory_iterator it(payloads, error), end;
       !error && it != end; it.increment(error)) {
    if (IsLink(it->path())) continue;
    if (it->is_directory(error)) {
      folders.push_back(it->path());
      continue;
    }
    std::string location = Generic(it->path().lexically_relative(folder));
    if (referenced.count(location) != 0) continue;
    ++garbage.files;
    garbage.bytes += static_cast<int64_t>(it->file_size(error));
    garbage.locations.push_back(std::move(location));
    unused.push_back(it->path());
  }
  if (error) return FileSystemError(error, "read the folder", payloads);
  if (dry_run) return absl::OkStatus();
  for (const fs::path& path : unused) USHER_RETURN_IF_ERROR(RemoveTree(path));
  // Deepest first; a folder that is still needed is not empty and stays.
  for (auto it = folders.rbegin(); it != folders.rend(); ++it) {
    std::error_code ignored;
    fs::remove(*it, ignored);
  }
  return absl::OkStatus();
}

absl::StatusOr<PayloadStore::Garbage> PayloadStore::Collect(
    const std::set<std::string>& referenced, bool dry_run) {
  Garbage garbage;
  USHER_RETURN_IF_ERROR(
      CheckRealFolders(published_.parent_path(), published_ / "payloads"));
  USHER_RETURN_IF_ERROR(CollectIn(published_, referenced, dry_run, garbage));
  // What waits is referenced by the draft only, or left by a failed command.
  USHER_RETURN_IF_ERROR(CollectIn(waiting_, referenced, dry_run, garbage));
  std::error_code error;
  for (fs::directory_iterator it(waiting_, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    if (!absl::StartsWith(name, "new-")) continue;
    ++garbage.files;
    garbage.bytes += static_cast<int64_t>(it->file_size(error));
    garbage.locations.push_back(name);
    if (!dry_run) USHER_RETURN_IF_ERROR(RemoveTree(it->path()));
  }
  std::sort(garbage.locations.begin(), garbage.locations.end());
  return garbage;
}

}  // namespace usher::publisher
