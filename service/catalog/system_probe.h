#ifndef USHER_SERVICE_CATALOG_SYSTEM_PROBE_H_
#define USHER_SERVICE_CATALOG_SYSTEM_PROBE_H_

// What rules ask Windows. Platform twins: system_probe_posix.cc (there is
// nothing of it), system_probe_win.cc.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace usher::catalog {

// Thread-safe. Whatever cannot be read is not there.
class SystemProbe {
 public:
  virtual ~SystemProbe() = default;

  // The numbers of a file's version resource, "1.2.3.4"; "" without one.
  virtual std::string FileVersion(const std::filesystem::path& path) const = 0;

  // The data of a value as RegistryRule in catalog.proto has it. An empty name
  // asks for the key itself, which has the data "".
  virtual absl::optional<std::string> RegistryData(
      absl::string_view key, absl::string_view value) const = 0;

  // The version of an installed product; absent when it is not installed.
  virtual absl::optional<std::string> MsiVersion(
      absl::string_view product_code) const = 0;

  // The versions of all installed products with an upgrade code, sorted.
  virtual std::vector<std::string> MsiVersionsByUpgradeCode(
      absl::string_view upgrade_code) const = 0;
};

// The one of this system.
std::shared_ptr<const SystemProbe> NewSystemProbe();

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_SYSTEM_PROBE_H_
