#ifndef USHER_SERVICE_INSTALL_MSI_RESULT_H_
#define USHER_SERVICE_INSTALL_MSI_RESULT_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "service/install/handler.h"

namespace usher::install {

// Another installation was running (ERROR_INSTALL_ALREADY_RUNNING).
inline constexpr int kMsiBusy = 1618;

// What an exit code of msiexec means:
//
//   0             done
//   3010, 1641    done, a restart is needed; 1641: it has begun
//   1605, 1614    uninstalling: it was not installed; else a failure
//   1602          cancelled: WU_E_UH_OPERATIONCANCELLED
//   1618          busy: WU_E_INSTALL_NOT_ALLOWED
//   1619, 1620,   the package is no good, or not for this machine:
//   1633, 1639    WU_E_UH_INVALIDMETADATA
//   1625, 1643,   forbidden: E_ACCESSDENIED
//   1644, 5
//   112           ERROR_DISK_FULL
//   others        WU_E_UH_INSTALLERFAILURE
//
// A failure keeps the code, and its message has `excerpt` (of the log), which
// may be empty. `subject` names the update.
ApplyResult MsiResult(Operation operation, int exit_code,
                      absl::string_view excerpt, absl::string_view subject);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_MSI_RESULT_H_
