#ifndef USHER_SERVICE_PLATFORM_PRIVILEGE_H_
#define USHER_SERVICE_PLATFORM_PRIVILEGE_H_

namespace usher::platform {

// True if this process may change the whole machine: root on POSIX, an
// elevated administrator or SYSTEM on Windows. Platform twins:
// privilege_posix.cc, privilege_win.cc.
bool HasMachinePrivilege();

}  // namespace usher::platform

#endif  // USHER_SERVICE_PLATFORM_PRIVILEGE_H_
