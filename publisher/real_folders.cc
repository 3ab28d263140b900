#include "publisher/real_folders.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/platform.h"

namespace usher::publisher {

namespace fs = std::filesystem;

absl::Status CheckRealFolders(const fs::path& base, const fs::path& folder) {
  fs::path current = base;
  for (const fs::path& part : folder.lexically_relative(base)) {
    current /= part;
    if (!IsLink(current)) continue;
    return Error(
        hr::kWuEInvalidOperation,
        absl::StrCat(PathToUtf8(current),
                     " is a link, and what it leads to would be written to and "
                     "cleaned up; put a real folder in its place, with the "
                     "content if it is the repository's (a mount will do, and ",
                     PathToUtf8(base), " itself may be a link)"),
        PathToUtf8(current));
  }
  return absl::OkStatus();
}

absl::Status CheckPublicFolders(const fs::path& public_dir) {
  USHER_RETURN_IF_ERROR(CheckRealFolders(public_dir, public_dir / "metadata"));
  const fs::path targets = public_dir / "targets";
  USHER_RETURN_IF_ERROR(CheckRealFolders(public_dir, targets));
  std::error_code error;
  fs::recursive_directory_iterator it(targets, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (const fs::recursive_directory_iterator end; !error && it != end;
       it.increment(error)) {
    const fs::path& path = it->path();
    std::error_code ignored;
    // A link in the place of a file is replaced or removed, not followed.
    if (fs::is_regular_file(path, ignored)) continue;
    USHER_RETURN_IF_ERROR(CheckRealFolders(path.parent_path(), path));
    if (it.depth() == 0 && path.filename() == "payloads") {
      it.disable_recursion_pending();
    }
  }
  if (!error) return absl::OkStatus();
  return SystemError(error.default_error_condition().value(), "read",
                     PathToUtf8(targets));
}

}  // namespace usher::publisher
