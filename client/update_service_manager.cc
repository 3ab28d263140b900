#include "usher/update_service_manager.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/internal/convert.h"
#include "client/internal/pages.h"
#include "client/internal/session_core.h"
#include "common/error.h"

namespace usher {
namespace {

// Verifying a repository and loading its catalog may take long; how long is
// between the service and the repository's server.
constexpr absl::Duration kOnline = absl::InfiniteDuration();

}  // namespace

UpdateServiceManager::UpdateServiceManager(
    std::shared_ptr<internal::SessionCore> core)
    : core_(std::move(core)) {}

absl::StatusOr<Collection<UpdateService>> UpdateServiceManager::Services()
    const {
  USHER_ASSIGN_OR_RETURN(
      const v1::ListUpdateServicesResponse response,
      internal::ReadPages<v1::ListUpdateServicesResponse>(
          *core_,
          [](const internal::Link& link, grpc::ClientContext* context,
             const std::string& page, v1::ListUpdateServicesResponse* out) {
            v1::ListUpdateServicesRequest request;
            request.set_page_token(page);
            return link.services->ListUpdateServices(context, request, out);
          }));
  std::vector<UpdateService> services;
  for (const v1::UpdateService& service : response.services()) {
    services.push_back(internal::ToService(service));
  }
  return Collection<UpdateService>(std::move(services), /*read_only=*/true);
}

absl::StatusOr<UpdateService> UpdateServiceManager::GetService(
    absl::string_view service_id) const {
  USHER_ASSIGN_OR_RETURN(
      const v1::UpdateService service,
      core_->Call<v1::UpdateService>(
          {}, [&](const internal::Link& link, grpc::ClientContext* context,
                  v1::UpdateService* out) {
            v1::GetUpdateServiceRequest request;
            request.set_service_id(std::string(service_id));
            return link.services->GetUpdateService(context, request, out);
          }));
  return internal::ToService(service);
}

absl::StatusOr<UpdateService> UpdateServiceManager::AddService(
    const AddServiceRequest& request) const {
  USHER_ASSIGN_OR_RETURN(
      const v1::UpdateServiceRegistration registration,
      core_->Call<v1::UpdateServiceRegistration>(
          {.repeatable = false, .deadline = kOnline},
          [&](const internal::Link& link, grpc::ClientContext* context,
              v1::UpdateServiceRegistration* out) {
            v1::AddUpdateServiceRequest to;
            to.set_flags(request.flags);
            to.set_service_id(request.service_id);
            to.set_name(request.name);
            to.set_service_url(request.service_url);
            to.set_root_metadata(request.root_metadata);
            return link.services->AddUpdateService(context, to, out);
          }));
  return internal::ToService(registration.service());
}

absl::StatusOr<UpdateService> UpdateServiceManager::AddScanPackageService(
    absl::string_view service_name, absl::string_view scan_file_location,
    absl::string_view root_metadata, int32_t flags) const {
  USHER_ASSIGN_OR_RETURN(
      const v1::UpdateService service,
      core_->Call<v1::UpdateService>(
          {.repeatable = false, .deadline = kOnline},
          [&](const internal::Link& link, grpc::ClientContext* context,
              v1::UpdateService* out) {
            v1::AddScanPackageServiceRequest request;
            request.set_service_name(std::string(service_name));
            request.set_scan_file_location(std::string(scan_file_location));
            request.set_flags(flags);
            request.set_root_metadata(std::string(root_metadata));
            request.set_session(link.session);
            return link.services->AddScanPackageService(context, request, out);
          }));
  return internal::ToService(service);
}

absl::Status UpdateServiceManager::RemoveService(
    absl::string_view service_id) const {
  return core_
      ->Call<google::protobuf::Empty>(
          {.repeatable = false},
          [&](const internal::Link& link, grpc::ClientContext* context,
              google::protobuf::Empty* out) {
            v1::RemoveUpdateServiceRequest request;
            request.set_service_id(std::string(service_id));
            return link.services->RemoveUpdateService(context, request, out);
          })
      .status();
}

absl::StatusOr<RefreshResult> UpdateServiceManager::Refresh(
    absl::string_view service_id) const {
  USHER_ASSIGN_OR_RETURN(
      const v1::RefreshUpdateServiceResponse response,
      core_->Call<v1::RefreshUpdateServiceResponse>(
          {.deadline = kOnline},
          [&](const internal::Link& link, grpc::ClientContext* context,
              v1::RefreshUpdateServiceResponse* out) {
            v1::RefreshUpdateServiceRequest request;
            request.set_service_id(std::string(service_id));
            request.set_session(link.session);
            return link.services->RefreshUpdateService(context, request, out);
          }));
  return RefreshResult{internal::ToService(response.service()),
                       response.changed()};
}

}  // namespace usher
