#ifndef USHER_SERVICE_RPC_SERVICES_H_
#define USHER_SERVICE_RPC_SERVICES_H_

// The gRPC services of usher.v1. Each translates and decides nothing.

#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Service;
}  // namespace grpc

namespace usher::rpc {

struct Environment;

// Each keeps a reference to `environment`.
std::unique_ptr<grpc::Service> MakeSessionService(Environment& environment);
std::unique_ptr<grpc::Service> MakeJobService(Environment& environment);
std::unique_ptr<grpc::Service> MakeSearcherService(Environment& environment);
std::unique_ptr<grpc::Service> MakeDownloaderService(Environment& environment);
std::unique_ptr<grpc::Service> MakeInstallerService(Environment& environment);
std::unique_ptr<grpc::Service> MakeUpdateStateService(Environment& environment);
std::unique_ptr<grpc::Service> MakeHistoryService(Environment& environment);
std::unique_ptr<grpc::Service> MakeUpdateServiceManager(
    Environment& environment);
std::unique_ptr<grpc::Service> MakeSystemService(Environment& environment);

// grpc.health.v1.Health and grpc.reflection.v1alpha.ServerReflection.
std::unique_ptr<grpc::Service> MakeHealthService(Environment& environment);
std::unique_ptr<grpc::Service> MakeReflectionService(Environment& environment);

// Full names of the usher.v1 services.
std::vector<std::string> ServiceNames();

// All of them.
std::vector<std::unique_ptr<grpc::Service>> MakeServices(
    Environment& environment);

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_SERVICES_H_
