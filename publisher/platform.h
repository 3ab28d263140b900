#ifndef USHER_PUBLISHER_PLATFORM_H_
#define USHER_PUBLISHER_PLATFORM_H_

// The publisher's few needs of the operating system. Platform twins:
// platform_posix.cc, platform_win.cc.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::publisher {

// Whether the path itself is a link: symbolic or, on Windows, any other reparse
// point that leads elsewhere.
bool IsLink(const std::filesystem::path& path);

// A file that is read from its beginning on.
class InputFile {
 public:
  virtual ~InputFile() = default;
  // Reads at most `size` bytes; 0 at the end.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;
};

enum class Links { kFollow, kRefuse };

// Opens a regular file; WU_E_INVALID_FILE if it is none. Of the path's parts
// only the last one is refused for being a link.
absl::StatusOr<std::unique_ptr<InputFile>> OpenInputFile(
    const std::filesystem::path& path, Links links);

// Writes a file's content to disk.
absl::Status SyncFile(const std::filesystem::path& path);

// Shows `prompt` on the terminal and reads a line from it without echo.
// WU_E_NO_INTERACTIVE_USER when there is no terminal.
absl::StatusOr<std::string> ReadSecretFromTerminal(absl::string_view prompt);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PLATFORM_H_
