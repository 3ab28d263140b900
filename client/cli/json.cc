#include "client/cli/json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/text.h"
#include "common/hresult.h"

namespace usher::cli {
namespace {

using nlohmann::json;

json TimeJson(const std::optional<absl::Time>& time) {
  return time.has_value() ? json(FormatUtc(*time)) : json(nullptr);
}

json TextsJson(const StringCollection& texts) {
  json array = json::array();
  for (const std::string& text : texts) array.push_back(text);
  return array;
}

json HResultMembers(HResult hresult) {
  const HResultInfo* info = FindHResult(hresult);
  return {{"hresult", FormatHResult(hresult)},
          {"symbol", info == nullptr ? "" : std::string(info->symbol)}};
}

json BehaviorJson(const std::optional<InstallationBehavior>& behavior) {
  if (!behavior.has_value()) return nullptr;
  return {{"can_request_user_input", behavior->can_request_user_input},
          {"impact", static_cast<int>(behavior->impact)},
          {"reboot_behavior", static_cast<int>(behavior->reboot_behavior)},
          {"requires_network_connectivity",
           behavior->requires_network_connectivity}};
}

}  // namespace

std::string Dump(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace);
}

Report MakeReport(ExitCode exit_code, const json& members) {
  return {exit_code, Dump(members)};
}

json IdentityJson(const UpdateIdentity& identity) {
  return {{"service_id", identity.service_id},
          {"update_id", identity.update_id},
          {"revision", identity.revision_number}};
}

json UpdateJson(const Update& update) {
  const UpdateState state = update.LastKnownState();
  json value = IdentityJson(update.Identity());
  value.update({{"name", update.Name()},
                {"version", update.Version()},
                {"title", update.Title()},
                {"type", ToString(update.Type())},
                {"size", update.MaxDownloadSize()},
                {"is_installed", state.is_installed},
                {"is_present", state.is_present},
                {"is_downloaded", state.is_downloaded},
                {"is_hidden", state.is_hidden},
                {"eula_accepted", state.eula_accepted},
                {"reboot_required", state.reboot_required}});
  return value;
}

json FullUpdateJson(const Update& update) {
  json value = UpdateJson(update);
  json categories = json::array();
  for (const Category& category : update.Categories()) {
    categories.push_back({{"category_id", category.CategoryID()},
                          {"name", category.Name()},
                          {"type", category.Type()}});
  }
  json contents = json::array();
  for (const UpdateDownloadContent& content : update.DownloadContents()) {
    contents.push_back({{"url", content.download_url},
                        {"size", content.size},
                        {"sha256", content.sha256},
                        {"delta", content.is_delta_compressed_content}});
  }
  json bundled = json::array();
  for (const UpdateIdentity& one : update.BundledUpdateIdentities()) {
    bundled.push_back(IdentityJson(one));
  }
  value.update(
      {{"description", update.Description()},
       {"is_mandatory", update.IsMandatory()},
       {"is_beta", update.IsBeta()},
       {"is_uninstallable", update.IsUninstallable()},
       {"browse_only", update.BrowseOnly()},
       {"per_user", update.PerUser()},
       {"auto_select_on_web_sites", update.AutoSelectOnWebSites()},
       {"can_require_source", update.CanRequireSource()},
       {"deployment_action", static_cast<int>(update.DeploymentAction())},
       {"download_priority", static_cast<int>(update.DownloadPriority())},
       {"auto_selection", static_cast<int>(update.AutoSelection())},
       {"auto_download", static_cast<int>(update.AutoDownload())},
       {"deadline", TimeJson(update.Deadline())},
       {"last_deployment_change_time",
        TimeJson(update.LastDeploymentChangeTime())},
       {"min_download_size", update.MinDownloadSize()},
       {"max_download_size", update.MaxDownloadSize()},
       {"handler_id", update.HandlerID()},
       {"eula_text", update.EulaText()},
       {"release_notes", update.ReleaseNotes()},
       {"msrc_severity", update.MsrcSeverity()},
       {"support_url", update.SupportUrl()},
       {"more_info_urls", TextsJson(update.MoreInfoUrls())},
       {"languages", TextsJson(update.Languages())},
       {"kb_article_ids", TextsJson(update.KBArticleIDs())},
       {"cve_ids", TextsJson(update.CveIDs())},
       {"security_bulletin_ids", TextsJson(update.SecurityBulletinIDs())},
       {"superseded_update_ids", TextsJson(update.SupersededUpdateIDs())},
       {"uninstallation_notes", update.UninstallationNotes()},
       {"uninstallation_steps", TextsJson(update.UninstallationSteps())},
       {"installation_behavior",
        BehaviorJson(update.GetInstallationBehavior())},
       {"uninstallation_behavior",
        BehaviorJson(update.UninstallationBehavior())},
       {"categories", std::move(categories)},
       {"download_contents", std::move(contents)},
       {"bundled_updates", std::move(bundled)}});
  return value;
}

