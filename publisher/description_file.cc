#include "publisher/description_file.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/utf8.h"
#include "common/uuid.h"
#include "publisher/handler_reader.h"
#include "publisher/rule_reader.h"
#include "publisher/staging.h"
#include "publisher/toml_reader.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

using repository::v1::LocalizedText;
using repository::v1::Payload;
using repository::v1::UpdateDescription;
using usher::v1::Update;

constexpr uint64_t kMaxFileBytes = uint64_t{4} * 1024 * 1024;
constexpr size_t kMaxTextBytes = size_t{256} * 1024;
constexpr int32_t kMaxInt32 = std::numeric_limits<int32_t>::max();

void SetTimestamp(absl::Time time, google::protobuf::Timestamp& out) {
  out.set_seconds(absl::ToUnixSeconds(time));
}

class DescriptionReader {
 public:
  DescriptionReader(const toml::table& table, std::string file,
                    std::filesystem::path folder, std::string service_id,
                    CategorySet& categories)
      : problems_(std::move(file)),
        table_(table, "", problems_),
        folder_(std::move(folder)),
        service_id_(std::move(service_id)),
        categories_(categories) {}

  absl::StatusOr<UpdateSource> Read() {
    Update& update = *source_.description.mutable_update();
    ReadCategories();
    ReadIdentity(update);
    ReadTexts(update);
    ReadFlags(update);
    ReadLists(update);
    ReadRelations(update);
    ReadBehaviors(update);
    ReadDriverEntries(update);
    ReadLocalizedTexts();
    ReadPayloads();
    ReadHandlerAndRules();
    table_.Finish();
    USHER_RETURN_IF_ERROR(problems_.ToStatus());
    return std::move(source_);
  }

 private:
  void ReadCategories() {
    int index = 0;
    for (const toml::table* entry : table_.Tables("category")) {
      TomlTable table(*entry, absl::StrCat("category[", index++, "]"),
                      problems_);
      static constexpr absl::string_view kTypes[] = {
          "Company", "ProductFamily", "Product", "UpdateClassification"};
      static constexpr TomlWord kTypeWords[] = {{"Company", 0},
                                                {"ProductFamily", 1},
                                                {"Product", 2},
                                                {"UpdateClassification", 3}};
      usher::v1::Category category;
      category.set_name(table.RequiredString("name", 256));
      category.set_description(table.String("description", kMaxTextBytes));
      category.set_type(std::string(kTypes[table.Word("type", kTypeWords, 2)]));
      category.set_order(static_cast<int32_t>(
          table.Integer("order", -kMaxInt32, kMaxInt32, 0)));
      const std::string id = Uuid(table, "id");
      category.set_category_id(
          id.empty() ? CategoryId(service_id_, category.type(), category.name())
                     : id);
      if (table.Has("parent")) {
        const auto parent = categories_.Resolve(table.RequiredString("parent"));
        if (parent.ok()) {
          category.set_parent_category_id(*parent);
        } else {
          table.Fault("parent", parent.status().message());
        }
      }
      if (const auto image = ReadImage(table); image.has_value()) {
        *category.mutable_image() = *image;
      }
      table.Finish();
      if (category.name().empty()) continue;
      if (const absl::Status added = categories_.Add(category); !added.ok()) {
        table.Fault("name", added.message());
      }
    }
  }

  // Canonical UUID, or "" when absent or wrong.
  static std::string Uuid(TomlTable& table, absl::string_view key) {
    if (!table.Has(key)) return "";
    const auto uuid = CanonicalUuid(table.RequiredString(key, 64));
    if (uuid.ok()) return *uuid;
    table.Fault(key, "must be a UUID");
    return "";
  }

  void ReadIdentity(Update& update) {
    update.set_name(table_.RequiredString("name", 256));
    update.set_version(table_.String("version", 256));
    std::string id = Uuid(table_, "update_id");
    if (id.empty()) {
      id = DefaultUpdateId(service_id_, update.name(), update.version());
    }
    update.mutable_identity()->set_update_id(id);
    update.mutable_identity()->set_revision_number(
        static_cast<int32_t>(table_.Integer("revision", 1, kMaxInt32, 1)));
  }

