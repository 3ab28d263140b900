#ifndef USHER_SERVICE_PLATFORM_MACHINE_FOLDERS_H_
#define USHER_SERVICE_PLATFORM_MACHINE_FOLDERS_H_

// Where the machine's service keeps its things. Platform twins:
// machine_folders_posix.cc, machine_folders_win.cc.

#include <filesystem>

#include "absl/status/status.h"

namespace usher::platform {

// Linux's folders are the packages' to make; on Windows all of it lies below
// %ProgramData%\Usher.
struct MachineFolders {
  std::filesystem::path config_file;
  std::filesystem::path state;
  std::filesystem::path cache;
  // What goes when the service stops.
  std::filesystem::path run;
  std::filesystem::path log_file;
};
MachineFolders GetMachineFolders();

// Makes the folder that holds a service's state, with its parents. An existing
// one keeps its permissions, except on Windows, where it is closed to all but
// SYSTEM, Administrators and this process's user: everybody may make folders
// in %ProgramData%, and what SQLite adds there has the folder's permissions.
// `open`: others may pass through (Linux). E_ACCESSDENIED if it, or something
// in it, belongs to somebody else (Windows).
absl::Status MakeStateFolder(const std::filesystem::path& folder, bool open);

// E_ACCESSDENIED if something is at `path` that does not belong to SYSTEM,
// Administrators or this process's user (Windows: see above; on Linux
// administrators decide who may write to /etc).
absl::Status CheckOwner(const std::filesystem::path& path);

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_MACHINE_FOLDERS_H_
