#include <windows.h>

#include <array>

#include "service/platform/privilege.h"

namespace usher::platform {

bool HasMachinePrivilege() {
  alignas(SID) std::array<char, SECURITY_MAX_SID_SIZE> administrators;
  DWORD size = administrators.size();
  BOOL member = FALSE;
  // In a token that is not elevated the group is there for denying only, which
  // does not count as membership. SYSTEM is a member.
  return CreateWellKnownSid(WinBuiltinAdministratorsSid, nullptr,
                            administrators.data(), &size) != 0 &&
         CheckTokenMembership(nullptr, administrators.data(), &member) != 0 &&
         member != FALSE;
}

}  // namespace usher::platform
