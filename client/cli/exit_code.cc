#include "client/cli/exit_code.h"

#include "common/error.h"

namespace usher::cli {

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  switch (HResultOf(status)) {
    case hr::kEAccessdenied:
      return kExitAccessDenied;
    case hr::kWuENoService:
      return kExitNoService;
    case hr::kWuECallCancelled:
      return kExitInterrupted;
    default:
      break;
  }
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitAccessDenied;
    case absl::StatusCode::kNotFound:
      return kExitNothingFound;
    default:
      return kExitFailed;
  }
}

ExitCode ExitCodeOf(OperationResultCode result, bool reboot_required) {
  switch (result) {
    case OperationResultCode::kSucceeded:
      return reboot_required ? kExitRestartRequired : kExitOk;
    case OperationResultCode::kSucceededWithErrors:
      return kExitPartlyFailed;
    case OperationResultCode::kAborted:
      return kExitInterrupted;
    default:
      return kExitFailed;
  }
}

}  // namespace usher::cli
