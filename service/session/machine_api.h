#ifndef USHER_SERVICE_SESSION_MACHINE_API_H_
#define USHER_SERVICE_SESSION_MACHINE_API_H_

// What belongs to the machine rather than to a session: usher.v1.
// UpdateStateService, UpdateServiceManager and SystemService. Calls with a
// CancellationToken block.

#include "absl/status/status.h"
#include "common/cancellation.h"
#include "service/session/authority.h"

namespace google::protobuf {
class Empty;
}  // namespace google::protobuf
namespace usher::v1 {
class AcceptEulaRequest;
class AddScanPackageServiceRequest;
class AddUpdateServiceRequest;
class AgentInfo;
class BatchGetUpdatesRequest;
class BatchGetUpdatesResponse;
class GetAgentInfoRequest;
class GetSystemInformationRequest;
class GetTotalHistoryCountRequest;
class GetTotalHistoryCountResponse;
class GetUpdateServiceRequest;
class ListUpdateServicesRequest;
class ListUpdateServicesResponse;
class RefreshUpdateServiceRequest;
class RefreshUpdateServiceResponse;
class RemoveUpdateServiceRequest;
class SetUpdateHiddenRequest;
class SystemInformation;
class Update;
class UpdateService;
class UpdateServiceRegistration;
}  // namespace usher::v1

namespace usher::session {

class Core;

absl::Status BatchGetUpdates(Core& core, const Call& call,
                             const v1::BatchGetUpdatesRequest& request,
                             v1::BatchGetUpdatesResponse& response,
                             const CancellationToken& cancel);
absl::Status SetUpdateHidden(Core& core, const Call& call,
                             const v1::SetUpdateHiddenRequest& request,
                             v1::Update& response,
                             const CancellationToken& cancel);
absl::Status AcceptEula(Core& core, const Call& call,
                        const v1::AcceptEulaRequest& request,
                        v1::Update& response, const CancellationToken& cancel);

absl::Status ListUpdateServices(Core& core, const Call& call,
                                const v1::ListUpdateServicesRequest& request,
                                v1::ListUpdateServicesResponse& response);
absl::Status GetUpdateService(Core& core, const Call& call,
                              const v1::GetUpdateServiceRequest& request,
                              v1::UpdateService& response);
absl::Status AddUpdateService(Core& core, const Call& call,
                              const v1::AddUpdateServiceRequest& request,
                              v1::UpdateServiceRegistration& response,
                              const CancellationToken& cancel);
absl::Status AddScanPackageService(
    Core& core, const Call& call,
    const v1::AddScanPackageServiceRequest& request,
    v1::UpdateService& response, const CancellationToken& cancel);
absl::Status RemoveUpdateService(Core& core, const Call& call,
                                 const v1::RemoveUpdateServiceRequest& request,
                                 google::protobuf::Empty& response,
                                 const CancellationToken& cancel);
absl::Status RefreshUpdateService(
    Core& core, const Call& call,
    const v1::RefreshUpdateServiceRequest& request,
    v1::RefreshUpdateServiceResponse& response,
    const CancellationToken& cancel);

absl::Status GetSystemInformation(
    Core& core, const Call& call,
    const v1::GetSystemInformationRequest& request,
    v1::SystemInformation& response);
absl::Status GetAgentInfo(Core& core, const Call& call,
                          const v1::GetAgentInfoRequest& request,
                          v1::AgentInfo& response);

absl::Status GetTotalHistoryCount(
    Core& core, const Call& call,
    const v1::GetTotalHistoryCountRequest& request,
    v1::GetTotalHistoryCountResponse& response,
    const CancellationToken& cancel);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_MACHINE_API_H_
