#ifndef USHER_SERVICE_ROLLOUT_ID_H_
#define USHER_SERVICE_ROLLOUT_ID_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"

namespace usher::daemon {

// The random number that this machine draws with for staged rollouts, 32
// hexadecimal digits; the same at each start. It is made once, by the system's
// generator, and lies in `state_dir`/rollout-id; a file that holds anything
// else is replaced, with a warning in the log. Needs the state folder's lock.
// Errors are those of reading and writing the file.
absl::StatusOr<std::string> RolloutId(const std::filesystem::path& state_dir);

}  // namespace usher::daemon

#endif  // USHER_SERVICE_ROLLOUT_ID_H_
