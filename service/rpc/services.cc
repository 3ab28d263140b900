#include "service/rpc/services.h"

#include <grpcpp/impl/service_type.h>

namespace usher::rpc {

std::vector<std::unique_ptr<grpc::Service>> MakeServices(
    Environment& environment) {
  std::vector<std::unique_ptr<grpc::Service>> services;
  services.push_back(MakeSessionService(environment));
  services.push_back(MakeJobService(environment));
  services.push_back(MakeSearcherService(environment));
  services.push_back(MakeDownloaderService(environment));
  services.push_back(MakeInstallerService(environment));
  services.push_back(MakeUpdateStateService(environment));
  services.push_back(MakeHistoryService(environment));
  services.push_back(MakeUpdateServiceManager(environment));
  services.push_back(MakeSystemService(environment));
  return services;
}

}  // namespace usher::rpc