  // A text, given in place or by a file.
  std::string TextOrFile(TomlTable& table, const std::string& key) {
    const std::string file_key = absl::StrCat(key, "_file");
    std::string text = table.String(key, kMaxTextBytes);
    if (!table.Has(file_key)) {
      static_cast<void>(table.String(file_key));
      return text;
    }
    if (table.Has(key)) {
      table.Fault(file_key, absl::StrCat("cannot stand beside ", key));
    }
    const auto path = ExistingFile(table, file_key);
    if (!path.has_value()) return text;
    auto content = ReadFile(*path, kMaxTextBytes);
    if (!content.ok()) {
      table.Fault(file_key, content.status().message());
      return text;
    }
    if (!IsValidUtf8(*content)) {
      table.Fault(file_key, absl::StrCat(PathToUtf8(*path), " is not UTF-8"));
    }
    return *std::move(content);
  }

  absl::optional<std::filesystem::path> ExistingFile(TomlTable& table,
                                                     absl::string_view key) {
    const std::string name = table.RequiredString(key);
    if (name.empty()) return absl::nullopt;
    const std::filesystem::path path = folder_ / PathFromUtf8(name);
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      table.Fault(key,
                  std::filesystem::exists(path, error)
                      ? absl::StrCat(PathToUtf8(path), " is not a regular file")
                      : absl::StrCat("there is no file ", PathToUtf8(path)));
      return absl::nullopt;
    }
    return path;
  }

  void ReadTexts(Update& update) {
    update.set_title(table_.RequiredString("title", 1024));
    update.set_description(table_.String("description", kMaxTextBytes));
    update.set_eula_text(TextOrFile(table_, "eula_text"));
    update.set_release_notes(TextOrFile(table_, "release_notes"));
    update.set_support_url(Url(table_, "support_url"));
    for (std::string& url : Urls(table_, "more_info_urls")) {
      update.add_more_info_urls(std::move(url));
    }
    update.set_uninstallation_notes(
        table_.String("uninstallation_notes", kMaxTextBytes));
    for (std::string& step : table_.Strings("uninstallation_steps")) {
      update.add_uninstallation_steps(std::move(step));
    }
    if (const auto image = ReadImage(table_); image.has_value()) {
      *update.mutable_image() = *image;
    }
  }

  static std::string Url(TomlTable& table, absl::string_view key) {
    std::string url = table.String(key, 2048);
    if (!url.empty() && !IsHttpUrl(url)) {
      table.Fault(key, "must be an http:// or https:// URL");
    }
    return url;
  }

  static std::vector<std::string> Urls(TomlTable& table,
                                       absl::string_view key) {
    std::vector<std::string> urls = table.Strings(key, 64);
    for (const std::string& url : urls) {
      if (!IsHttpUrl(url)) {
        table.Fault(key, absl::StrCat("\"", url,
                                      "\" must be an http:// or https:// URL"));
      }
    }
    return urls;
  }

  absl::optional<usher::v1::ImageInformation> ReadImage(TomlTable& parent) {
    const toml::table* found = parent.Table("image");
    if (found == nullptr) return absl::nullopt;
    TomlTable table(*found, parent.PathOf("image"), problems_);
    usher::v1::ImageInformation image;
    image.set_alt_text(table.String("alt_text"));
    image.set_source(Url(table, "source"));
    image.set_width(static_cast<int32_t>(table.Integer("width", 0, 65535, 0)));
    image.set_height(
        static_cast<int32_t>(table.Integer("height", 0, 65535, 0)));
    table.Finish();
    return image;
  }

  void ReadFlags(Update& update) {
    static constexpr TomlWord kTypes[] = {
        {"software", usher::v1::UPDATE_TYPE_SOFTWARE},
        {"driver", usher::v1::UPDATE_TYPE_DRIVER}};
    static constexpr TomlWord kActions[] = {
        {"none", usher::v1::DEPLOYMENT_ACTION_NONE},
        {"installation", usher::v1::DEPLOYMENT_ACTION_INSTALLATION},
        {"uninstallation", usher::v1::DEPLOYMENT_ACTION_UNINSTALLATION},
        {"detection", usher::v1::DEPLOYMENT_ACTION_DETECTION},
        {"optional_installation",
         usher::v1::DEPLOYMENT_ACTION_OPTIONAL_INSTALLATION}};
    static constexpr TomlWord kPriorities[] = {
        {"low", usher::v1::DOWNLOAD_PRIORITY_LOW},
        {"normal", usher::v1::DOWNLOAD_PRIORITY_NORMAL},
        {"high", usher::v1::DOWNLOAD_PRIORITY_HIGH},
        {"extra_high", usher::v1::DOWNLOAD_PRIORITY_EXTRA_HIGH}};
    static constexpr TomlWord kSelections[] = {
        {"let_agent_decide", usher::v1::AUTO_SELECTION_MODE_LET_AGENT_DECIDE},
        {"if_downloaded",
         usher::v1::AUTO_SELECTION_MODE_AUTO_SELECT_IF_DOWNLOADED},
        {"never", usher::v1::AUTO_SELECTION_MODE_NEVER_AUTO_SELECT},
        {"always", usher::v1::AUTO_SELECTION_MODE_ALWAYS_AUTO_SELECT}};
    static constexpr TomlWord kDownloads[] = {
        {"let_agent_decide", usher::v1::AUTO_DOWNLOAD_MODE_LET_AGENT_DECIDE},
        {"never", usher::v1::AUTO_DOWNLOAD_MODE_NEVER_AUTO_DOWNLOAD},
        {"always", usher::v1::AUTO_DOWNLOAD_MODE_ALWAYS_AUTO_DOWNLOAD}};
    static constexpr TomlWord kSeverities[] = {
        {"Critical", 0}, {"Important", 1}, {"Moderate", 2}, {"Low", 3}};
    update.set_type(static_cast<usher::v1::UpdateType>(
        table_.Word("type", kTypes, usher::v1::UPDATE_TYPE_SOFTWARE)));
    update.set_deployment_action(static_cast<usher::v1::DeploymentAction>(
        table_.Word("deployment_action", kActions,
                    usher::v1::DEPLOYMENT_ACTION_INSTALLATION)));
    update.set_download_priority(static_cast<usher::v1::DownloadPriority>(
        table_.Word("download_priority", kPriorities,
                    usher::v1::DOWNLOAD_PRIORITY_NORMAL)));
    update.set_auto_selection(static_cast<usher::v1::AutoSelectionMode>(
        table_.Word("auto_selection", kSelections,
                    usher::v1::AUTO_SELECTION_MODE_LET_AGENT_DECIDE)));
    update.set_auto_download(static_cast<usher::v1::AutoDownloadMode>(
        table_.Word("auto_download", kDownloads,
                    usher::v1::AUTO_DOWNLOAD_MODE_LET_AGENT_DECIDE)));
    if (const int severity = table_.Word("msrc_severity", kSeverities, -1);
        severity >= 0) {
      update.set_msrc_severity(std::string(kSeverities[severity].word));
    }
    update.set_auto_select_on_web_sites(
        table_.Bool("auto_select_on_web_sites", false));
    update.set_can_require_source(table_.Bool("can_require_source", false));
    update.set_delta_compressed_content_available(
        table_.Bool("delta_compressed_content_available", false));
    update.set_delta_compressed_content_preferred(
        table_.Bool("delta_compressed_content_preferred", false));
    update.set_is_beta(table_.Bool("is_beta", false));
    update.set_is_mandatory(table_.Bool("is_mandatory", false));
    update.set_browse_only(table_.Bool("browse_only", false));
    update.set_per_user(table_.Bool("per_user", false));
    const auto size = [this](absl::string_view key) {
      return static_cast<int32_t>(table_.Integer(key, 0, kMaxInt32, 0));
    };
    update.set_recommended_cpu_speed(size("recommended_cpu_speed"));
    update.set_recommended_hard_disk_space(size("recommended_hard_disk_space"));
    update.set_recommended_memory(size("recommended_memory"));
    if (const auto time = table_.Time("deadline"); time.has_value()) {
      SetTimestamp(*time, *update.mutable_deadline());
    }
    if (const auto time = table_.Time("last_deployment_change_time");
        time.has_value()) {
      SetTimestamp(*time, *update.mutable_last_deployment_change_time());
    }
  }

  void ReadLists(Update& update) {
    for (std::string& tag : table_.Strings("languages")) {
      if (!IsLanguageTag(tag)) {
        table_.Fault("languages", absl::StrCat("\"", tag,
                                               "\" is not a language tag like "
                                               "\"de\" or \"pt-BR\""));
      }
      update.add_languages(std::move(tag));
    }
    for (std::string& id : table_.Strings("security_bulletin_ids")) {
      update.add_security_bulletin_ids(std::move(id));
    }
    for (std::string& id : table_.Strings("kb_article_ids")) {
      if (absl::StartsWithIgnoreCase(id, "KB")) {
        table_.Fault("kb_article_ids",
                     absl::StrCat("write \"", id.substr(2),
                                  "\" without the prefix \"KB\""));
      }
      update.add_kb_article_ids(std::move(id));
    }
    for (std::string& id : table_.Strings("cve_ids")) {
      update.add_cve_ids(std::move(id));
    }
  }

  void ReadRelations(Update& update) {
    for (const std::string& reference : table_.Strings("categories", 64)) {
      const auto id = categories_.Resolve(reference);
      if (!id.ok()) {
        table_.Fault("categories", id.status().message());
        continue;
      }
      const std::string& type = categories_.Find(*id)->type();
      if (type == "Company" || type == "ProductFamily") {
        table_.Fault("categories",
                     absl::StrCat("\"", reference, "\" is a ", type,
                                  "; an update belongs to Products and "
                                  "UpdateClassifications"));
      }
      update.add_category_ids(*id);
    }
    for (const std::string& text : table_.Strings("superseded_update_ids")) {
      const auto uuid = CanonicalUuid(text);
      if (!uuid.ok()) {
        table_.Fault("superseded_update_ids",
                     absl::StrCat("\"", text, "\" is not a UUID"));
        continue;
      }
      update.add_superseded_update_ids(*uuid);
    }
    source_.supersede_older = table_.Bool("supersede_older_versions", false);
    if (source_.supersede_older && update.version().empty()) {
      table_.Fault("supersede_older_versions", "needs a version");
    }
    int index = 0;
    for (const toml::table* entry : table_.Tables("bundled_updates")) {
      TomlTable table(*entry, absl::StrCat("bundled_updates[", index++, "]"),
                      problems_);
      if (!table.Has("update_id")) table.Fault("update_id", "is missing");
      usher::v1::UpdateKey& key = *update.add_bundled_updates();
      key.set_update_id(Uuid(table, "update_id"));
      key.set_revision_number(
          static_cast<int32_t>(table.Integer("revision", 1, kMaxInt32, 1)));
      table.Finish();
    }
  }

  absl::optional<usher::v1::InstallationBehavior> ReadBehavior(
      absl::string_view key) {
    static constexpr TomlWord kImpacts[] = {
        {"normal", usher::v1::INSTALLATION_IMPACT_NORMAL},
        {"minor", usher::v1::INSTALLATION_IMPACT_MINOR},
        {"requires_exclusive_handling",
         usher::v1::INSTALLATION_IMPACT_REQUIRES_EXCLUSIVE_HANDLING}};
    static constexpr TomlWord kReboots[] = {
        {"never", usher::v1::INSTALLATION_REBOOT_BEHAVIOR_NEVER_REBOOTS},
        {"always",
         usher::v1::INSTALLATION_REBOOT_BEHAVIOR_ALWAYS_REQUIRES_REBOOT},
        {"can_request",
         usher::v1::INSTALLATION_REBOOT_BEHAVIOR_CAN_REQUEST_REBOOT}};
    const toml::table* found = table_.Table(key);
    if (found == nullptr) return absl::nullopt;
    TomlTable table(*found, std::string(key), problems_);
    usher::v1::InstallationBehavior behavior;
    behavior.set_impact(static_cast<usher::v1::InstallationImpact>(
        table.Word("impact", kImpacts, 0)));
    behavior.set_reboot_behavior(
        static_cast<usher::v1::InstallationRebootBehavior>(
            table.Word("reboot_behavior", kReboots, 0)));
    behavior.set_can_request_user_input(
        table.Bool("can_request_user_input", false));
    behavior.set_requires_network_connectivity(
        table.Bool("requires_network_connectivity", false));
    table.Finish();
    return behavior;
  }

  void ReadBehaviors(Update& update) {
    if (const auto install = ReadBehavior("installation_behavior");
        install.has_value()) {
      *update.mutable_installation_behavior() = *install;
    }
    const auto uninstall = ReadBehavior("uninstallation_behavior");
    const bool uninstallable =
        table_.Bool("is_uninstallable", uninstall.has_value());
    update.set_is_uninstallable(uninstallable);
    if (uninstall.has_value() && !uninstallable) {
      table_.Fault("uninstallation_behavior", "needs is_uninstallable = true");
    }
    if (uninstallable) {
      *update.mutable_uninstallation_behavior() =
          uninstall.value_or(usher::v1::InstallationBehavior());
    }
  }

  void ReadDriverEntries(Update& update) {
    int index = 0;
    for (const toml::table* entry : table_.Tables("driver_entry")) {
      TomlTable table(*entry, absl::StrCat("driver_entry[", index++, "]"),
                      problems_);
      usher::v1::DriverEntry& driver = *update.add_driver_entries();
      driver.set_driver_class(table.RequiredString("driver_class"));
      driver.set_driver_hardware_id(table.RequiredString("driver_hardware_id"));
      driver.set_driver_manufacturer(table.String("driver_manufacturer"));
      driver.set_driver_model(table.String("driver_model"));
      driver.set_driver_provider(table.String("driver_provider"));
      if (const auto date = table.Time("driver_ver_date"); date.has_value()) {
        SetTimestamp(*date, *driver.mutable_driver_ver_date());
      }
      table.Finish();
    }
    if (index > 0 && update.type() != usher::v1::UPDATE_TYPE_DRIVER) {
      table_.Fault("driver_entry", "needs type = \"driver\"");
    }
  }

  void ReadLocalizedTexts() {
    const toml::table* languages = table_.Table("localized");
    if (languages == nullptr) return;
    TomlTable outer(*languages, "localized", problems_);
    for (const auto& [key, node] : *languages) {
      const std::string tag(key.str());
      const toml::table* found = outer.Table(tag);
      if (found == nullptr) continue;
      if (!IsLanguageTag(tag)) {
        problems_.Add(key.source(),
                      absl::StrCat("localized.", tag,
                                   ": is not a language tag like \"de\" or "
                                   "\"pt-BR\""));
      }
      TomlTable table(*found, outer.PathOf(tag), problems_);
      LocalizedText& text = *source_.description.add_localized_text();
      text.set_language(tag);
      text.set_title(table.String("title", 1024));
      text.set_description(table.String("description", kMaxTextBytes));
      text.set_eula_text(TextOrFile(table, "eula_text"));
      text.set_release_notes(TextOrFile(table, "release_notes"));
      text.set_support_url(Url(table, "support_url"));
      for (std::string& url : Urls(table, "more_info_urls")) {
        text.add_more_info_urls(std::move(url));
      }
      text.set_uninstallation_notes(
          table.String("uninstallation_notes", kMaxTextBytes));
      for (std::string& step : table.Strings("uninstallation_steps")) {
        text.add_uninstallation_steps(std::move(step));
      }
      table.Finish();
    }
  }

  void ReadPayloads() {
    int index = 0;
    for (const toml::table* entry : table_.Tables("payload")) {
      TomlTable table(*entry, absl::StrCat("payload[", index++, "]"),
                      problems_);
      Payload& payload = *source_.description.add_payloads();
      std::filesystem::path file;
      if (table.Has("url")) {
        ReadRemotePayload(table, payload);
      } else {
        file = ExistingFile(table, "file").value_or(std::filesystem::path());
        payload.set_name(table.Has("name") ? table.RequiredString("name", 255)
                                           : PathToUtf8(file.filename()));
      }
      if (!payload.name().empty() && !IsPayloadName(payload.name())) {
        table.Fault("name", "must be a plain file name");
      }
      source_.payload_files.push_back(std::move(file));
      table.Finish();
    }
  }

  // Content that lies on another server.
  static void ReadRemotePayload(TomlTable& table, Payload& payload) {
    payload.set_location(Url(table, "url"));
    payload.set_name(table.RequiredString("name", 255));
    if (!table.Has("size")) table.Fault("size", "is missing");
    payload.set_size(table.Integer("size", 0, int64_t{1} << 40, 0));
    const auto digest = ParseSha256Hex(table.RequiredString("sha256", 64));
    if (digest.ok()) {
      payload.set_sha256(digest->data(), digest->size());
    } else {
      table.Fault("sha256", "must be 64 hexadecimal digits");
    }
  }

  void ReadHandlerAndRules() {
    UpdateDescription& description = source_.description;
    repository::v1::Handler handler = ReadHandler(table_);
    const bool bundle = !description.update().bundled_updates().empty();
    if (bundle) {
      if (table_.Has("handler")) table_.Fault("handler", "a bundle has none");
      if (table_.Has("payload")) table_.Fault("payload", "a bundle has none");
    } else if (!table_.Has("handler")) {
      table_.Fault("handler", "is missing; write for example [handler.exec]");
    } else if (handler.kind_case() != repository::v1::Handler::KIND_NOT_SET) {
      if (const absl::Status status =
              CheckHandler(handler, description.payloads_size());
          !status.ok()) {
        table_.Fault("handler", status.message());
      }
      *description.mutable_handler() = std::move(handler);
    }
    absl::Status staging;
    for (const absl::string_view key : {"is_installed", "is_installable"}) {
      const toml::table* found = table_.Table(key);
      if (found == nullptr) continue;
      repository::v1::Rule rule = ReadRule(*found, std::string(key), problems_);
      if (key == "is_installed") {
        *description.mutable_is_installed() = std::move(rule);
      } else {
        *description.mutable_is_installable() = std::move(rule);
      }
      if (!staging.ok()) continue;
      staging = CheckStaging(description);
      if (!staging.ok()) table_.Fault(key, staging.message());
    }
    ReadStaging(description);
  }

  void ReadStaging(UpdateDescription& description) {
    const absl::optional<int> share = ReadPercent(table_, "rollout_percent");
    std::vector<std::string> channels;
    if (table_.Has("channels")) {
      channels = ReadChannels(table_, "channels");
    } else {
      static_cast<void>(table_.Strings("channels"));
    }
    // The author's own rule of this kind would be replaced unseen.
    const Staging own = StagingOf(description);
    if (share.has_value()) {
      if (own.basis_points != catalog::kAllBasisPoints) {
        table_.Fault("rollout_percent",
                     "is_installable has a rollout already; give it a seed or "
                     "leave one of them out");
      }
      SetShare(*share, description);
    }
    if (!channels.empty()) {
      if (!own.channels.empty()) {
        table_.Fault("channels",
                     "is_installable asks for channels already; leave one of "
                     "them out");
      }
      SetChannels(channels, description);
    }
  }

  TomlProblems problems_;
  TomlTable table_;
  const std::filesystem::path folder_;
  const std::string service_id_;
  CategorySet& categories_;
  UpdateSource source_;
};

}  // namespace

