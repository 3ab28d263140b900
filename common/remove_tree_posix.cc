#include <filesystem>
#include <system_error>

#include "common/error.h"
#include "common/file_io.h"

namespace usher {

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
