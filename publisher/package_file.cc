#include "publisher/package_file.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::publisher {
namespace {

constexpr size_t kBlock = size_t{64} * 1024;
constexpr uint64_t kMaxControlArchive = uint64_t{16} * 1024 * 1024;
constexpr uint64_t kMaxControlFile = uint64_t{1024} * 1024;
constexpr uint64_t kMaxDecompressed = uint64_t{8} << 30;

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ArchivePtr = std::unique_ptr<archive, FreeArchive>;

absl::Status BadFile(const std::filesystem::path& path,
                     absl::string_view reason) {
  const std::string name = PathToUtf8(path);
  return Error(hr::kWuEInvalidFile, absl::StrCat(name, ": ", reason), name);
}

absl::string_view Reason(archive* a) {
  const char* text = archive_error_string(a);
  return text == nullptr ? "cannot be read" : text;
}

// A missing file deserves a better answer than libarchive's.
absl::Status CheckRegularFile(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) {
    return SystemError(error.default_error_condition().value(), "open",
                       PathToUtf8(path));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return BadFile(path, "is not a regular file");
  }
  return absl::OkStatus();
}

// Gives libarchive a file through a stream, which takes any platform's paths.
class FileSource {
 public:
  explicit FileSource(const std::filesystem::path& path)
      : stream_(path, std::ios::binary) {}

  int Open(archive* a) {
    if (!stream_.is_open()) return ARCHIVE_FATAL;
    return archive_read_open(a, this, nullptr, &FileSource::Read, nullptr);
  }

 private:
  static la_ssize_t Read(archive* a, void* self, const void** block) {
    auto* source = static_cast<FileSource*>(self);
    source->stream_.read(source->buffer_.data(),
                         static_cast<std::streamsize>(kBlock));
    if (source->stream_.bad()) {
      archive_set_error(a, EIO, "cannot be read");
      return -1;
    }
    *block = source->buffer_.data();
    return source->stream_.gcount();
  }

  std::ifstream stream_;
  std::array<char, kBlock> buffer_{};
};

absl::Status ReadEntry(archive* a, const std::filesystem::path& path,
                       uint64_t limit, std::string& content) {
  std::array<char, kBlock> buffer;
  while (true) {
    const la_ssize_t count = archive_read_data(a, buffer.data(), buffer.size());
    if (count < 0) return BadFile(path, Reason(a));
    if (count == 0) return absl::OkStatus();
    if (static_cast<uint64_t>(count) > limit - content.size()) {
      return BadFile(path, "has an unreasonably large control archive");
    }
    content.append(buffer.data(), static_cast<size_t>(count));
  }
}

// The member control.tar* of the outer ar archive.
absl::StatusOr<std::string> ReadControlArchive(
    const std::filesystem::path& path) {
  FileSource source(path);
  const ArchivePtr outer(archive_read_new());
  archive_read_support_format_ar(outer.get());
  if (source.Open(outer.get()) != ARCHIVE_OK) {
    return BadFile(path, "is not a Debian package (not an ar archive)");
  }
  bool has_format_member = false;
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(outer.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result < ARCHIVE_WARN) {
      return BadFile(path, absl::StrCat("is not a Debian package (",
                                        Reason(outer.get()), ")"));
    }
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) continue;
    if (absl::string_view(name) == "debian-binary") {
      has_format_member = true;
    } else if (has_format_member && absl::StartsWith(name, "control.tar")) {
      std::string content;
      USHER_RETURN_IF_ERROR(
          ReadEntry(outer.get(), path, kMaxControlArchive, content));
      return content;
    }
  }
  return BadFile(path, "is not a Debian package (no control archive inside)");
}

}  // namespace

absl::StatusOr<ControlParagraph> ReadDebControl(
    const std::filesystem::path& path) {
  USHER_RETURN_IF_ERROR(CheckRegularFile(path));
  USHER_ASSIGN_OR_RETURN(const std::string control_archive,
                         ReadControlArchive(path));
  const ArchivePtr inner(archive_read_new());
  archive_read_support_format_tar(inner.get());
  archive_read_support_filter_all(inner.get());
  if (archive_read_open_memory(inner.get(), control_archive.data(),
                               control_archive.size()) != ARCHIVE_OK) {
    return BadFile(path, Reason(inner.get()));
  }
  archive_entry* entry = nullptr;
  while (true) {
    const int result = archive_read_next_header(inner.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result < ARCHIVE_WARN) return BadFile(path, Reason(inner.get()));
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) continue;
    if (absl::string_view(name) != "./control" &&
        absl::string_view(name) != "control") {
      continue;
    }
    std::string content;
    USHER_RETURN_IF_ERROR(
        ReadEntry(inner.get(), path, kMaxControlFile, content));
    auto paragraph = ControlParagraph::Parse(content);
    if (!paragraph.ok()) {
      return Annotate(paragraph.status(),
                      absl::StrCat(PathToUtf8(path), ": control file"));
    }
    return paragraph;
  }
  return BadFile(path, "is not a Debian package (no control file inside)");
}

absl::Status ReadDecompressed(
    const std::filesystem::path& path,
    const std::function<absl::Status(absl::string_view)>& sink) {
  USHER_RETURN_IF_ERROR(CheckRegularFile(path));
  FileSource source(path);
  const ArchivePtr reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_read_support_format_empty(reader.get());
  archive_entry* entry = nullptr;
  if (source.Open(reader.get()) != ARCHIVE_OK) {
    return BadFile(path, Reason(reader.get()));
  }
  const int header = archive_read_next_header(reader.get(), &entry);
  if (header == ARCHIVE_EOF) return absl::OkStatus();
  if (header < ARCHIVE_WARN) return BadFile(path, Reason(reader.get()));
  std::array<char, kBlock> buffer;
  uint64_t total = 0;
  while (true) {
    const la_ssize_t count =
        archive_read_data(reader.get(), buffer.data(), buffer.size());
    if (count < 0) return BadFile(path, Reason(reader.get()));
    if (count == 0) return absl::OkStatus();
    total += static_cast<uint64_t>(count);
    if (total > kMaxDecompressed) {
      return BadFile(path, "is larger than 8 GiB when decompressed");
    }
    USHER_RETURN_IF_ERROR(
        sink(absl::string_view(buffer.data(), static_cast<size_t>(count))));
  }
}

}  // namespace usher::publisher
