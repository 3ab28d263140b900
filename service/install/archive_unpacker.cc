#include "service/install/archive_unpacker.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/install/archive_input.h"
#include "service/install/member_path.h"
#include "service/install/payloads.h"
#include "service/install/tree_writer.h"
#include "service/platform/utf8_locale.h"

namespace usher::install {
namespace {

// Bytes of all names together, for the memory that duplicates cost to find.
constexpr int64_t kMaxNames = int64_t{128} * 1024 * 1024;

absl::Status Refuse(absl::string_view name, absl::string_view why) {
  return Error(hr::kWuEUhInvalidmetadata,
               absl::StrCat("the archive member ", name, " ", why), name);
}

// The text form that libarchive has: the bytes of the archive, or UTF-8 where
// the format says so and the locale cannot hold them. Without a UTF-8 locale
// only the UTF-8 form will do; where libarchive makes that one by way of the
// locale (Windows), it may have only the wide form.
std::string TextOf(const platform::Utf8Locale& locale, const char* local,
                   const char* utf8, const wchar_t* wide) {
  if (local != nullptr && locale.takes_utf8()) return local;
  if (utf8 != nullptr) return utf8;
  return wide != nullptr ? platform::Utf8Locale::FromWide(wide) : "";
}

class Unpacker {
 public:
  Unpacker(ArchiveInput& input, TreeWriter& tree, const UnpackOptions& options,
           const platform::Utf8Locale& locale)
      : input_(input), tree_(tree), options_(options), locale_(locale) {}

  absl::Status All() {
    archive_entry* entry = nullptr;
    while (true) {
      const int result = archive_read_next_header(input_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      // A warning is about text or attributes that are not taken over.
      if (result < ARCHIVE_WARN) return ArchiveError(input_.get());
      USHER_RETURN_IF_ERROR(One(entry));
    }
    if (options_.stop && options_.stop()) return CancelledError();
    return tree_.Sync();
  }

 private:
  absl::Status One(archive_entry* entry) {
    if (options_.stop && options_.stop()) return CancelledError();
    if (options_.progress) options_.progress(input_.percent());
    const std::string name = TextOf(locale_, archive_entry_pathname(entry),
                                    archive_entry_pathname_utf8(entry),
                                    archive_entry_pathname_w(entry));
    if (name.empty()) return Refuse("?", "has no readable name");
    names_ += static_cast<int64_t>(name.size());
    if (++entries_ > options_.max_entries || names_ > kMaxNames) {
      return Refuse(name, "is one too many");
    }
    if (archive_entry_is_encrypted(entry) != 0) {
      return Refuse(name, "is encrypted");
    }
    USHER_ASSIGN_OR_RETURN(const std::string path,
                           MemberPath(name, options_.strip_components));
    const std::string hard_link = TextOf(locale_, archive_entry_hardlink(entry),
                                         archive_entry_hardlink_utf8(entry),
                                         archive_entry_hardlink_w(entry));
    const auto type = archive_entry_filetype(entry);
    const bool folder = hard_link.empty() && type == AE_IFDIR;
    if (path.empty()) {
      // The root itself, or a level that is stripped. A file there is dropped
      // with it, as tar does.
      return absl::OkStatus();
    }
    USHER_RETURN_IF_ERROR(CheckOnce(path, folder));
    if (!hard_link.empty()) return HardLink(path, hard_link);
    switch (type) {
      case AE_IFDIR:
        return tree_.MakeFolder(path);
      case AE_IFREG:
        return File(path, entry);
      case AE_IFLNK:
        return Symlink(path, entry);
      default:
        return Refuse(name, "is a device, pipe or socket");
    }
  }

  // The file system finds duplicates itself; what it may not find is names
  // that differ in case.
  absl::Status CheckOnce(const std::string& path, bool folder) {
    if (!options_.fold_case || folder) return absl::OkStatus();
    if (folded_.insert(absl::AsciiStrToLower(path)).second) {
      return absl::OkStatus();
    }
    return Refuse(path, "differs from another one only in case");
  }

  absl::Status File(const std::string& path, archive_entry* entry) {
    const int64_t declared =
        archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0;
    // Refused before a byte of it is written.
    if (declared < 0 || declared > options_.max_bytes - bytes_) {
      return TooLarge(path);
    }
    USHER_RETURN_IF_ERROR(
        tree_.OpenFile(path, (archive_entry_perm(entry) & 0111) != 0));
    while (true) {
      const la_ssize_t count =
          archive_read_data(input_.get(), buffer_.data(), buffer_.size());
      if (count == 0) return absl::OkStatus();
      if (count < 0) return ArchiveError(input_.get());
      if (count > options_.max_bytes - bytes_) return TooLarge(path);
      bytes_ += count;
      USHER_RETURN_IF_ERROR(tree_.Write(
          absl::string_view(buffer_.data(), static_cast<size_t>(count))));
      if (options_.stop && options_.stop()) return CancelledError();
      if (options_.progress) options_.progress(input_.percent());
    }
  }

  absl::Status TooLarge(const std::string& path) const {
    return Refuse(path, absl::StrCat("goes beyond the ", options_.max_bytes,
                                     " bytes that may be unpacked"));
  }

  absl::Status Symlink(const std::string& path, archive_entry* entry) {
    const std::string target = TextOf(locale_, archive_entry_symlink(entry),
                                      archive_entry_symlink_utf8(entry),
                                      archive_entry_symlink_w(entry));
    USHER_ASSIGN_OR_RETURN(const std::string checked,
                           LinkTarget(path, target, input_.is_debian_package(),
                                      options_.strip_components));
    return tree_.MakeSymlink(path, checked);
  }

  absl::Status HardLink(const std::string& path, const std::string& target) {
    USHER_ASSIGN_OR_RETURN(const std::string existing,
                           MemberPath(target, options_.strip_components));
    if (existing.empty()) return Refuse(path, "is a hard link to nothing");
    return tree_.MakeHardLink(path, existing);
  }

  ArchiveInput& input_;
  TreeWriter& tree_;
  const UnpackOptions& options_;
  const platform::Utf8Locale& locale_;
  std::vector<char> buffer_ = std::vector<char>(size_t{64} * 1024);
  absl::flat_hash_set<std::string> folded_;
  int64_t entries_ = 0;
  int64_t names_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace

absl::Status Unpack(const std::filesystem::path& archive,
                    const std::filesystem::path& root,
                    const UnpackOptions& options) {
  // libarchive drops names that the thread's locale cannot hold.
  const platform::Utf8Locale utf8;
  USHER_ASSIGN_OR_RETURN(const std::unique_ptr<ArchiveInput> input,
                         ArchiveInput::Open(archive, !utf8.takes_utf8()));
  USHER_ASSIGN_OR_RETURN(const std::unique_ptr<TreeWriter> tree,
                         TreeWriter::Create(root));
  return Unpacker(*input, *tree, options, utf8).All();
}

}  // namespace usher::install
