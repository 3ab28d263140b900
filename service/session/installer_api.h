#ifndef USHER_SERVICE_SESSION_INSTALLER_API_H_
#define USHER_SERVICE_SESSION_INSTALLER_API_H_

// usher.v1.InstallerService: what each call does. Only BeginInstall and
// BeginUninstall block.

#include "absl/status/status.h"
#include "common/cancellation.h"
#include "service/session/authority.h"

namespace google::protobuf {
class Empty;
}  // namespace google::protobuf
namespace usher::v1 {
class BeginInstallRequest;
class BeginUninstallRequest;
class CreateInstallerRequest;
class DeleteInstallerRequest;
class GetInstallerRequest;
class InstallationResult;
class Installer;
class Job;
class UpdateInstallerRequest;
}  // namespace usher::v1

namespace usher::session {

class Core;

absl::Status CreateInstaller(Core& core, const Call& call,
                             const v1::CreateInstallerRequest& request,
                             v1::Installer& response);
absl::Status GetInstaller(Core& core, const Call& call,
                          const v1::GetInstallerRequest& request,
                          v1::Installer& response);
absl::Status UpdateInstaller(Core& core, const Call& call,
                             const v1::UpdateInstallerRequest& request,
                             v1::Installer& response);
absl::Status DeleteInstaller(Core& core, const Call& call,
                             const v1::DeleteInstallerRequest& request,
                             google::protobuf::Empty& response);
absl::Status BeginInstall(Core& core, const Call& call,
                          const v1::BeginInstallRequest& request,
                          v1::Job& response, const CancellationToken& cancel);
absl::Status BeginUninstall(Core& core, const Call& call,
                            const v1::BeginUninstallRequest& request,
                            v1::Job& response, const CancellationToken& cancel);

// The result of a completed installation or uninstallation job.
void FillInstallationResult(const v1::Job& job, v1::InstallationResult& result);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_INSTALLER_API_H_
