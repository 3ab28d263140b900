// What needs no platform's own calls.

#include "common/file_io.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher {

absl::Status RemoveTemporaries(const std::filesystem::path& folder,
                               absl::string_view file) {
  const std::string prefix = file.empty() ? "." : absl::StrCat(".", file, ".");
  std::error_code error;
  std::filesystem::directory_iterator it(folder, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (const std::filesystem::directory_iterator end; !error && it != end;
       it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    if (absl::StartsWith(name, prefix) && absl::EndsWith(name, ".tmp")) {
      USHER_RETURN_IF_ERROR(RemoveTree(it->path()));
    }
  }
  if (!error) return absl::OkStatus();
  return SystemError(error.default_error_condition().value(), "read",
                     PathToUtf8(folder));
}

}  // namespace usher
