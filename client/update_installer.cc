#include "usher/update_installer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/internal/convert.h"
#include "client/internal/end_job.h"
#include "client/internal/job_data.h"
#include "client/internal/objects.h"
#include "client/internal/update_data.h"
#include "common/error.h"

namespace usher {
namespace {

// Begins an installation, or with `uninstall` its opposite.
absl::StatusOr<InstallationJob> Begin(internal::InstallerObject& object,
                                      bool uninstall,
                                      InstallationProgressCallback progress,
                                      InstallationCompletedCallback completed,
                                      std::any async_state) {
  const UpdateCollection updates = object.updates();
  USHER_ASSIGN_OR_RETURN(
      v1::Job job, object.Call<v1::Job>(
                       {.repeatable = false},
                       [&](const internal::Link& link, const std::string& name,
                           grpc::ClientContext* context, v1::Job* response) {
                         if (uninstall) {
                           v1::BeginUninstallRequest request;
                           request.set_installer(name);
                           return link.installers->BeginUninstall(
                               context, request, response);
                         }
                         v1::BeginInstallRequest request;
                         request.set_installer(name);
                         return link.installers->BeginInstall(context, request,
                                                              response);
                       }));
  auto data = std::make_shared<internal::JobData>(
      object.core(), std::move(job), std::move(async_state),
      internal::ReadOnlyCopy(updates));
  internal::StartInstallation(*data, std::move(progress), std::move(completed));
  return InstallationJob(std::move(data));
}

}  // namespace

UpdateInstaller::UpdateInstaller(
    std::shared_ptr<internal::InstallerObject> object)
    : object_(std::move(object)) {}

std::string UpdateInstaller::ClientApplicationID() const {
  return object_->message().client_application_id();
}

absl::Status UpdateInstaller::SetClientApplicationID(absl::string_view value) {
  return object_->Write("client_application_id", [&](auto& message) {
    message.set_client_application_id(std::string(value));
  });
}

bool UpdateInstaller::IsForced() const {
  return object_->message().is_forced();
}

absl::Status UpdateInstaller::SetIsForced(bool value) {
  return object_->Write("is_forced",
                        [&](auto& message) { message.set_is_forced(value); });
}

bool UpdateInstaller::AllowSourcePrompts() const {
  return object_->message().allow_source_prompts();
}

absl::Status UpdateInstaller::SetAllowSourcePrompts(bool value) {
  return object_->Write("allow_source_prompts", [&](auto& message) {
    message.set_allow_source_prompts(value);
  });
}

bool UpdateInstaller::ForceQuiet() const {
  return object_->message().force_quiet();
}

absl::Status UpdateInstaller::SetForceQuiet(bool value) {
  return object_->Write("force_quiet",
                        [&](auto& message) { message.set_force_quiet(value); });
}

bool UpdateInstaller::AttemptCloseAppsIfNecessary() const {
  return object_->message().attempt_close_apps_if_necessary();
}

absl::Status UpdateInstaller::SetAttemptCloseAppsIfNecessary(bool value) {
  return object_->Write("attempt_close_apps_if_necessary", [&](auto& message) {
    message.set_attempt_close_apps_if_necessary(value);
  });
}

UpdateCollection UpdateInstaller::Updates() const { return object_->updates(); }

absl::Status UpdateInstaller::SetUpdates(const UpdateCollection& updates) {
  USHER_ASSIGN_OR_RETURN(const std::vector<v1::UpdateKey> keys,
                         internal::KeysOf(updates));
  USHER_RETURN_IF_ERROR(object_->Write("updates", [&](auto& message) {
    message.mutable_updates()->Assign(keys.begin(), keys.end());
  }));
  object_->set_updates(updates);
  return absl::OkStatus();
}

absl::StatusOr<bool> UpdateInstaller::IsBusy() const {
  USHER_ASSIGN_OR_RETURN(const v1::Installer installer, object_->Read());
  return installer.is_busy();
}

absl::StatusOr<bool> UpdateInstaller::RebootRequiredBeforeInstallation() const {
  USHER_ASSIGN_OR_RETURN(const v1::Installer installer, object_->Read());
  return installer.reboot_required_before_installation();
}

absl::StatusOr<InstallationResult> UpdateInstaller::Install() const {
  USHER_ASSIGN_OR_RETURN(const InstallationJob job, BeginInstall({}, {}));
  return EndInstall(job);
}

absl::StatusOr<InstallationResult> UpdateInstaller::Uninstall() const {
  USHER_ASSIGN_OR_RETURN(const InstallationJob job, BeginUninstall({}, {}));
  return EndUninstall(job);
}

absl::StatusOr<InstallationJob> UpdateInstaller::BeginInstall(
    InstallationProgressCallback progress,
    InstallationCompletedCallback completed, std::any async_state) const {
  return Begin(*object_, /*uninstall=*/false, std::move(progress),
               std::move(completed), std::move(async_state));
}

absl::StatusOr<InstallationJob> UpdateInstaller::BeginUninstall(
    InstallationProgressCallback progress,
    InstallationCompletedCallback completed, std::any async_state) const {
  return Begin(*object_, /*uninstall=*/true, std::move(progress),
               std::move(completed), std::move(async_state));
}

absl::StatusOr<InstallationResult> UpdateInstaller::EndInstall(
    const InstallationJob& job) const {
  return internal::EndInstallationJob(job.internal_data(),
                                      v1::JOB_KIND_INSTALLATION);
}

absl::StatusOr<InstallationResult> UpdateInstaller::EndUninstall(
    const InstallationJob& job) const {
  return internal::EndInstallationJob(job.internal_data(),
                                      v1::JOB_KIND_UNINSTALLATION);
}

}  // namespace usher
