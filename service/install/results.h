#ifndef USHER_SERVICE_INSTALL_RESULTS_H_
#define USHER_SERVICE_INSTALL_RESULTS_H_

// Results of single updates, from errors and from what handlers report.

#include <vector>

#include "absl/status/status.h"
#include "service/install/handler.h"
#include "service/install/install_engine.h"

namespace usher::install {

// WU_E_INSTALL_NOT_ALLOWED: a restart must come first (UAMG-191).
absl::Status RestartFirstError();

// FAILED, with the HRESULT and message of `status`.
InstallResult FailedResult(const absl::Status& status,
                           int32_t unmapped_result_code = 0);
// ABORTED, WU_E_CALL_CANCELLED.
InstallResult AbortedResult(absl::string_view message);
// SUCCEEDED with a success code.
InstallResult SucceededResult(HResult hresult, absl::string_view message);
// The result of an update whose steps came out like this: a restart if any of
// them needs one (UAMG-192); WU_S_REBOOT_REQUIRED then, else the code of the
// only step.
InstallResult ResultOf(const std::vector<Outcome>& outcomes);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_RESULTS_H_
