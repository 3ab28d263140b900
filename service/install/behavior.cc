#include "service/install/behavior.h"

#include "usher/v1/types.pb.h"
#include "usher/v1/update.pb.h"

namespace usher::install {

const v1::InstallationBehavior& BehaviorOf(const v1::Update& update,
                                           Operation operation) {
  return operation == Operation::kInstall ? update.installation_behavior()
                                          : update.uninstallation_behavior();
}

bool AlwaysNeedsRestart(const v1::Update& update, Operation operation) {
  return BehaviorOf(update, operation).reboot_behavior() ==
         v1::INSTALLATION_REBOOT_BEHAVIOR_ALWAYS_REQUIRES_REBOOT;
}

void SetAlwaysNeedsRestart(v1::Update& update, Operation operation,
                           bool always) {
  v1::InstallationBehavior& behavior =
      operation == Operation::kInstall
          ? *update.mutable_installation_behavior()
          : *update.mutable_uninstallation_behavior();
  behavior.set_reboot_behavior(
      always ? v1::INSTALLATION_REBOOT_BEHAVIOR_ALWAYS_REQUIRES_REBOOT
             : v1::INSTALLATION_REBOOT_BEHAVIOR_NEVER_REBOOTS);
}

}  // namespace usher::install
