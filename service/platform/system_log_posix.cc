#include "service/platform/system_log.h"

namespace usher::platform {

std::unique_ptr<SystemLog> SystemLog::Open() { return nullptr; }

}  // namespace usher::platform
