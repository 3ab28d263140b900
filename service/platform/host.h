#ifndef USHER_SERVICE_PLATFORM_HOST_H_
#define USHER_SERVICE_PLATFORM_HOST_H_

// Who runs the service: a terminal, systemd or the Windows service manager.
// Platform twins: host_posix.cc, host_win.cc.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::platform {

// Thread-safe after Create.
class Host {
 public:
  struct Options {
    // Called once, on a thread of the host's, when the service is asked to
    // end (SIGTERM, SIGINT, SIGHUP; a console's event, a stop control). Must
    // not block.
    std::function<void()> on_stop;
    // The exit code of the process when it is asked a second time: then it
    // ends at once.
    int second_stop_exit_code = 1;
  };

  // To be called before the process has other threads, so that they all leave
  // the signals to the host.
  static absl::StatusOr<std::unique_ptr<Host>> Create(Options options);
  virtual ~Host() = default;

  // True under a service manager that wants to be told.
  virtual bool IsManaged() const = 0;
  // The service answers calls.
  virtual void NotifyReady() = 0;
  // It has begun to stop and takes `longest` at most.
  virtual void NotifyStopping(absl::Duration longest) = 0;
  // One line about what the service does.
  virtual void NotifyStatus(absl::string_view text) = 0;
  // How often NotifyAlive must be called at least; infinite: not at all.
  virtual absl::Duration WatchdogTimeout() const = 0;
  virtual void NotifyAlive() = 0;
};

// Lets the process have `wanted` open files, or as many as it may. Returns how
// many it can have now; kNoFileLimit where nothing limits them.
int64_t RaiseFileLimit(int64_t wanted);
inline constexpr int64_t kNoFileLimit = std::numeric_limits<int64_t>::max();

// Ends the process at once, without clean-up.
[[noreturn]] void ExitNow(int code);

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_HOST_H_
