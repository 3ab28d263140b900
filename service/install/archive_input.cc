#include "service/install/archive_input.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::install {
namespace {

constexpr size_t kBuffer = size_t{64} * 1024;
constexpr absl::string_view kArMagic = "!<arch>\n";

absl::Status Damaged(absl::string_view why) {
  return Error(hr::kWuEUhInvalidmetadata,
               absl::StrCat("the archive cannot be unpacked: ", why),
               "archive");
}

ArchiveHandle NewReader() { return ArchiveHandle(archive_read_new()); }

void TakeNamesAsUtf8(archive* handle, const char* format) {
  // Fails only for a format that is not enabled.
  archive_read_set_format_option(handle, format, "hdrcharset", "UTF-8");
}

void AllowCompression(archive* handle) {
  archive_read_support_filter_none(handle);
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_zstd(handle);
}

}  // namespace

void ArchiveCloser::operator()(archive* handle) const {
  archive_read_free(handle);
}

absl::Status ArchiveError(archive* handle) {
  const char* text = archive_error_string(handle);
  return Damaged(text != nullptr ? text : "it is damaged");
}

absl::StatusOr<std::unique_ptr<ArchiveInput>> ArchiveInput::Open(
    const std::filesystem::path& path, bool names_are_utf8) {
  std::unique_ptr<ArchiveInput> input(new ArchiveInput(names_are_utf8));
  USHER_RETURN_IF_ERROR(input->OpenOuter(path));
  return input;
}

int ArchiveInput::percent() const {
  return size_ == 0 ? 100 : static_cast<int>(100 * position_ / size_);
}

absl::Status ArchiveInput::OpenOuter(const std::filesystem::path& path) {
  file_.open(path, std::ios::binary);
  if (!file_) return SystemError(errno, "open", PathToUtf8(path));
  file_.seekg(0, std::ios::end);
  size_ = file_.tellg();
  file_.seekg(0);
  std::array<char, 8> magic{};
  file_.read(magic.data(), magic.size());
  const bool is_ar = absl::string_view(magic.data(), magic.size()) == kArMagic;
  file_.clear();
  file_.seekg(0);

  file_buffer_.resize(kBuffer);
  outer_ = NewReader();
  if (outer_ == nullptr) return Error(hr::kEOutofmemory, "out of memory");
  if (is_ar) {
    archive_read_support_filter_none(outer_.get());
    archive_read_support_format_ar(outer_.get());
  } else {
    AllowCompression(outer_.get());
    archive_read_support_format_tar(outer_.get());
    archive_read_support_format_zip(outer_.get());
    if (names_are_utf8_) {
      TakeNamesAsUtf8(outer_.get(), "tar");
      TakeNamesAsUtf8(outer_.get(), "zip");
    }
  }
  archive_read_set_read_callback(outer_.get(), &ArchiveInput::ReadFile);
  archive_read_set_seek_callback(outer_.get(), &ArchiveInput::SeekFile);
  archive_read_set_callback_data(outer_.get(), this);
  if (archive_read_open1(outer_.get()) != ARCHIVE_OK) {
    return ArchiveError(outer_.get());
  }
  return is_ar ? OpenDataMember() : absl::OkStatus();
}

absl::Status ArchiveInput::OpenDataMember() {
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  // debian-binary, control.tar.*, data.tar.*; dpkg skips names that begin
  // with an underscore.
  for (int count = 0; count < 16; ++count) {
    result = archive_read_next_header(outer_.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    if (result < ARCHIVE_WARN) return ArchiveError(outer_.get());
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || !absl::StartsWith(name, "data.tar")) continue;
    member_buffer_.resize(kBuffer);
    inner_ = NewReader();
    if (inner_ == nullptr) return Error(hr::kEOutofmemory, "out of memory");
    AllowCompression(inner_.get());
    archive_read_support_format_tar(inner_.get());
    if (names_are_utf8_) TakeNamesAsUtf8(inner_.get(), "tar");
    archive_read_set_read_callback(inner_.get(), &ArchiveInput::ReadMember);
    archive_read_set_callback_data(inner_.get(), this);
    if (archive_read_open1(inner_.get()) != ARCHIVE_OK) {
      return ArchiveError(inner_.get());
    }
    return absl::OkStatus();
  }
  return Damaged("it is no Debian package: there is no data.tar in it");
}

ptrdiff_t ArchiveInput::ReadFile(archive* handle, void* data,
                                 const void** buffer) {
  auto* self = static_cast<ArchiveInput*>(data);
  self->file_.read(self->file_buffer_.data(),
                   static_cast<std::streamsize>(self->file_buffer_.size()));
  if (self->file_.bad()) {
    archive_set_error(handle, EIO, "the file cannot be read");
    return -1;
  }
  const std::streamsize count = self->file_.gcount();
  self->position_ += count;
  self->file_.clear();
  *buffer = self->file_buffer_.data();
  return count;
}

int64_t ArchiveInput::SeekFile(archive* /*handle*/, void* data, int64_t offset,
                               int whence) {
  auto* self = static_cast<ArchiveInput*>(data);
  const int64_t base = whence == SEEK_SET   ? 0
                       : whence == SEEK_CUR ? self->position_
                                            : self->size_;
  const int64_t wanted = base + offset;
  if (wanted < 0) return ARCHIVE_FATAL;
  // A reader may look for an end that is not there; it then reads nothing.
  const int64_t target = std::min(wanted, self->size_);
  self->file_.seekg(target);
  if (!self->file_) return ARCHIVE_FATAL;
  self->position_ = target;
  return target;
}

ptrdiff_t ArchiveInput::ReadMember(archive* handle, void* data,
                                   const void** buffer) {
  auto* self = static_cast<ArchiveInput*>(data);
  const ptrdiff_t count =
      archive_read_data(self->outer_.get(), self->member_buffer_.data(),
                        self->member_buffer_.size());
  if (count < 0) {
    archive_set_error(handle, EIO, "the data member cannot be read");
    return -1;
  }
  *buffer = self->member_buffer_.data();
  return count;
}

}  // namespace usher::install
