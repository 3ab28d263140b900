#ifndef USHER_SERVICE_INSTALL_DPKG_OPTIONS_H_
#define USHER_SERVICE_INSTALL_DPKG_OPTIONS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace usher::install {

// Where dpkg works and how it is run. The defaults are the machine's own.
struct DpkgOptions {
  // Folder of dpkg's database; its lock-frontend is held while dpkg runs.
  std::filesystem::path admin_dir = "/var/lib/dpkg";
  // Put before the action, for example "--root=DIR".
  std::vector<std::string> extra_arguments;
  // How long to wait for another package manager to finish.
  absl::Duration lock_timeout = absl::Minutes(5);
  absl::Duration run_timeout = absl::Hours(1);
  // Whether only root may run it.
  bool require_root = true;
  // What a package leaves when it wants a restart; beside it
  // reboot-required.pkgs with the names of the packages.
  std::filesystem::path reboot_required_file = "/run/reboot-required";
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_DPKG_OPTIONS_H_
