#ifndef USHER_SERVICE_LOGGING_H_
#define USHER_SERVICE_LOGGING_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config.h"

namespace usher::daemon {

// Makes the process-wide log as [log] says: a rotated file, and standard error
// (without time stamps under a service manager, whose journal has its own).
// gRPC's own lines go there, too (grpc_log.h).
absl::Status StartLog(const Config& config, bool managed);

// Closes the log.
void StopLog();

// Writes a line that an administrator looks for, at level info: to the log and,
// where there is one, to the machine's log (service/platform/system_log.h),
// which has all warnings and errors as well.
void Announce(const std::string& text);

// Says why the service cannot even begin: on standard error and in the
// machine's log. For the time before StartLog.
void ReportFailure(absl::string_view text);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_LOGGING_H_
