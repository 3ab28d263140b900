#ifndef USHER_PUBLISHER_PLATFORM_H_
#define USHER_PUBLISHER_PLATFORM_H_

// The publisher's few needs of the operating system. Platform twins:
// platform_posix.cc, platform_win.cc.

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::publisher {

// Whether the path itself is a link: symbolic or, on Windows, any other reparse
// point that leads elsewhere.
bool IsLink(const std::filesystem::path& path);

// Writes a file's content to disk.
absl::Status SyncFile(const std::filesystem::path& path);

// Shows `prompt` on the terminal and reads a line from it without echo.
// WU_E_NO_INTERACTIVE_USER when there is no terminal.
absl::StatusOr<std::string> ReadSecretFromTerminal(absl::string_view prompt);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PLATFORM_H_
