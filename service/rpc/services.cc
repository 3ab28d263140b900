#include "service/rpc/services.h"

#include <grpcpp/impl/service_type.h>

namespace usher::rpc {

std::vector<std::unique_ptr<grpc::Service>> MakeServices(
    Environment& environment) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(MakeSessionService(environment));
  return services;
}

}  // namespace usher::rpc
