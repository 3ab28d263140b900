#include "service/repository/scan_package_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/sha256.h"
#include "service/platform/utf8_locale.h"
#include "service/repository/scan_package_member.h"

namespace usher::repository {
namespace {

constexpr size_t kBuffer = size_t{64} * 1024;
// A tar file is made of blocks, and two of zeros end it.
constexpr int64_t kBlock = 512;
constexpr size_t kEndBytes = 1024;
constexpr char kTimestamp[] = "metadata/timestamp.json";

struct ArchiveCloser {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

absl::Status NoPackage(absl::string_view reason,
                       absl::string_view subject = "") {
  return Error(hr::kWuEOlInvalidScanfile,
               absl::StrCat("not a usable scan package: ", reason), subject);
}

// A name that nobody has checked, for a message.
std::string Shown(absl::string_view name) {
  constexpr size_t kShownBytes = 200;
  return absl::CEscape(name.substr(0, kShownBytes));
}

absl::Status Refuse(absl::string_view name, absl::string_view why) {
  const std::string shown = Shown(name);
  return NoPackage(absl::StrCat(shown, " ", why), shown);
}

// The text form that libarchive has; see archive_unpacker.cc of the installer.
std::string NameOf(const platform::Utf8Locale& locale, archive_entry* entry) {
  const char* const local = archive_entry_pathname(entry);
  if (local != nullptr && locale.takes_utf8()) return local;
  const char* const utf8 = archive_entry_pathname_utf8(entry);
  if (utf8 != nullptr) return utf8;
  const wchar_t* const wide = archive_entry_pathname_w(entry);
  return wide != nullptr ? platform::Utf8Locale::FromWide(wide) : "";
}

class Reader {
 public:
  Reader(ScanPackageSource source, const RepositoryOptions& options,
         const ScanPackageLimits& limits, ScanPackageSink& sink,
         const CancellationToken& cancel)
      : source_(source),
        options_(options),
        limits_(limits),
        sink_(sink),
        cancel_(cancel) {}

  absl::Status All() {
    USHER_RETURN_IF_ERROR(Open());
    archive_entry* entry = nullptr;
    while (true) {
      const int result = archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      // A warning is about attributes, which are not taken over, or about a
      // name, which is then missing.
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return Damage();
      USHER_RETURN_IF_ERROR(One(entry));
    }
    USHER_RETURN_IF_ERROR(CheckEnd());
    return in_targets_ ? absl::OkStatus() : EndMetadata();
  }

 private:
  absl::Status Open() {
    archive_.reset(archive_read_new());
    if (archive_ == nullptr) return Error(hr::kEOutofmemory, "out of memory");
    archive_read_support_filter_none(archive_.get());
    archive_read_support_format_tar(archive_.get());
    // Fails only for a format that is not enabled.
    archive_read_set_format_option(archive_.get(), "tar", "hdrcharset",
                                   "UTF-8");
    archive_read_set_read_callback(archive_.get(), &Reader::ReadMore);
    archive_read_set_callback_data(archive_.get(), this);
    return archive_read_open1(archive_.get()) == ARCHIVE_OK ? absl::OkStatus()
                                                            : Damage();
  }

  // What libarchive could not go on with.
  absl::Status Damage() const {
    if (!source_status_.ok()) return source_status_;
    const char* const text = archive_error_string(archive_.get());
    return NoPackage(
        absl::StrCat("it is no uncompressed tar file, or damaged (",
                     text != nullptr ? text : "no reason", ")"));
  }

  absl::Status One(archive_entry* entry) {
    const std::string name = NameOf(locale_, entry);
    if (++members_ > limits_.max_members) {
      return Refuse(name, absl::StrCat("is one more than the limit of ",
                                       limits_.max_members, " members"));
    }
    if (archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != nullptr ||
        archive_entry_hardlink_w(entry) != nullptr ||
        archive_entry_sparse_count(entry) != 0 ||
        archive_entry_size_is_set(entry) == 0) {
      return Refuse(name, "is not a regular file");
    }
    const std::optional<ScanPackageMember> member =
        MemberOf(name, options_, limits_.max_bytes);
    if (!member.has_value()) {
      return Refuse(name, "has no place in a scan package");
    }
    // Refused before a byte of it is taken.
    if (archive_entry_size(entry) > member->max_bytes) {
      return TooLarge(name, *member);
    }
    if (member->is_metadata && in_targets_) {
      return Refuse(name, "stands behind the targets");
    }
    if (!member->is_metadata && !in_targets_) {
      USHER_RETURN_IF_ERROR(EndMetadata());
      in_targets_ = true;
    }
    if (name == kTimestamp) has_timestamp_ = true;
    USHER_RETURN_IF_ERROR(sink_.Begin(name));
    USHER_RETURN_IF_ERROR(Content(name, *member));
    return sink_.End();
  }

