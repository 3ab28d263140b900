#include "common/file_io.h"
#include "service/platform/machine_folders.h"

namespace usher::platform {

MachineFolders GetMachineFolders() {
  return {"/etc/usher/usherd.toml", "/var/lib/usher", "/var/cache/usher",
          "/run/usher", "/var/log/usher/usherd.log"};
}

absl::Status MakeStateFolder(const std::filesystem::path& folder, bool open) {
  return MakeDirectories(folder, open ? Access::kWorldRead : Access::kPrivate);
}

absl::Status CheckOwner(const std::filesystem::path&) {
  return absl::OkStatus();
}

}  // namespace usher::platform
