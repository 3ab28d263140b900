#include <memory>

#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/machine_api.h"
#include "usher/v1/update_service.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class UpdateServiceManagerImpl
    : public v1::UpdateServiceManager::CallbackService {
 public:
  explicit UpdateServiceManagerImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* ListUpdateServices(
      grpc::CallbackServerContext* context,
      const v1::ListUpdateServicesRequest* request,
      v1::ListUpdateServicesResponse* response) override {
    return Inline(environment_, context,
                  "UpdateServiceManager.ListUpdateServices", Kind::kRead,
                  &session::ListUpdateServices, request, response);
  }

  grpc::ServerUnaryReactor* GetUpdateService(
      grpc::CallbackServerContext* context,
      const v1::GetUpdateServiceRequest* request,
      v1::UpdateService* response) override {
    return Inline(environment_, context,
                  "UpdateServiceManager.GetUpdateService", Kind::kRead,
                  &session::GetUpdateService, request, response);
  }

  // These wait for servers or for one another, so they have a pool of their
  // own and do not keep searches waiting.
  grpc::ServerUnaryReactor* AddUpdateService(
      grpc::CallbackServerContext* context,
      const v1::AddUpdateServiceRequest* request,
      v1::UpdateServiceRegistration* response) override {
    return OnPool(environment_, context,
                  "UpdateServiceManager.AddUpdateService", Kind::kChange,
                  environment_.core.administration(),
                  &session::AddUpdateService, request, response);
  }

  grpc::ServerUnaryReactor* AddScanPackageService(
      grpc::CallbackServerContext* context,
      const v1::AddScanPackageServiceRequest* request,
      v1::UpdateService* response) override {
    return OnPool(environment_, context,
                  "UpdateServiceManager.AddScanPackageService", Kind::kChange,
                  environment_.core.administration(),
                  &session::AddScanPackageService, request, response);
  }

  grpc::ServerUnaryReactor* RemoveUpdateService(
      grpc::CallbackServerContext* context,
      const v1::RemoveUpdateServiceRequest* request,
      google::protobuf::Empty* response) override {
    return OnPool(environment_, context,
                  "UpdateServiceManager.RemoveUpdateService", Kind::kChange,
                  environment_.core.administration(),
                  &session::RemoveUpdateService, request, response);
  }

  grpc::ServerUnaryReactor* RefreshUpdateService(
      grpc::CallbackServerContext* context,
      const v1::RefreshUpdateServiceRequest* request,
      v1::RefreshUpdateServiceResponse* response) override {
    return OnPool(environment_, context,
                  "UpdateServiceManager.RefreshUpdateService", Kind::kChange,
                  environment_.core.administration(),
                  &session::RefreshUpdateService, request, response);
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeUpdateServiceManager(
    Environment& environment) {
  return std::make_unique<UpdateServiceManagerImpl>(environment);
}

}  // namespace usher::rpc