  absl::Status Content(const std::string& name,
                       const ScanPackageMember& member) {
    Sha256 hash;
    int64_t taken = 0;
    while (true) {
      if (cancel_.cancelled()) return Error(hr::kWuECallCancelled, "cancelled");
      const la_ssize_t count =
          archive_read_data(archive_.get(), content_.data(), content_.size());
      if (count < 0) return Annotate(Damage(), Shown(name));
      if (count == 0) break;
      if (count > member.max_bytes - taken) return TooLarge(name, member);
      taken += count;
      const absl::string_view bytes(content_.data(),
                                    static_cast<size_t>(count));
      if (member.sha256.has_value()) hash.Update(bytes);
      USHER_RETURN_IF_ERROR(sink_.Write(bytes));
    }
    if (!member.sha256.has_value()) return absl::OkStatus();
    if (const Sha256Digest found = hash.Finish(); found != *member.sha256) {
      return Error(hr::kWuEDmIncorrectfilehash,
                   absl::StrCat(name, ": has the SHA-256 ", ToHex(found),
                                "; the scan package is damaged"),
                   name);
    }
    return absl::OkStatus();
  }

  static absl::Status TooLarge(absl::string_view name,
                               const ScanPackageMember& member) {
    return Refuse(name, absl::StrCat("is larger than the limit of ",
                                     member.max_bytes, " bytes"));
  }

  absl::Status EndMetadata() {
    if (!has_timestamp_) {
      return NoPackage(absl::StrCat("there is no ", kTimestamp, " in it"),
                       kTimestamp);
    }
    return sink_.MetadataComplete();
  }

  // Reads on to the end of the file, which must be that of a tar file: one that
  // was cut between two members looks whole to libarchive.
  absl::Status CheckEnd() {
    const int64_t members_end = archive_read_header_position(archive_.get());
    while (true) {
      USHER_ASSIGN_OR_RETURN(const size_t count, Take());
      if (count == 0) break;
    }
    if (position_ % kBlock == 0 &&
        position_ - members_end >= static_cast<int64_t>(kEndBytes) &&
        end_.find_first_not_of('\0') == std::string::npos) {
      return absl::OkStatus();
    }
    return NoPackage("it is cut short: the end of the tar file is missing");
  }

  // The next bytes of the file, in buffer_.
  absl::StatusOr<size_t> Take() {
    if (cancel_.cancelled()) return Error(hr::kWuECallCancelled, "cancelled");
    USHER_ASSIGN_OR_RETURN(const size_t count,
                           source_(buffer_.data(), buffer_.size()));
    position_ += static_cast<int64_t>(count);
    end_.append(buffer_.data(), count);
    if (end_.size() > kEndBytes) end_.erase(0, end_.size() - kEndBytes);
    return count;
  }

  static la_ssize_t ReadMore(archive* handle, void* data, const void** buffer) {
    auto* const self = static_cast<Reader*>(data);
    const absl::StatusOr<size_t> count = self->Take();
    if (!count.ok()) {
      self->source_status_ = count.status();
      archive_set_error(handle, EIO, "the file cannot be read");
      return -1;
    }
    *buffer = self->buffer_.data();
    return static_cast<la_ssize_t>(*count);
  }

  const ScanPackageSource source_;
  const RepositoryOptions& options_;
  const ScanPackageLimits& limits_;
  ScanPackageSink& sink_;
  const CancellationToken& cancel_;
  const platform::Utf8Locale locale_;
  std::vector<char> buffer_ = std::vector<char>(kBuffer);
  std::vector<char> content_ = std::vector<char>(kBuffer);
  std::unique_ptr<archive, ArchiveCloser> archive_;
  absl::Status source_status_;
  int64_t position_ = 0;  // bytes taken
  std::string end_;       // the last of them
  int64_t members_ = 0;
  bool has_timestamp_ = false;
  bool in_targets_ = false;
};

}  // namespace

absl::Status ReadScanPackage(ScanPackageSource source,
                             const RepositoryOptions& options,
                             const ScanPackageLimits& limits,
                             ScanPackageSink& sink,
                             const CancellationToken& cancel) {
  return Reader(source, options, limits, sink, cancel).All();
}

}  // namespace usher::repository
