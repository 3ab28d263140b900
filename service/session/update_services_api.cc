#include <google/protobuf/empty.pb.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/error.h"
#include "common/uuid.h"
#include "service/session/core.h"
#include "service/session/lookup.h"
#include "service/session/machine_api.h"
#include "service/session/names.h"
#include "service/session/page.h"
#include "service/session/proto_time.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {

absl::Status ListUpdateServices(Core& core, const Call& /*call*/,
                                const v1::ListUpdateServicesRequest& request,
                                v1::ListUpdateServicesResponse& response) {
  std::vector<v1::UpdateService> services = core.services().List();
  return FillPage<v1::UpdateService>(
      request.page_size(), request.page_token(), services.size(),
      [&services](size_t i) {
        return PageEntry{absl::ToUnixMicros(ToTime(services[i].issue_date())),
                         services[i].service_id()};
      },
      [&services](size_t i, v1::UpdateService& service) {
        service = services[i];
      },
      *response.mutable_services(), *response.mutable_next_page_token());
}

absl::Status GetUpdateService(Core& core, const Call& /*call*/,
                              const v1::GetUpdateServiceRequest& request,
                              v1::UpdateService& response) {
  USHER_ASSIGN_OR_RETURN(const std::string id,
                         CanonicalUuid(request.service_id()));
  USHER_ASSIGN_OR_RETURN(response, core.services().Get(id));
  return absl::OkStatus();
}

absl::Status AddUpdateService(Core& core, const Call& call,
                              const v1::AddUpdateServiceRequest& request,
                              v1::UpdateServiceRegistration& response,
                              const CancellationToken& cancel) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kManageServices, core.policy()));
  NewService service;
  service.flags = request.flags();
  service.service_id = request.service_id();
  service.name = request.name();
  service.url = request.service_url();
  service.root = request.root_metadata();
  USHER_ASSIGN_OR_RETURN(
      response, core.services().Add(service, {{}, call.request_id}, cancel));
  return absl::OkStatus();
}

absl::Status AddScanPackageService(
    Core& core, const Call& call,
    const v1::AddScanPackageServiceRequest& request,
    v1::UpdateService& response, const CancellationToken& cancel) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kManageServices, core.policy()));
  NewScanPackage package;
  package.name = request.service_name();
  package.location = request.scan_file_location();
  package.flags = request.flags();
  package.root = request.root_metadata();
  package.request_id = call.request_id;
  std::shared_ptr<Session> session;
  if (!request.session().empty()) {
    USHER_ASSIGN_OR_RETURN(session, FindSession(core, call, request.session()));
    package.session_id = session->key().id;
  }
  USHER_ASSIGN_OR_RETURN(response,
                         core.services().AddScanPackage(package, cancel));
  // A session that ended meanwhile was told to nobody who could have known.
  if (response.is_volatile() && session != nullptr && session->closed()) {
    core.services().DropVolatile(session->key().id);
    return UnknownName(request.session());
  }
  return absl::OkStatus();
}

absl::Status RemoveUpdateService(Core& core, const Call& call,
                                 const v1::RemoveUpdateServiceRequest& request,
                                 google::protobuf::Empty& /*response*/,
                                 const CancellationToken& /*cancel*/) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kManageServices, core.policy()));
  USHER_ASSIGN_OR_RETURN(const std::string id,
                         CanonicalUuid(request.service_id()));
  return core.services().Remove(id);
}

absl::Status RefreshUpdateService(
    Core& core, const Call& call,
    const v1::RefreshUpdateServiceRequest& request,
    v1::RefreshUpdateServiceResponse& response,
    const CancellationToken& cancel) {
  USHER_RETURN_IF_ERROR(
      Authorize(call.caller, Right::kManageServices, core.policy()));
  USHER_ASSIGN_OR_RETURN(const std::string id,
                         CanonicalUuid(request.service_id()));
  Errand errand;
  errand.request_id = call.request_id;
  if (!request.session().empty()) {
    USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Session> session,
                           FindSession(core, call, request.session()));
    errand.proxy = session->Proxy();
  }
  USHER_ASSIGN_OR_RETURN(const bool changed,
                         core.services().Refresh(id, errand, cancel));
  response.set_changed(changed);
  USHER_ASSIGN_OR_RETURN(*response.mutable_service(), core.services().Get(id));
  return absl::OkStatus();
}

}  // namespace usher::session
