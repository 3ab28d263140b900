#ifndef USHER_SERVICE_CATALOG_DPKG_STATUS_H_
#define USHER_SERVICE_CATALOG_DPKG_STATUS_H_

// The installed packages of a Debian system.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::catalog {

struct DebianPackage {
  std::string architecture;
  std::string version;
  friend bool operator==(const DebianPackage&, const DebianPackage&) = default;
};

// By name; more than one entry where several architectures are installed.
using DebianPackages =
    absl::flat_hash_map<std::string, std::vector<DebianPackage>>;

// Reads dpkg's status file: packages that are unpacked and configured. Others
// (removed with configuration files left, half-installed) are left out. A
// machine without the file has no packages. WU_E_INVALID_FILE when it cannot be
// read or is no status file.
absl::StatusOr<DebianPackages> ReadDpkgStatus(
    const std::filesystem::path& path);

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_DPKG_STATUS_H_
