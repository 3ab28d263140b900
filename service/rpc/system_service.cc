#include <memory>

#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/machine_api.h"
#include "usher/v1/system.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class SystemServiceImpl : public v1::SystemService::CallbackService {
 public:
  explicit SystemServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* GetSystemInformation(
      grpc::CallbackServerContext* context,
      const v1::GetSystemInformationRequest* request,
      v1::SystemInformation* response) override {
    return Inline(environment_, context, "SystemService.GetSystemInformation",
                  Kind::kRead, &session::GetSystemInformation, request,
                  response);
  }

  grpc::ServerUnaryReactor* GetAgentInfo(grpc::CallbackServerContext* context,
                                         const v1::GetAgentInfoRequest* request,
                                         v1::AgentInfo* response) override {
    return Inline(environment_, context, "SystemService.GetAgentInfo",
                  Kind::kRead, &session::GetAgentInfo, request, response);
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSystemService(Environment& environment) {
  return std::make_unique<SystemServiceImpl>(environment);
}

}  // namespace usher::rpc
