#include "publisher/leftovers.h"

#include <system_error>

#include "common/error.h"
#include "common/file_io.h"
#include "publisher/real_folders.h"

namespace usher::publisher {

namespace fs = std::filesystem;

absl::Status RemovePublicLeftovers(const fs::path& public_dir) {
  USHER_RETURN_IF_ERROR(CheckPublicFolders(public_dir));
  USHER_RETURN_IF_ERROR(RemoveTemporaries(public_dir / "metadata"));
  const fs::path targets = public_dir / "targets";
  USHER_RETURN_IF_ERROR(RemoveTemporaries(targets));
  std::error_code error;
  fs::recursive_directory_iterator it(targets, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (const fs::recursive_directory_iterator end; !error && it != end;
       it.increment(error)) {
    // One that is a link by now, not yet when it was checked, is passed over.
    if (!fs::is_directory(it->symlink_status(error)) || error) continue;
    if (it.depth() == 0 && it->path().filename() == "payloads") {
      it.disable_recursion_pending();
      continue;
    }
    USHER_RETURN_IF_ERROR(RemoveTemporaries(it->path()));
  }
  if (!error) return absl::OkStatus();
  return SystemError(error.default_error_condition().value(), "read",
                     PathToUtf8(targets));
}

}  // namespace usher::publisher
