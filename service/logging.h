#ifndef USHER_SERVICE_LOGGING_H_
#define USHER_SERVICE_LOGGING_H_

#include "absl/status/status.h"
#include "service/config.h"

namespace usher::daemon {

// Makes the process-wide log as [log] says: a rotated file, and standard error
// (without time stamps under a service manager, whose journal has its own).
absl::Status StartLog(const Config& config, bool managed);

// Closes the log.
void StopLog();

}  // namespace usher::daemon

#endif  // USHER_SERVICE_LOGGING_H_
