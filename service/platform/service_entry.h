#ifndef USHER_SERVICE_PLATFORM_SERVICE_ENTRY_H_
#define USHER_SERVICE_PLATFORM_SERVICE_ENTRY_H_

#include <functional>

namespace usher::platform {

// Runs `service`, a service's whole life, the way that who started the process
// expects, and returns its exit code. On Windows, if the Service Control
// Manager did, that is on a thread of the manager's, with reports of how it
// starts and stops; a code other than 0 becomes the service-specific exit code.
// Otherwise it is just called. To be called once. Platform twins:
// service_entry_posix.cc, service_entry_win.cc.
int RunService(const std::function<int()>& service);

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_SERVICE_ENTRY_H_
