#ifndef USHER_SERVICE_SESSION_CONFIGURED_SERVICES_H_
#define USHER_SERVICE_SESSION_CONFIGURED_SERVICES_H_

#include <vector>

#include "service/session/update_services.h"

namespace usher::session {

class Core;

// Registers the services that the configuration names, in the background. One
// whose server does not answer is tried again, with growing pauses, until it
// does. Those already registered keep what they have.
void RegisterConfigured(Core& core, std::vector<NewService> services);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_CONFIGURED_SERVICES_H_
