#include "common/catalog/check_record.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/catalog/names.h"
#include "common/error.h"
#include "common/uuid.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::UpdateDescription;

constexpr int kFormatVersion = 1;
constexpr size_t kMaxLine = 1024;
constexpr int kMaxPayloads = 1024;
constexpr int kMaxListed = 4096;
constexpr int64_t kMaxPayloadBytes = int64_t{1} << 40;

absl::Status Invalid(absl::string_view reason) {
  return Error(hr::kWuEInvalidUpdate, reason);
}

// Brings `id` into canonical form.
absl::Status CheckId(std::string* id, absl::string_view what) {
  absl::StatusOr<std::string> canonical = CanonicalUuid(*id);
  if (!canonical.ok()) {
    return Invalid(absl::StrCat(what, " \"", *id, "\" is no UUID"));
  }
  *id = *std::move(canonical);
  return absl::OkStatus();
}

absl::Status CheckIds(google::protobuf::RepeatedPtrField<std::string>& ids,
                      absl::string_view what) {
  if (ids.size() > kMaxListed) {
    return Invalid(absl::StrCat("too many of ", what));
  }
  std::set<std::string> seen;
  for (std::string& id : ids) {
    USHER_RETURN_IF_ERROR(CheckId(&id, what));
    if (!seen.insert(id).second) {
      return Invalid(absl::StrCat(what, " ", id, " stands twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLine(const std::string& text, absl::string_view what) {
  if (text.size() > kMaxLine || HasControlCharacters(text)) {
    return Invalid(
        absl::StrCat(what, " is too long or has control characters"));
  }
  return absl::OkStatus();
}

absl::Status CheckTime(const google::protobuf::Timestamp& time,
                       absl::string_view what) {
  // 0001-01-01 … 9999-12-31, as Timestamp has it.
  if (time.seconds() < -62135596800 || time.seconds() > 253402300799 ||
      time.nanos() < 0 || time.nanos() > 999999999) {
    return Invalid(absl::StrCat(what, " is out of range"));
  }
  return absl::OkStatus();
}

absl::Status CheckBehavior(const v1::InstallationBehavior& behavior) {
  if (!v1::InstallationImpact_IsValid(behavior.impact()) ||
      !v1::InstallationRebootBehavior_IsValid(behavior.reboot_behavior())) {
    return Invalid("an installation behaviour has an unknown value");
  }
  return absl::OkStatus();
}

absl::Status CheckEnums(const v1::Update& update) {
  if (update.type() != v1::UPDATE_TYPE_SOFTWARE &&
      update.type() != v1::UPDATE_TYPE_DRIVER) {  // UAMG-113
    return Invalid("the type is neither software nor driver");
  }
  if (!v1::DeploymentAction_IsValid(update.deployment_action()) ||
      !v1::DownloadPriority_IsValid(update.download_priority()) ||
      !v1::AutoSelectionMode_IsValid(update.auto_selection()) ||
      !v1::AutoDownloadMode_IsValid(update.auto_download())) {
    return Invalid("an enumeration has an unknown value");
  }
  const std::string& severity = update.msrc_severity();
  if (!severity.empty() && severity != "Critical" && severity != "Important" &&
      severity != "Moderate" && severity != "Low") {  // UAMG-118
    return Invalid(absl::StrCat("unknown severity \"", severity, "\""));
  }
  return absl::OkStatus();
}

absl::Status CheckReferences(v1::Update& update) {
  const std::string id = update.identity().update_id();
  USHER_RETURN_IF_ERROR(CheckIds(*update.mutable_category_ids(), "category"));
  USHER_RETURN_IF_ERROR(
      CheckIds(*update.mutable_superseded_update_ids(), "superseded update"));
  for (const std::string& superseded : update.superseded_update_ids()) {
    if (superseded == id) return Invalid("the update supersedes itself");
  }
  if (update.bundled_updates_size() > kMaxListed) {
    return Invalid("too many bundled updates");
  }
  std::set<std::string> children;
  for (v1::UpdateKey& child : *update.mutable_bundled_updates()) {
    USHER_RETURN_IF_ERROR(CheckId(child.mutable_update_id(), "bundled update"));
    if (child.revision_number() < 1) {
      return Invalid("a bundled update needs a revision of 1 or greater");
    }
    if (child.update_id() == id || !children.insert(child.update_id()).second) {
      return Invalid(absl::StrCat("bundled update ", child.update_id(),
                                  " is the bundle itself or stands twice"));
    }
    child.clear_service_id();
  }
  return absl::OkStatus();
}

absl::Status CheckPayloads(UpdateDescription& description) {
  if (description.payloads_size() > kMaxPayloads) {
    return Invalid("too many payloads");
  }
  std::set<std::string> names;
  for (const repository::v1::Payload& payload : description.payloads()) {
    if (!IsPayloadName(payload.name())) {
      return Invalid(absl::StrCat("payload name \"", payload.name(),
                                  "\" is no plain file name"));
    }
    // As one file on systems that ignore case.
    if (!names.insert(absl::AsciiStrToLower(payload.name())).second) {
      return Invalid(absl::StrCat("payload ", payload.name(), " stands twice"));
    }
    if (payload.size() < 0 || payload.size() > kMaxPayloadBytes) {
      return Invalid(
          absl::StrCat("payload ", payload.name(), " has an impossible size"));
    }
    if (payload.sha256().size() != 32) {
      return Invalid(absl::StrCat("payload ", payload.name(),
                                  " has no SHA-256 of 32 bytes"));
    }
    if (!IsPayloadLocation(payload.location())) {
      return Invalid(absl::StrCat("payload ", payload.name(),
                                  " has the location \"", payload.location(),
                                  "\", which is neither below targets/ nor an "
                                  "http(s) URL"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLocalizedText(const UpdateDescription& description) {
  std::set<std::string> languages;
  for (const repository::v1::LocalizedText& text :
       description.localized_text()) {
    if (text.language().empty() || text.language().size() > 64 ||
        !languages.insert(absl::AsciiStrToLower(text.language())).second) {
      return Invalid(absl::StrCat("localized text \"", text.language(),
                                  "\" has no language or stands twice"));
    }
    USHER_RETURN_IF_ERROR(CheckLine(text.title(), "a localized title"));
  }
  return absl::OkStatus();
}

// Empties what the publisher has no say in.
void ClearFilledIn(v1::Update& update) {
  update.mutable_identity()->clear_service_id();
  update.clear_handler_id();
  update.clear_download_contents();
  update.clear_min_download_size();
  update.clear_max_download_size();
  update.clear_eula_accepted();
  update.clear_is_downloaded();
  update.clear_is_hidden();
  update.clear_is_installed();
  update.clear_is_present();
  update.clear_reboot_required();
}

}  // namespace

absl::Status CheckHeader(const repository::v1::CatalogHeader& header,
                         absl::string_view service_id) {
  if (header.format_version() > kFormatVersion) {
    return Error(hr::kWuEOlNewclientRequired,
                 absl::StrCat("the catalog has format ",
                              header.format_version(), ", this Usher reads ",
                              kFormatVersion, "; install a newer Usher"));
  }
  if (header.format_version() < 1) {
    return Error(hr::kWuEOlInvalidScanfile,
                 "the catalog has no format version");
  }
  const absl::StatusOr<std::string> id = CanonicalUuid(header.service_id());
  if (!id.ok() || *id != service_id) {
    return Error(hr::kWuEOlInvalidScanfile,
                 absl::StrCat("the catalog belongs to service \"",
                              header.service_id(), "\", not to ", service_id));
  }
  if (header.service_name().size() > kMaxLine ||
      HasControlCharacters(header.service_name())) {
    return Error(hr::kWuEOlInvalidScanfile,
                 "the service name is too long or has control characters");
  }
  return absl::OkStatus();
}

absl::Status CheckCategory(v1::Category& category) {
  USHER_RETURN_IF_ERROR(CheckId(category.mutable_category_id(), "category"));
  USHER_RETURN_IF_ERROR(CheckLine(category.name(), "a category name"));
  if (category.name().empty()) return Invalid("a category needs a name");
  const std::string& type = category.type();
  if (type != "Company" && type != "ProductFamily" && type != "Product" &&
      type != "UpdateClassification") {  // UAMG-101
    return Invalid(absl::StrCat("unknown category type \"", type, "\""));
  }
  if (!category.parent_category_id().empty()) {
    USHER_RETURN_IF_ERROR(
        CheckId(category.mutable_parent_category_id(), "parent category"));
    if (category.parent_category_id() == category.category_id()) {
      return Invalid("a category is its own parent");
    }
  }
  category.DiscardUnknownFields();
  return absl::OkStatus();
}

absl::Status CheckUpdate(UpdateDescription& description) {
  v1::Update& update = *description.mutable_update();
  USHER_RETURN_IF_ERROR(
      CheckId(update.mutable_identity()->mutable_update_id(), "update"));
  if (update.identity().revision_number() < 1) {
    return Invalid("the revision must be 1 or greater");
  }
  if (update.title().empty()) return Invalid("the update needs a title");
  USHER_RETURN_IF_ERROR(CheckLine(update.title(), "the title"));
  USHER_RETURN_IF_ERROR(CheckLine(update.name(), "the name"));
  USHER_RETURN_IF_ERROR(CheckLine(update.version(), "the version"));
  USHER_RETURN_IF_ERROR(CheckEnums(update));
  USHER_RETURN_IF_ERROR(CheckTime(update.deadline(), "the deadline"));
  USHER_RETURN_IF_ERROR(CheckTime(update.last_deployment_change_time(),
                                  "the last deployment change time"));
  USHER_RETURN_IF_ERROR(CheckBehavior(update.installation_behavior()));
  USHER_RETURN_IF_ERROR(CheckBehavior(update.uninstallation_behavior()));
  USHER_RETURN_IF_ERROR(CheckReferences(update));
  USHER_RETURN_IF_ERROR(CheckPayloads(description));
  USHER_RETURN_IF_ERROR(CheckLocalizedText(description));
  if (update.bundled_updates().empty()) {
    if (description.payloads().empty()) {
      return Invalid("the update has neither payloads nor bundled updates");
    }
    USHER_RETURN_IF_ERROR(CheckHandler(description));
  } else if (!description.payloads().empty() || description.has_handler()) {
    return Invalid("a bundle has no payloads and no handler of its own");
  }
  ClearFilledIn(update);
  // A field that a newer format may give a meaning must not reach clients
  // unchecked.
  description.DiscardUnknownFields();
  return absl::OkStatus();
}

}  // namespace usher::catalog
