#ifndef USHER_SERVICE_INSTALL_ARCHIVE_INPUT_H_
#define USHER_SERVICE_INSTALL_ARCHIVE_INPUT_H_

// Opens an archive file for libarchive.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct archive;

namespace usher::install {

struct ArchiveCloser {
  void operator()(archive* handle) const;
};
using ArchiveHandle = std::unique_ptr<archive, ArchiveCloser>;

// An archive whose members can be read one after the other through get(). Not
// thread-safe.
class ArchiveInput {
 public:
  // Opens tar, zip, or a .deb, of which the data member is what is read. With
  // `names_are_utf8` names for which the archive states no encoding are taken
  // as UTF-8, whatever the C locale says.
  static absl::StatusOr<std::unique_ptr<ArchiveInput>> Open(
      const std::filesystem::path& path, bool names_are_utf8);

  archive* get() { return inner_ ? inner_.get() : outer_.get(); }
  bool is_debian_package() const { return inner_ != nullptr; }
  // Share of the file that has been read.
  int percent() const;

 private:
  explicit ArchiveInput(bool names_are_utf8)
      : names_are_utf8_(names_are_utf8) {}
  absl::Status OpenOuter(const std::filesystem::path& path);
  absl::Status OpenDataMember();

  // What libarchive calls; `data` is this object.
  static ptrdiff_t ReadFile(archive* handle, void* data, const void** buffer);
  static int64_t SeekFile(archive* handle, void* data, int64_t offset,
                          int whence);
  static ptrdiff_t ReadMember(archive* handle, void* data, const void** buffer);

  const bool names_are_utf8_;
  std::ifstream file_;
  int64_t size_ = 0;
  int64_t position_ = 0;
  std::vector<char> file_buffer_;
  std::vector<char> member_buffer_;
  // inner_ reads through outer_, so it is closed first.
  ArchiveHandle outer_;
  ArchiveHandle inner_;
};

// The error that libarchive has to tell about `handle`.
absl::Status ArchiveError(archive* handle);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_ARCHIVE_INPUT_H_
