#include "publisher/pack.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/platform.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = size_t{256} * 1024;

struct Member {
  int group = 0;
  std::string name;  // '/' separated
  fs::path path;
};

// Metadata first and the timestamp before the rest of it, then catalogs.
int GroupOf(absl::string_view name) {
  if (name == "metadata/timestamp.json") return 1;
  if (absl::StartsWith(name, "metadata/")) {
    return absl::EndsWith(name, ".root.json") ? 0 : 2;
  }
  return absl::StartsWith(name, "targets/payloads/") ? 4 : 3;
}

absl::StatusOr<std::vector<Member>> ListMembers(const fs::path& folder) {
  std::vector<Member> members;
  for (const char* top : {"metadata", "targets"}) {
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder / top, error), end;
         !error && it != end; it.increment(error)) {
      if (!it->is_regular_file(error)) continue;
      Member& member = members.emplace_back();
      member.path = it->path();
      const std::u8string text =
          it->path().lexically_relative(folder).generic_u8string();
      member.name.assign(text.begin(), text.end());
      member.group = GroupOf(member.name);
    }
    if (error) {
      return SystemError(error.default_error_condition().value(), "read",
                         PathToUtf8(folder / top));
    }
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) {
              return std::tie(a.group, a.name) < std::tie(b.group, b.name);
            });
  return members;
}

// A tar file in the making.
class TarWriter {
 public:
  explicit TarWriter(const fs::path& file)
      : name_(PathToUtf8(file)),
        out_(file, std::ios::binary | std::ios::trunc),
        archive_(archive_write_new()) {}

  absl::Status Open() {
    if (!out_.is_open()) return CannotWrite();
    archive_write_set_format_pax_restricted(archive_.get());
    archive_write_add_filter_none(archive_.get());
    archive_write_set_bytes_per_block(archive_.get(), 0);
    return Check(archive_write_open(archive_.get(), &out_, nullptr,
                                    &TarWriter::Write, nullptr));
  }

  absl::Status Add(const Member& member) {
    std::error_code error;
    const auto size = fs::file_size(member.path, error);
    errno = 0;
    std::ifstream in(member.path, std::ios::binary);
    if (error || !in.is_open()) {
      return SystemError(errno != 0 ? errno : EIO, "read",
                         PathToUtf8(member.path));
    }
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname_utf8(entry.get(), member.name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    USHER_RETURN_IF_ERROR(
        Check(archive_write_header(archive_.get(), entry.get())));
    std::string buffer(kBlock, '\0');
    while (in) {
      in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
      const auto count = static_cast<size_t>(in.gcount());
      if (count == 0) break;
      const la_ssize_t written =
          archive_write_data(archive_.get(), buffer.data(), count);
      if (written != static_cast<la_ssize_t>(count)) {
        return Check(ARCHIVE_FATAL);
      }
    }
    if (in.bad()) {
      return SystemError(EIO, "read", PathToUtf8(member.path));
    }
    return absl::OkStatus();
  }

  absl::Status Close() {
    USHER_RETURN_IF_ERROR(Check(archive_write_close(archive_.get())));
    out_.close();
    return out_ ? absl::OkStatus() : CannotWrite();
  }

 private:
  struct FreeEntry {
    void operator()(archive_entry* freed) const { archive_entry_free(freed); }
  };
  struct FreeArchive {
    void operator()(archive* freed) const { archive_write_free(freed); }
  };

  static la_ssize_t Write(archive* /*archive*/, void* user, const void* bytes,
                          size_t count) {
    auto* out = static_cast<std::ofstream*>(user);
    errno = 0;
    out->write(static_cast<const char*>(bytes),
               static_cast<std::streamsize>(count));
    return out->good() ? static_cast<la_ssize_t>(count) : -1;
  }

  absl::Status CannotWrite() const {
    return SystemError(errno != 0 ? errno : EIO, "write", name_);
  }

  absl::Status Check(int result) {
    if (result == ARCHIVE_OK || result == ARCHIVE_WARN) return absl::OkStatus();
    if (!out_.good()) return CannotWrite();
    const char* const reason = archive_error_string(archive_.get());
    return Error(hr::kWuEUnexpected,
                 absl::StrCat("cannot write ", name_, ": ",
                              reason == nullptr ? "libarchive failed" : reason),
                 name_);
  }

  const std::string name_;
  std::ofstream out_;
  std::unique_ptr<archive, FreeArchive> archive_;
};

}  // namespace

absl::StatusOr<PackResult> Pack(RepositorySource& source,
                                absl::string_view root, const fs::path& file,
                                const MirrorOptions& options, absl::Time now) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(PathToUtf8(file), " is a folder; name a file"),
                 PathToUtf8(file));
  }
  fs::path folder = file;
  folder += ".new";
  USHER_RETURN_IF_ERROR(MakeDirectories(folder));
  auto lock = FileLock::Acquire(folder / "lock");
  if (HResultOf(lock.status()) == hr::kWuEDsStorefilelocked) {
    return Annotate(lock.status(),
                    "another usher-publish is making this pack; try again when "
                    "it is done");
  }
  USHER_RETURN_IF_ERROR(lock.status());
  const auto remove = absl::MakeCleanup([&folder, &lock] {
    // Its file cannot be removed on Windows while it is held.
    { const FileLock released = *std::move(lock); }
    static_cast<void>(RemoveTree(folder));
  });
  // What one that was killed has left.
  USHER_RETURN_IF_ERROR(RemoveTree(folder / "content"));
  PackResult result;
  USHER_ASSIGN_OR_RETURN(
      result.content, Mirror(source, root, folder / "content", options, now));
  USHER_ASSIGN_OR_RETURN(const std::vector<Member> members,
                         ListMembers(folder / "content"));
  const fs::path fresh = folder / "file";
  TarWriter writer(fresh);
  USHER_RETURN_IF_ERROR(writer.Open());
  for (const Member& member : members) {
    USHER_RETURN_IF_ERROR(writer.Add(member));
  }
  USHER_RETURN_IF_ERROR(writer.Close());
  USHER_RETURN_IF_ERROR(SyncFile(fresh));
  result.members = static_cast<int64_t>(members.size());
  result.bytes = static_cast<int64_t>(fs::file_size(fresh, error));
  USHER_RETURN_IF_ERROR(RenameDurably(fresh, file));
  return result;
}

}  // namespace usher::publisher
