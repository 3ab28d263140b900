#include "service/session/installer_api.h"

#include <google/protobuf/empty.pb.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "common/error.h"
#include "common/uuid.h"
#include "service/install/install_engine.h"
#include "service/session/begin_job.h"
#include "service/session/core.h"
#include "service/session/field_mask.h"
#include "service/session/install_job.h"
#include "service/session/lookup.h"
#include "service/session/names.h"
#include "service/session/plans.h"
#include "service/session/text.h"
#include "service/session/update_keys.h"
#include "usher/v1/installer.pb.h"

namespace usher::session {
namespace {

constexpr absl::string_view kWritable[] = {"client_application_id",
                                           "is_forced",
                                           "allow_source_prompts",
                                           "force_quiet",
                                           "attempt_close_apps_if_necessary",
                                           "updates"};

absl::Status CheckInstaller(const Core& core, const v1::Installer& installer) {
  USHER_RETURN_IF_ERROR(CheckText(installer.client_application_id(),
                                  kMaxApplicationIdBytes,
                                  "installer.client_application_id"));
  return CheckUpdateKeys(installer.updates(), core.limits().updates_per_job,
                         "installer.updates");
}

void FillInstaller(Core& core, const google::protobuf::Message& object,
                   v1::Installer& response) {
  response = static_cast<const v1::Installer&>(object);
  response.set_is_busy(core.installs().IsBusy());
  response.set_reboot_required_before_installation(
      core.installs().RebootRequiredBeforeInstallation());
}

absl::Status Begin(Core& core, const Call& call, const std::string& name,
                   v1::JobKind kind, v1::Job& response) {
  USHER_RETURN_IF_ERROR(Authorize(call.caller, Right::kInstall, core.policy()));
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, name, kInstallers));
  const auto& installer = static_cast<const v1::Installer&>(*found.object);
  if (installer.updates().empty()) {  // UAMG-179
    return Error(hr::kWuENoUpdate, "the installer has no updates", name);
  }
  const std::string id = RandomResourceId();
  v1::Job initial;
  FillNewJob(core, call, *found.session, kind, id, installer.name(),
             installer.client_application_id(), initial);
  *initial.mutable_updates() = installer.updates();
  auto job = std::make_shared<InstallJob>(
      core, initial, found.session->key().id, id,
      PlanInstall(installer, initial, id, *found.session));
  USHER_RETURN_IF_ERROR(AdmitJob(core, call, found.session, job, &installer));
  if (absl::Status status = job->Begin(); !status.ok()) {
    job->Refuse(status);
    DiscardJob(core, *found.session, *job);
    return status;
  }
  job->Read(response);
  return absl::OkStatus();
}

}  // namespace

absl::Status CreateInstaller(Core& core, const Call& call,
                             const v1::CreateInstallerRequest& request,
                             v1::Installer& response) {
  USHER_RETURN_IF_ERROR(Authorize(call.caller, Right::kInstall, core.policy()));
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                         FindSession(core, call, request.parent()));
  if (session->key().read_only) {
    return Error(hr::kEAccessdenied,
                 "a session that was opened read-only makes no installers",
                 request.parent());
  }
  auto installer = std::make_shared<v1::Installer>();
  installer->set_client_application_id(session->key().client_application_id);
  USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(), EmptyMask::kNothing,
                                  kWritable, request.installer(), *installer));
  USHER_RETURN_IF_ERROR(CheckInstaller(core, *installer));
  const std::string id = RandomResourceId();
  installer->set_name(ChildName(session->key().id, kInstallers, id));
  FillInstaller(core, *installer, response);
  return session->AddObject(kInstallers, id, std::move(installer));
}

absl::Status GetInstaller(Core& core, const Call& call,
                          const v1::GetInstallerRequest& request,
                          v1::Installer& response) {
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, request.name(), kInstallers));
  FillInstaller(core, *found.object, response);
  return absl::OkStatus();
}

absl::Status UpdateInstaller(Core& core, const Call& call,
                             const v1::UpdateInstallerRequest& request,
                             v1::Installer& response) {
  USHER_RETURN_IF_ERROR(Authorize(call.caller, Right::kInstall, core.policy()));
  USHER_ASSIGN_OR_RETURN(
      const FoundObject found,
      FindObject(core, call, request.installer().name(), kInstallers));
  USHER_ASSIGN_OR_RETURN(
      const Session::Object changed,
      found.session->ChangeObject(
          kInstallers, found.id,
          [&](google::protobuf::Message& message) -> absl::Status {
            USHER_RETURN_IF_ERROR(ApplyMask(request.update_mask(),
                                            EmptyMask::kRefused, kWritable,
                                            request.installer(), message));
            return CheckInstaller(core,
                                  static_cast<const v1::Installer&>(message));
          }));
  FillInstaller(core, *changed, response);
  return absl::OkStatus();
}

absl::Status DeleteInstaller(Core& core, const Call& call,
                             const v1::DeleteInstallerRequest& request,
                             google::protobuf::Empty& /*response*/) {
  USHER_RETURN_IF_ERROR(Authorize(call.caller, Right::kInstall, core.policy()));
  USHER_ASSIGN_OR_RETURN(const FoundObject found,
                         FindObject(core, call, request.name(), kInstallers));
  found.session->RemoveObject(kInstallers, found.id);
  return absl::OkStatus();
}

absl::Status BeginInstall(Core& core, const Call& call,
                          const v1::BeginInstallRequest& request,
                          v1::Job& response,
                          const CancellationToken& /*cancel*/) {
  return Begin(core, call, request.installer(), v1::JOB_KIND_INSTALLATION,
               response);
}

absl::Status BeginUninstall(Core& core, const Call& call,
                            const v1::BeginUninstallRequest& request,
                            v1::Job& response,
                            const CancellationToken& /*cancel*/) {
  return Begin(core, call, request.installer(), v1::JOB_KIND_UNINSTALLATION,
               response);
}

void FillInstallationResult(const v1::Job& job,
                            v1::InstallationResult& result) {
  result.set_hresult(job.hresult());
  result.set_result_code(job.result_code());
  *result.mutable_update_results() = job.update_results();
  result.set_reboot_required(std::any_of(
      job.update_results().begin(), job.update_results().end(),
      [](const v1::UpdateResult& r) { return r.reboot_required(); }));
}

}  // namespace usher::session