absl::StatusOr<UpdateSource> ReadDescription(
    absl::string_view text, const std::string& file,
    const std::filesystem::path& folder, absl::string_view service_id,
    CategorySet& categories) {
  USHER_ASSIGN_OR_RETURN(const toml::table table, ParseToml(text, file));
  CategorySet extended = categories;
  USHER_ASSIGN_OR_RETURN(
      UpdateSource source,
      DescriptionReader(table, file, folder, std::string(service_id), extended)
          .Read());
  // Payload files have no size and hash yet; the rest can be checked.
  UpdateDescription complete = source.description;
  for (Payload& payload : *complete.mutable_payloads()) {
    if (payload.sha256().empty()) payload.set_sha256(std::string(32, '\0'));
    if (payload.location().empty()) payload.set_location("payloads/");
  }
  USHER_RETURN_IF_ERROR(Annotate(CheckUpdate(complete), file));
  categories = std::move(extended);
  return source;
}

absl::StatusOr<UpdateSource> ReadDescriptionFile(
    const std::filesystem::path& path, absl::string_view service_id,
    CategorySet& categories) {
  USHER_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  return ReadDescription(text, PathToUtf8(path), path.parent_path(), service_id,
                         categories);
}

std::string DefaultUpdateId(absl::string_view service_id,
                            absl::string_view name, absl::string_view version) {
  return NamedUuid(service_id, absl::StrCat("update:", name, "_", version));
}

}  // namespace usher::publisher
