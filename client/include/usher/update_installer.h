#ifndef USHER_UPDATE_INSTALLER_H_
#define USHER_UPDATE_INSTALLER_H_

// IUpdateInstaller … IUpdateInstaller4, IInstallationResult.

#include <any>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/hresult.h"
#include "usher/collection.h"
#include "usher/job.h"
#include "usher/types.h"
#include "usher/update.h"

namespace usher {

namespace internal {
class InstallerObject;
}  // namespace internal

// IInstallationResult. Element i of `update_results` belongs to update i.
struct InstallationResult {
  HResult hresult = 0;
  // Any of the updates needs a restart (UAMG-192).
  bool reboot_required = false;
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  Collection<UpdateResult> update_results;
};

// An installer; administrators only. A handle, thread-safe; made again by
// itself when the service has lost it, as UpdateSearcher.
class UpdateInstaller {
 public:
  explicit UpdateInstaller(std::shared_ptr<internal::InstallerObject> object);

  std::string ClientApplicationID() const;
  absl::Status SetClientApplicationID(absl::string_view value);
  // Install although installed; uninstall although absent.
  bool IsForced() const;
  absl::Status SetIsForced(bool value);
  // Kept, without effect.
  bool AllowSourcePrompts() const;
  absl::Status SetAllowSourcePrompts(bool value);
  // Fail updates that cannot be silent (UAMG-189).
  bool ForceQuiet() const;
  absl::Status SetForceQuiet(bool value);
  // Kept, without effect.
  bool AttemptCloseAppsIfNecessary() const;
  absl::Status SetAttemptCloseAppsIfNecessary(bool value);
  UpdateCollection Updates() const;
  absl::Status SetUpdates(const UpdateCollection& updates);

  // Live: an installation or uninstallation runs on the machine (UAMG-181).
  absl::StatusOr<bool> IsBusy() const;
  // Live: a restart is needed before anything can be installed.
  absl::StatusOr<bool> RebootRequiredBeforeInstallation() const;

  // Installs and waits. An update that fails is a result, not an error.
  // Errors: WU_E_NO_UPDATE, WU_E_INSTALL_NOT_ALLOWED while another one runs
  // (UAMG-180), WU_E_EXCLUSIVE_INSTALL_CONFLICT (UAMG-183), E_ACCESSDENIED.
  absl::StatusOr<InstallationResult> Install() const;
  absl::StatusOr<InstallationResult> Uninstall() const;

  // Begin and return at once. Either callback may be empty.
  absl::StatusOr<InstallationJob> BeginInstall(
      InstallationProgressCallback progress,
      InstallationCompletedCallback completed, std::any async_state = {}) const;
  absl::StatusOr<InstallationJob> BeginUninstall(
      InstallationProgressCallback progress,
      InstallationCompletedCallback completed, std::any async_state = {}) const;
  // Wait for a job and take its result; also for one found again. A second
  // time, or a job of another kind: WU_E_INVALID_OPERATION.
  absl::StatusOr<InstallationResult> EndInstall(
      const InstallationJob& job) const;
  absl::StatusOr<InstallationResult> EndUninstall(
      const InstallationJob& job) const;

 private:
  std::shared_ptr<internal::InstallerObject> object_;
};

}  // namespace usher

#endif  // USHER_UPDATE_INSTALLER_H_
