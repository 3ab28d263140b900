#ifndef USHER_SERVICE_INSTALL_DPKG_H_
#define USHER_SERVICE_INSTALL_DPKG_H_

// Runs dpkg and asks what it knows.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "service/install/dpkg_options.h"

namespace usher::install {

// A package, as a .deb or dpkg's database names it.
struct DpkgPackage {
  std::string name;
  std::string version;
  std::string architecture;
};

// What dpkg's database says about a package.
struct DpkgState {
  std::string version;    // "" when not installed
  std::string status;     // dpkg's own word, "half-configured"; "" as above
  bool complete = false;  // unpacked and configured ("ii")
  bool present = false;   // any of its files may be there
};

// What dpkg is to do.
struct DpkgRun {
  // "--install", … with its operands.
  std::vector<std::string> action;
  // Takes percent, for `packages` packages. May be empty.
  std::function<void(int)> progress;
  int packages = 0;
  // Output is appended to it.
  std::filesystem::path log;
  absl::Duration lock_timeout;
  absl::Duration run_timeout;
  // Heeded until dpkg begins.
  CancellationToken cancel;
  // Heeded always.
  CancellationToken interrupt;
};

// True for a name, with or without ":architecture", that Debian Policy 5.6.1
// allows. Such a name is never taken as an option.
bool IsDebianPackageName(absl::string_view name);

// Not thread-safe.
class Dpkg {
 public:
  explicit Dpkg(DpkgOptions options);

  const DpkgOptions& options() const { return options_; }

  // Reads a .deb's control fields. WU_E_UH_INVALIDMETADATA if it is none.
  absl::StatusOr<DpkgPackage> Inspect(const std::filesystem::path& deb,
                                      const CancellationToken& cancel) const;

  // States of the named packages, for the architecture that each name gives
  // ("hello:amd64") or any. Unknown ones get an empty state.
  absl::StatusOr<std::map<std::string, DpkgState>> Query(
      const std::vector<std::string>& packages,
      const CancellationToken& cancel) const;

  // Runs it under the frontend lock. Errors: WU_E_OPERATIONINPROGRESS when
  // another package manager is busy; WU_E_UH_INSTALLERFAILURE with the end of
  // what dpkg said; WU_E_UH_INSTALLERHUNG; WU_E_UH_OPERATIONCANCELLED.
  // `exit_code` takes dpkg's, 0 if it did not run.
  absl::Status Run(const DpkgRun& run, int* exit_code) const;

 private:
  DpkgOptions options_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_DPKG_H_
