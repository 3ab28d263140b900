#ifndef USHER_SERVICE_INSTALL_BEHAVIOR_H_
#define USHER_SERVICE_INSTALL_BEHAVIOR_H_

// What a publisher says about the installation or uninstallation of an update.

#include "service/install/install_engine.h"

namespace usher::v1 {
class InstallationBehavior;
class Update;
}  // namespace usher::v1

namespace usher::install {

const v1::InstallationBehavior& BehaviorOf(const v1::Update& update,
                                           Operation operation);

// Whether `operation` always needs a restart, which must then come before
// anything else is begun.
bool AlwaysNeedsRestart(const v1::Update& update, Operation operation);
void SetAlwaysNeedsRestart(v1::Update& update, Operation operation,
                           bool always);

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_BEHAVIOR_H_
