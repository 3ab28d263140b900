#include "common/error.h"
#include "service/platform/service_registration.h"

namespace usher::platform {
namespace {

absl::Status NotHere() {
  return Error(hr::kENotimpl,
               "services are registered by their packages here; see systemctl",
               "usherd");
}

}  // namespace

bool CanRegisterService() { return false; }

absl::StatusOr<std::vector<std::string>> RegisterService(
    const ServiceRegistration&) {
  return NotHere();
}

absl::Status StopRegisteredService() { return NotHere(); }

absl::Status UnregisterService() { return NotHere(); }

}  // namespace usher::platform
