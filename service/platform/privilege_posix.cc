#include <unistd.h>

#include "service/platform/privilege.h"

namespace usher::platform {

bool HasMachinePrivilege() { return geteuid() == 0; }

}  // namespace usher::platform
