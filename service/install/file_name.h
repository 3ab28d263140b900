#ifndef USHER_SERVICE_INSTALL_FILE_NAME_H_
#define USHER_SERVICE_INSTALL_FILE_NAME_H_

// What this system takes as the name of a file or folder, and what has it.
// Platform twins: file_name_posix.cc, file_name_win.cc.

#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"

namespace usher::install {

// Whether the name, already known to be a plain one without separators, is
// taken as it stands. Always on POSIX; on Windows not with a character that
// means something there (":" would name a stream), a dot or blank at the end,
// or the name of a device.
bool IsFileName(absl::string_view name);

// The folder of a product's version: the version itself, but "%3A" for ":" on
// Windows, which is in no version. May not be an IsFileName.
std::string VersionFolderName(absl::string_view version);

// Whether two names of ours, which are ASCII, lead to the same file or folder:
// on Windows also when they differ in case.
bool IsSameFileName(absl::string_view a, absl::string_view b);

// Whether there is something at `path`; a link counts by itself, wherever it
// leads.
bool Exists(const std::filesystem::path& path);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_FILE_NAME_H_
