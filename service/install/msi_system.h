#ifndef USHER_SERVICE_INSTALL_MSI_SYSTEM_H_
#define USHER_SERVICE_INSTALL_MSI_SYSTEM_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/install/handler.h"

namespace usher::install {

// Windows Installer, as far as the handler needs it beside msiexec's exit
// codes. An interface, so that the handler can be tested everywhere.
class MsiSystem {
 public:
  virtual ~MsiSystem() = default;
  // Absolute path of msiexec.
  virtual std::filesystem::path Program() const = 0;
  // The version of an installed product, or "".
  virtual std::string InstalledVersion(
      absl::string_view product_code) const = 0;
  // Waits until no installation is running; at most `timeout`, and no longer
  // than the attempt is not stopping. WU_E_INSTALL_NOT_ALLOWED when the time
  // is up, WU_E_UH_OPERATIONCANCELLED.
  virtual absl::Status WaitUntilIdle(absl::Duration timeout,
                                     const Attempt& attempt) const = 0;
};

// The real one; on Windows only (msi_system_win.cc).
std::unique_ptr<MsiSystem> NewMsiSystem();

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_MSI_SYSTEM_H_
