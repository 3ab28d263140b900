#ifndef USHER_SERVICE_PLATFORM_SERVICE_REGISTRATION_H_
#define USHER_SERVICE_PLATFORM_SERVICE_REGISTRATION_H_

// Makes this program a service of the machine. Platform twins:
// service_registration_posix.cc (nothing: packages bring a systemd unit),
// service_registration_win.cc.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace usher::platform {

struct ServiceRegistration {
  // What the service is started with, behind the program's own path.
  std::vector<std::string> arguments;
  // What a stop may take at most.
  absl::Duration stop_time = absl::Seconds(40);
};

// False where services are registered in other ways.
bool CanRegisterService();

// Registers this program as the service "usherd" and as the source "Usher" of
// events, or brings what is registered up to date. Returns what could not be
// set because the system does not know it, one text each. E_ACCESSDENIED
// without elevation.
absl::StatusOr<std::vector<std::string>> RegisterService(
    const ServiceRegistration& registration);

// Stops the service and waits for its process to end, which is later than the
// state "stopped": only then its program can be replaced. Fine if there is no
// service or it does not run. E_ACCESSDENIED without elevation; WU_E_TIME_OUT
// if the process does not end.
absl::Status StopRegisteredService();

// Stops the service, waiting for its process to end, and removes what
// RegisterService made. Fine if there is nothing. E_ACCESSDENIED without
// elevation; WU_E_TIME_OUT if the process does not end.
absl::Status UnregisterService();

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_SERVICE_REGISTRATION_H_
