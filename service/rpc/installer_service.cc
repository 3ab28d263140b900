#include <memory>
#include <string>

#include "common/error.h"
#include "service/rpc/job_wait.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/installer_api.h"
#include "service/session/job.h"
#include "service/session/job_api.h"
#include "usher/v1/installer.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class InstallerServiceImpl : public v1::InstallerService::CallbackService {
 public:
  explicit InstallerServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* CreateInstaller(
      grpc::CallbackServerContext* context,
      const v1::CreateInstallerRequest* request,
      v1::Installer* response) override {
    return Inline(environment_, context, "InstallerService.CreateInstaller",
                  Kind::kChange, &session::CreateInstaller, request, response);
  }

  grpc::ServerUnaryReactor* GetInstaller(grpc::CallbackServerContext* context,
                                         const v1::GetInstallerRequest* request,
                                         v1::Installer* response) override {
    return Inline(environment_, context, "InstallerService.GetInstaller",
                  Kind::kRead, &session::GetInstaller, request, response);
  }

  grpc::ServerUnaryReactor* UpdateInstaller(
      grpc::CallbackServerContext* context,
      const v1::UpdateInstallerRequest* request,
      v1::Installer* response) override {
    return Inline(environment_, context, "InstallerService.UpdateInstaller",
                  Kind::kChange, &session::UpdateInstaller, request, response);
  }

  grpc::ServerUnaryReactor* DeleteInstaller(
      grpc::CallbackServerContext* context,
      const v1::DeleteInstallerRequest* request,
      google::protobuf::Empty* response) override {
    return Inline(environment_, context, "InstallerService.DeleteInstaller",
                  Kind::kChange, &session::DeleteInstaller, request, response);
  }

  grpc::ServerUnaryReactor* BeginInstall(grpc::CallbackServerContext* context,
                                         const v1::BeginInstallRequest* request,
                                         v1::Job* response) override {
    return OnPool(environment_, context, "InstallerService.BeginInstall",
                  Kind::kChange, environment_.core.work(),
                  &session::BeginInstall, request, response);
  }

  grpc::ServerUnaryReactor* BeginUninstall(
      grpc::CallbackServerContext* context,
      const v1::BeginUninstallRequest* request, v1::Job* response) override {
    return OnPool(environment_, context, "InstallerService.BeginUninstall",
                  Kind::kChange, environment_.core.work(),
                  &session::BeginUninstall, request, response);
  }

  grpc::ServerUnaryReactor* EndInstall(
      grpc::CallbackServerContext* context,
      const v1::EndInstallRequest* request,
      v1::InstallationResult* response) override {
    return End(context, "InstallerService.EndInstall", request->job(),
               v1::JOB_KIND_INSTALLATION, response);
  }

  grpc::ServerUnaryReactor* EndUninstall(
      grpc::CallbackServerContext* context,
      const v1::EndUninstallRequest* request,
      v1::InstallationResult* response) override {
    return End(context, "InstallerService.EndUninstall", request->job(),
               v1::JOB_KIND_UNINSTALLATION, response);
  }

 private:
  grpc::ServerUnaryReactor* End(grpc::CallbackServerContext* context,
                                const char* method, const std::string& job_name,
                                v1::JobKind kind,
                                v1::InstallationResult* response) {
    const CallRecord record(*context, environment_, method, Kind::kChange);
    return WaitForJob(
        record, record.IfAdmitted([&] {
          return session::ClaimJob(environment_.core, record.call(), job_name,
                                   kind);
        }),
        [response](const session::FoundJob& found) -> absl::Status {
          v1::Job job;
          USHER_RETURN_IF_ERROR(session::FinishClaim(*found.job, job));
          session::FillInstallationResult(job, *response);
          return absl::OkStatus();
        },
        [](const session::FoundJob& found) { found.job->AbandonEnd(); });
  }

  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeInstallerService(Environment& environment) {
  return std::make_unique<InstallerServiceImpl>(environment);
}

}  // namespace usher::rpc
