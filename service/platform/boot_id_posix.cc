#include "absl/strings/ascii.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/platform/boot_id.h"

namespace usher::platform {

absl::StatusOr<std::string> BootId() {
  USHER_ASSIGN_OR_RETURN(std::string text,
                         ReadFile("/proc/sys/kernel/random/boot_id", 128));
  absl::StripAsciiWhitespace(&text);
  return text;
}

}  // namespace usher::platform
