#include "client/internal/convert.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace usher::internal {
namespace {

// One result for each of a job's updates, in their order. Indices outside are
// dropped; a missing result reads as not started.
Collection<UpdateResult> ToResults(
    const google::protobuf::RepeatedPtrField<v1::UpdateResult>& results) {
  int count = results.size();
  for (const v1::UpdateResult& result : results) {
    // No job is as large as to need more; a wild index must not cost memory.
    if (result.update_index() < 1'000'000) {
      count = std::max(count, result.update_index() + 1);
    }
  }
  std::vector<UpdateResult> all(static_cast<size_t>(count));
  for (const v1::UpdateResult& result : results) {
    if (result.update_index() < 0 || result.update_index() >= count) continue;
    UpdateResult& to = all[static_cast<size_t>(result.update_index())];
    to.result_code = static_cast<OperationResultCode>(result.result_code());
    to.hresult = result.hresult();
    to.reboot_required = result.reboot_required();
    to.message = result.message();
    to.unmapped_result_code = result.unmapped_result_code();
  }
  return Collection<UpdateResult>(std::move(all), /*read_only=*/true);
}

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

std::optional<absl::Time> OptionalTime(
    bool has, const google::protobuf::Timestamp& time) {
  return has ? std::optional(ToTime(time)) : std::nullopt;
}

std::vector<std::string> ToVector(
    const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

UpdateIdentity ToIdentity(const v1::UpdateKey& key) {
  return {key.service_id(), key.update_id(), key.revision_number()};
}

v1::UpdateKey ToKey(const UpdateIdentity& identity) {
  v1::UpdateKey key;
  key.set_service_id(identity.service_id);
  key.set_update_id(identity.update_id);
  key.set_revision_number(identity.revision_number);
  return key;
}

ImageInformation ToImage(const v1::ImageInformation& image) {
  return {image.alt_text(), image.height(), image.width(), image.source()};
}

InstallationBehavior ToBehavior(const v1::InstallationBehavior& behavior) {
  return {behavior.can_request_user_input(),
          static_cast<InstallationImpact>(behavior.impact()),
          static_cast<InstallationRebootBehavior>(behavior.reboot_behavior()),
          behavior.requires_network_connectivity()};
}

UpdateDownloadContent ToContent(const v1::UpdateDownloadContent& content) {
  return {content.download_url(), content.is_delta_compressed_content(),
          content.size(), content.sha256()};
}

DriverEntry ToDriver(const v1::DriverEntry& entry) {
  return {entry.driver_class(),
          entry.driver_hardware_id(),
          entry.driver_manufacturer(),
          entry.driver_model(),
          entry.driver_provider(),
          OptionalTime(entry.has_driver_ver_date(), entry.driver_ver_date()),
          entry.device_problem_number(),
          entry.device_status()};
}

UpdateException ToException(const v1::UpdateException& exception) {
  return {exception.message(), exception.hresult(),
          static_cast<UpdateExceptionContext>(exception.context())};
}

DownloadProgress ToProgress(const v1::DownloadProgress& progress) {
  return {progress.current_update_index(),
          static_cast<DownloadPhase>(progress.current_update_download_phase()),
          progress.current_update_bytes_downloaded(),
          progress.current_update_bytes_to_download(),
          progress.current_update_percent_complete(),
          progress.total_bytes_downloaded(),
          progress.total_bytes_to_download(),
          progress.percent_complete()};
}

InstallationProgress ToProgress(const v1::InstallationProgress& progress) {
  return {progress.current_update_index(),
          progress.current_update_percent_complete(),
          progress.percent_complete()};
}

JobInfo ToJobInfo(const v1::Job& job) {
  JobInfo info;
  info.name = job.name();
  info.parent = job.parent();
  info.kind = static_cast<JobKind>(job.kind());
  info.state = static_cast<JobState>(job.state());
  info.abort_requested = job.abort_requested();
  info.ended = job.ended();
  info.client_application_id = job.client_application_id();
  info.create_time = ToTime(job.create_time());
  info.complete_time =
      OptionalTime(job.has_complete_time(), job.complete_time());
  info.request_id = job.request_id();
  for (const v1::UpdateKey& key : job.updates()) {
    info.updates.push_back(ToIdentity(key));
  }
  info.result_code = static_cast<OperationResultCode>(job.result_code());
  info.hresult = job.hresult();
  info.message = job.message();
  if (job.has_download_progress()) {
    info.download_progress = ToProgress(job.download_progress());
  }
  if (job.has_installation_progress()) {
    info.installation_progress = ToProgress(job.installation_progress());
  }
  return info;
}

DownloadResult ToResult(const v1::DownloadResult& result) {
  return {result.hresult(),
          static_cast<OperationResultCode>(result.result_code()),
          ToResults(result.update_results())};
}

InstallationResult ToResult(const v1::InstallationResult& result) {
  return {result.hresult(), result.reboot_required(),
          static_cast<OperationResultCode>(result.result_code()),
          ToResults(result.update_results())};
}

UpdateHistoryEntry ToHistoryEntry(const v1::UpdateHistoryEntry& entry) {
  UpdateHistoryEntry to;
  to.operation = static_cast<UpdateOperation>(entry.operation());
  to.result_code = static_cast<OperationResultCode>(entry.result_code());
  to.hresult = entry.hresult();
  to.date = ToTime(entry.date());
  to.update_identity = ToIdentity(entry.update_identity());
  to.title = entry.title();
  to.description = entry.description();
  to.unmapped_result_code = entry.unmapped_result_code();
  to.client_application_id = entry.client_application_id();
  to.server_selection = static_cast<ServerSelection>(entry.server_selection());
  to.service_id = entry.service_id();
  to.uninstallation_steps = ToVector(entry.uninstallation_steps());
  to.uninstallation_notes = entry.uninstallation_notes();
  to.support_url = entry.support_url();
  for (const v1::Category& category : entry.categories()) {
    to.categories.push_back(
        {category.category_id(), category.name(), category.type()});
  }
  to.message = entry.message();
  to.version = entry.version();
  return to;
}

UpdateService ToService(const v1::UpdateService& service) {
  UpdateService to;
  to.service_id = service.service_id();
  to.name = service.name();
  to.service_url = service.service_url();
  to.root_version = service.root_version();
  to.root_sha256 = service.root_sha256();
  to.expiration_date =
      OptionalTime(service.has_expiration_date(), service.expiration_date());
  to.issue_date = OptionalTime(service.has_issue_date(), service.issue_date());
  to.is_managed = service.is_managed();
  to.is_registered_with_au = service.is_registered_with_au();
  to.is_default_au_service = service.is_default_au_service();
  to.offers_windows_updates = service.offers_windows_updates();
  to.redirect_urls = ToVector(service.redirect_urls());
  to.is_scan_package_service = service.is_scan_package_service();
  to.can_register_with_au = service.can_register_with_au();
  to.setup_prefix = service.setup_prefix();
  to.last_refresh_time = OptionalTime(service.has_last_refresh_time(),
                                      service.last_refresh_time());
  to.update_count = service.update_count();
  to.last_refresh_error = service.last_refresh_error();
  to.is_volatile = service.is_volatile();
  return to;
}

SessionInfo ToSessionInfo(const v1::Session& session) {
  return {session.name(),
          session.client_application_id(),
          session.read_only(),
          session.user_locale(),
          ToTime(session.create_time()),
          OptionalTime(session.has_expire_time(), session.expire_time()),
          session.owner(),
          session.watcher_count(),
          session.job_count()};
}

SystemInformation ToSystemInformation(const v1::SystemInformation& info) {
  return {info.oem_hardware_support_link(),
          info.reboot_required(),
          info.is_busy(),
          info.caller(),
          info.caller_is_administrator(),
          info.session_count(),
          info.running_job_count(),
          ToTime(info.service_start_time()),
          info.cache_bytes()};
}

AgentInfo ToAgentInfo(const v1::AgentInfo& info) {
  return {info.api_major_version(), info.api_minor_version(),
          info.product_version_string()};
}

WebProxy ToProxy(const v1::WebProxy& proxy) {
  return {proxy.address(),
          ToVector(proxy.bypass_list()),
          proxy.bypass_proxy_on_local(),
          proxy.user_name(),
          /*password=*/"",
          proxy.auto_detect()};
}

v1::WebProxy FromProxy(const WebProxy& proxy) {
  v1::WebProxy to;
  to.set_address(proxy.address);
  for (const std::string& host : proxy.bypass_list) to.add_bypass_list(host);
  to.set_bypass_proxy_on_local(proxy.bypass_proxy_on_local);
  to.set_user_name(proxy.user_name);
  to.set_password(proxy.password);
  to.set_auto_detect(proxy.auto_detect);
  return to;
}

v1::DownloadResult DownloadResultOf(const v1::Job& job) {
  v1::DownloadResult result;
  result.set_hresult(job.hresult());
  result.set_result_code(job.result_code());
  *result.mutable_update_results() = job.update_results();
  return result;
}

v1::InstallationResult InstallationResultOf(const v1::Job& job) {
  v1::InstallationResult result;
  result.set_hresult(job.hresult());
  result.set_result_code(job.result_code());
  *result.mutable_update_results() = job.update_results();
  for (const v1::UpdateResult& one : job.update_results()) {
    result.set_reboot_required(result.reboot_required() ||
                               one.reboot_required());
  }
  return result;
}

}  // namespace usher::internal
