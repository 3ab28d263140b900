#ifndef USHER_SERVICE_PLATFORM_BOOT_ID_H_
#define USHER_SERVICE_PLATFORM_BOOT_ID_H_

#include <string>

#include "absl/status/statusor.h"

namespace usher::platform {

// A text that is the same until the machine restarts and another one after.
// Platform twins: boot_id_posix.cc, boot_id_win.cc.
absl::StatusOr<std::string> BootId();

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_BOOT_ID_H_
