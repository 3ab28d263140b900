#ifndef USHER_SERVICE_PLATFORM_SYSTEM_LOG_H_
#define USHER_SERVICE_PLATFORM_SYSTEM_LOG_H_

#include <memory>

#include "absl/strings/string_view.h"

namespace usher::platform {

// The machine's log, where an administrator looks first: the Windows Event Log
// (source "Usher", log Application). Platform twins: system_log_posix.cc,
// system_log_win.cc. Thread-safe.
class SystemLog {
 public:
  enum class Severity { kInformation, kWarning, kError };

  // Null unless the service manager started this process and the system has
  // such a log. (Under systemd standard error is the journal.)
  static std::unique_ptr<SystemLog> Open();
  virtual ~SystemLog() = default;

  // Writes an entry; `text` is UTF-8 and is cut at 16,000 characters. What the
  // system does not take is lost.
  virtual void Write(Severity severity, absl::string_view text) = 0;
};

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_SYSTEM_LOG_H_
