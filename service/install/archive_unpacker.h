#ifndef USHER_SERVICE_INSTALL_ARCHIVE_UNPACKER_H_
#define USHER_SERVICE_INSTALL_ARCHIVE_UNPACKER_H_

// Unpacks a hostile archive into a new folder.

#include <cstdint>
#include <filesystem>
#include <functional>

#include "absl/status/status.h"

namespace usher::install {

struct UnpackOptions {
  int strip_components = 0;
  // Bytes of all files together, as unpacked.
  int64_t max_bytes = int64_t{4} * 1024 * 1024 * 1024;
  // Members of any kind.
  int64_t max_entries = 500'000;
  // Two names that differ only in (ASCII) case are a duplicate. For file
  // systems that do not tell them apart.
  bool fold_case = false;
  // Looked at between blocks; true ends with WU_E_UH_OPERATIONCANCELLED.
  std::function<bool()> stop;
  // Percent of the archive's bytes read.
  std::function<void(int)> progress;
};

// Unpacks `archive` — tar (plain, gz, bz2, xz, zst), zip, or a .deb, of which
// the data member is taken — into the new folder `root`, and brings it to
// disk. Refused with WU_E_UH_INVALIDMETADATA: names and links that lead out,
// members other than files, folders and links, duplicates, more entries or
// bytes than allowed, damaged archives. What was unpacked before an error
// stays; the caller removes `root`.
absl::Status Unpack(const std::filesystem::path& archive,
                    const std::filesystem::path& root,
                    const UnpackOptions& options);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_ARCHIVE_UNPACKER_H_
