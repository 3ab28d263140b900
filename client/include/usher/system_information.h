#ifndef USHER_SYSTEM_INFORMATION_H_
#define USHER_SYSTEM_INFORMATION_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace usher {

// ISystemInformation, and what `usher status` shows.
struct SystemInformation {
  std::string oem_hardware_support_link;
  bool reboot_required = false;
  bool is_busy = false;
  // Who asks, as the kernel told the service: "uid:1000" or a SID.
  std::string caller;
  bool caller_is_administrator = false;
  int32_t session_count = 0;
  int32_t running_job_count = 0;
  absl::Time service_start_time;
  int64_t cache_bytes = 0;
};

// IWindowsUpdateAgentInfo.
struct AgentInfo {
  int32_t api_major_version = 0;
  int32_t api_minor_version = 0;
  std::string product_version_string;
};

}  // namespace usher

#endif  // USHER_SYSTEM_INFORMATION_H_