json JobJson(const JobInfo& job) {
  json updates = json::array();
  for (const UpdateIdentity& one : job.updates) {
    updates.push_back(IdentityJson(one));
  }
  json value = HResultMembers(job.hresult);
  value.update({{"name", job.name},
                {"parent", job.parent},
                {"kind", ToString(job.kind)},
                {"state", ToString(job.state)},
                {"abort_requested", job.abort_requested},
                {"ended", job.ended},
                {"client_application_id", job.client_application_id},
                {"create_time", FormatUtc(job.create_time)},
                {"complete_time", TimeJson(job.complete_time)},
                {"request_id", job.request_id},
                {"result_code", ToString(job.result_code)},
                {"message", job.message},
                {"updates", std::move(updates)}});
  if (job.download_progress.has_value()) {
    value["percent_complete"] = job.download_progress->percent_complete;
    value["bytes_downloaded"] = job.download_progress->total_bytes_downloaded;
    value["bytes_to_download"] = job.download_progress->total_bytes_to_download;
  } else if (job.installation_progress.has_value()) {
    value["percent_complete"] = job.installation_progress->percent_complete;
  }
  return value;
}

json HistoryJson(const UpdateHistoryEntry& entry) {
  json value = IdentityJson(entry.update_identity);
  value.update(HResultMembers(entry.hresult));
  json categories = json::array();
  for (const UpdateHistoryEntry::CategoryName& one : entry.categories) {
    categories.push_back({{"category_id", one.category_id},
                          {"name", one.name},
                          {"type", one.type}});
  }
  value.update({{"operation", ToString(entry.operation)},
                {"result_code", ToString(entry.result_code)},
                {"date", FormatUtc(entry.date)},
                {"title", entry.title},
                {"description", entry.description},
                {"version", entry.version},
                {"message", entry.message},
                {"unmapped_result_code", entry.unmapped_result_code},
                {"client_application_id", entry.client_application_id},
                {"server_selection", static_cast<int>(entry.server_selection)},
                {"support_url", entry.support_url},
                {"categories", std::move(categories)}});
  return value;
}

json ServiceJson(const UpdateService& service) {
  return {{"service_id", service.service_id},
          {"name", service.name},
          {"service_url", service.service_url},
          {"root_version", service.root_version},
          {"root_sha256", service.root_sha256},
          {"expiration_date", TimeJson(service.expiration_date)},
          {"issue_date", TimeJson(service.issue_date)},
          {"is_managed", service.is_managed},
          {"is_registered_with_au", service.is_registered_with_au},
          {"is_default_au_service", service.is_default_au_service},
          {"is_scan_package_service", service.is_scan_package_service},
          {"is_volatile", service.is_volatile},
          {"last_refresh_time", TimeJson(service.last_refresh_time)},
          {"last_refresh_error", service.last_refresh_error},
          {"update_count", service.update_count}};
}

json SessionJson(const SessionInfo& session) {
  return {{"name", session.name},
          {"client_application_id", session.client_application_id},
          {"read_only", session.read_only},
          {"user_locale", session.user_locale},
          {"owner", session.owner},
          {"create_time", FormatUtc(session.create_time)},
          {"expire_time", TimeJson(session.expire_time)},
          {"watcher_count", session.watcher_count},
          {"job_count", session.job_count}};
}

json ResultJson(const UpdateResult& result) {
  json value = HResultMembers(result.hresult);
  value.update({{"result_code", ToString(result.result_code)},
                {"message", result.message},
                {"reboot_required", result.reboot_required},
                {"unmapped_result_code", result.unmapped_result_code}});
  return value;
}

json WarningsJson(const std::vector<UpdateException>& warnings) {
  json array = json::array();
  for (const UpdateException& warning : warnings) {
    json one = HResultMembers(warning.hresult);
    one["message"] = warning.message;
    array.push_back(std::move(one));
  }
  return array;
}

std::string Indented(const std::string& text) {
  // Line breaks inside of strings are escaped: these are between members.
  return absl::StrReplaceAll(text, {{"\n", "\n  "}});
}

std::string ClosingMembers(const std::vector<UpdateException>& warnings,
                           ExitCode exit_code) {
  return absl::StrCat(
      "  \"warnings\": ", Indented(Dump(WarningsJson(warnings))),
      ",\n  \"exit_code\": ", int{exit_code});
}

}  // namespace usher::cli
