#include <memory>

#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/machine_api.h"
#include "usher/v1/update_state.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class UpdateStateServiceImpl : public v1::UpdateStateService::CallbackService {
 public:
  explicit UpdateStateServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* BatchGetUpdates(
      grpc::CallbackServerContext* context,
      const v1::BatchGetUpdatesRequest* request,
      v1::BatchGetUpdatesResponse* response) override {
    return OnPool(environment_, context, "UpdateStateService.BatchGetUpdates",
                  Kind::kRead, environment_.core.work(),
                  &session::BatchGetUpdates, request, response);
  }

  grpc::ServerUnaryReactor* SetUpdateHidden(
      grpc::CallbackServerContext* context,
      const v1::SetUpdateHiddenRequest* request,
      v1::Update* response) override {
    return OnPool(environment_, context, "UpdateStateService.SetUpdateHidden",
                  Kind::kChange, environment_.core.work(),
                  &session::SetUpdateHidden, request, response);
  }

  grpc::ServerUnaryReactor* AcceptEula(grpc::CallbackServerContext* context,
                                       const v1::AcceptEulaRequest* request,
                                       v1::Update* response) override {
    return OnPool(environment_, context, "UpdateStateService.AcceptEula",
                  Kind::kChange, environment_.core.work(), &session::AcceptEula,
                  request, response);
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeUpdateStateService(
    Environment& environment) {
  return std::make_unique<UpdateStateServiceImpl>(environment);
}

}  // namespace usher::rpc
