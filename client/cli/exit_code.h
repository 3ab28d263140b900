#ifndef USHER_CLIENT_CLI_EXIT_CODE_H_
#define USHER_CLIENT_CLI_EXIT_CODE_H_

#include "absl/status/status.h"
#include "usher/types.h"

namespace usher::cli {

// What the program ends with; docs/cli.md lists them for users.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitPartlyFailed = 3,
  kExitAccessDenied = 4,
  kExitNoService = 5,
  kExitNothingFound = 6,
  // Everything succeeded and a restart is needed to finish. (Installers say
  // 3010, which does not fit into the eight bits of a Unix exit code.)
  kExitRestartRequired = 8,
  kExitInterrupted = 130,
};

// The code for a failed call; kExitOk for OK.
ExitCode ExitCodeOf(const absl::Status& status);

// The code for the outcome of an operation.
ExitCode ExitCodeOf(OperationResultCode result, bool reboot_required);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_EXIT_CODE_H_
