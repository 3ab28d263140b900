#include <google/protobuf/util/field_mask_util.h>

#include <memory>
#include <string>

#include "tests/unit/client/fake_state.h"
#include "usher/v1/installer.grpc.pb.h"
#include "usher/v1/types.pb.h"

namespace usher::testing {
namespace {

using google::protobuf::Empty;
using google::protobuf::util::FieldMaskUtil;
using grpc::ServerContext;
using grpc::Status;

class Installers final : public v1::InstallerService::Service {
 public:
  explicit Installers(FakeService::State& state) : state_(state) {}

  Status CreateInstaller(ServerContext*,
                         const v1::CreateInstallerRequest* request,
                         v1::Installer* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (state_.session.read_only()) return AccessDenied();
    *response = request->installer();
    response->set_name(state_.Name("installers"));
    state_.installer = *response;
    return Status::OK;
  }

  Status GetInstaller(ServerContext*, const v1::GetInstallerRequest* request,
                      v1::Installer* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (request->name() != state_.installer.name()) {
      return NotFound(request->name());
    }
    *response = state_.installer;
    for (const auto& [name, job] : state_.jobs) {
      if (job.state() == v1::JOB_STATE_RUNNING) response->set_is_busy(true);
      // As if each uninstallation left something for the next start.
      if (job.kind() == v1::JOB_KIND_UNINSTALLATION) {
        response->set_reboot_required_before_installation(true);
      }
    }
    return Status::OK;
  }

  Status UpdateInstaller(ServerContext*,
                         const v1::UpdateInstallerRequest* request,
                         v1::Installer* response) override {
    absl::MutexLock lock(&state_.mutex);
    if (request->installer().name() != state_.installer.name()) {
      return NotFound(request->installer().name());
    }
    FieldMaskUtil::MergeMessageTo(request->installer(), request->update_mask(),
                                  FieldMaskUtil::MergeOptions(),
                                  &state_.installer);
    *response = state_.installer;
    return Status::OK;
  }

  Status DeleteInstaller(ServerContext*, const v1::DeleteInstallerRequest*,
                         Empty*) override {
    return Status::OK;
  }

  Status BeginInstall(ServerContext*, const v1::BeginInstallRequest* request,
                      v1::Job* response) override {
    return Begin(request->installer(), v1::JOB_KIND_INSTALLATION, response);
  }

  Status BeginUninstall(ServerContext*,
                        const v1::BeginUninstallRequest* request,
                        v1::Job* response) override {
    return Begin(request->installer(), v1::JOB_KIND_UNINSTALLATION, response);
  }

  Status EndInstall(ServerContext*, const v1::EndInstallRequest* request,
                    v1::InstallationResult* response) override {
    return End(request->job(), v1::JOB_KIND_INSTALLATION, response);
  }

  Status EndUninstall(ServerContext*, const v1::EndUninstallRequest* request,
                      v1::InstallationResult* response) override {
    return End(request->job(), v1::JOB_KIND_UNINSTALLATION, response);
  }

 private:
  Status Begin(const std::string& installer, v1::JobKind kind,
               v1::Job* response) {
    absl::MutexLock lock(&state_.mutex);
    if (installer != state_.installer.name()) return NotFound(installer);
    *response = state_.Begin(kind, state_.installer.updates());
    return Status::OK;
  }

  Status End(const std::string& name, v1::JobKind kind,
             v1::InstallationResult* response) {
    absl::MutexLock lock(&state_.mutex);
    const auto it = state_.jobs.find(name);
    if (it == state_.jobs.end() || it->second.kind() != kind) {
      return NotFound(name);
    }
    if (Status ended = state_.End(name); !ended.ok()) return ended;
    response->set_result_code(it->second.result_code());
    *response->mutable_update_results() = it->second.update_results();
    response->set_reboot_required(kind == v1::JOB_KIND_UNINSTALLATION);
    return Status::OK;
  }

  FakeService::State& state_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeInstallers(FakeService::State& state) {
  return std::make_unique<Installers>(state);
}

}  // namespace usher::testing
