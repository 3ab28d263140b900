#include "service/rpc/services.h"

#include <grpcpp/impl/service_type.h>

#include "usher/v1/downloader.grpc.pb.h"
#include "usher/v1/history.grpc.pb.h"
#include "usher/v1/installer.grpc.pb.h"
#include "usher/v1/job.grpc.pb.h"
#include "usher/v1/searcher.grpc.pb.h"
#include "usher/v1/session.grpc.pb.h"
#include "usher/v1/system.grpc.pb.h"
#include "usher/v1/update_service.grpc.pb.h"
#include "usher/v1/update_state.grpc.pb.h"

namespace usher::rpc {

std::vector<std::string> ServiceNames() {
  return {v1::SessionService::service_full_name(),
          v1::JobService::service_full_name(),
          v1::SearcherService::service_full_name(),
          v1::DownloaderService::service_full_name(),
          v1::InstallerService::service_full_name(),
          v1::UpdateStateService::service_full_name(),
          v1::HistoryService::service_full_name(),
          v1::UpdateServiceManager::service_full_name(),
          v1::SystemService::service_full_name()};
}

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
  services.push_back(MakeHealthService(environment));
  services.push_back(MakeReflectionService(environment));
  return services;
}

}  // namespace usher::rpc
