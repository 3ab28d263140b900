#ifndef USHER_PUBLISHER_PACKAGE_FILE_H_
#define USHER_PUBLISHER_PACKAGE_FILE_H_

// Reading Debian packages and compressed indexes. Nothing is unpacked to disk
// and no program is run.

#include <filesystem>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "publisher/control_file.h"

namespace usher::publisher {

// Reads the control file of a .deb (ar archive with control.tar, .gz, .xz or
// .zst), at most 1 MiB. WU_E_INVALID_FILE with the reason when `path` is not a
// Debian package; ERROR_FILE_NOT_FOUND.
absl::StatusOr<ControlParagraph> ReadDebControl(
    const std::filesystem::path& path);

// Feeds the content of a file to `sink` in pieces, decompressed when it is
// gzip, xz, zstd, lz4 or bzip2; at most 8 GiB. An error from `sink` ends the
// work and comes back. ERROR_FILE_NOT_FOUND, WU_E_INVALID_FILE.
absl::Status ReadDecompressed(
    const std::filesystem::path& path,
    const std::function<absl::Status(absl::string_view)>& sink);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PACKAGE_FILE_H_
