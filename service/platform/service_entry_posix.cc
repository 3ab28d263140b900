#include "service/platform/service_entry.h"

namespace usher::platform {

int RunService(const std::function<int()>& service) { return service(); }

}  // namespace usher::platform
