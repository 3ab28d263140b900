#include "common/file_io.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "common/error.h"

namespace usher {

std::string PathToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

std::filesystem::path PathFromUtf8(absl::string_view text) {
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

absl::Status RemoveTree(const std::filesystem::path& path) {
  // remove_all removes a link itself and never what it points to.
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) {
    return SystemError(error.default_error_condition().value(), "remove",
                       PathToUtf8(path));
  }
  return absl::OkStatus();
}

}  // namespace usher
