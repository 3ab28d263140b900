#ifndef USHER_SERVICE_RUN_H_
#define USHER_SERVICE_RUN_H_

#include "absl/time/time.h"
#include "service/config.h"

namespace usher::daemon {

// Exit codes (docs/configuration.md).
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfig = 3;
inline constexpr int kExitRunning = 4;
inline constexpr int kExitForced = 5;

// What a stop takes at most: then the process just ends.
absl::Duration LongestStop(const Config& config);

// Runs the service until it is asked to stop. Returns the exit code.
int RunDaemon(const Config& configured);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_RUN_H_
