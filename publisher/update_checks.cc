#include "publisher/update_checks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/catalog/check_record.h"
#include "common/catalog/check_rule.h"
#include "common/error.h"
#include "common/utf8.h"
#include "common/uuid.h"
#include "common/windows_names.h"
#include "publisher/catalog_file.h"
#include "publisher/staging.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::Comparison;
using repository::v1::Handler;
using repository::v1::Payload;
using repository::v1::Rule;
using repository::v1::UpdateDescription;

constexpr int kMaxRuleDepth = 16;
constexpr int kMaxRuleNodes = 256;
constexpr int64_t kMaxPayloadBytes = int64_t{1} << 40;

absl::Status Invalid(absl::string_view reason) {
  return Error(hr::kWuEInvalidUpdate, reason);
}

absl::Status InvalidRule(absl::string_view reason) {
  return Error(hr::kWuEEeInvalidExpression, reason);
}

bool IsUuid(absl::string_view text) {
  const auto canonical = CanonicalUuid(text);
  return canonical.ok() && *canonical == text;
}

absl::Status CheckComparison(Comparison comparison, absl::string_view version,
                             absl::string_view what) {
  if (!repository::v1::Comparison_IsValid(comparison)) {
    return InvalidRule(absl::StrCat(what, ": unknown comparison"));
  }
  if ((comparison == repository::v1::COMPARISON_EXISTS) != version.empty()) {
    return InvalidRule(
        absl::StrCat(what, ": a comparison and a version go together"));
  }
  return absl::OkStatus();
}

absl::Status CheckLeaf(const Rule& rule) {
  switch (rule.kind_case()) {
    case Rule::kConstant:
      return absl::OkStatus();
    case Rule::kOperatingSystem: {
      const auto& r = rule.operating_system();
      if (!r.family().empty() && r.family() != "linux" &&
          r.family() != "windows") {
        return InvalidRule("operating_system: family is linux or windows");
      }
      return CheckComparison(r.comparison(), r.version(), "operating_system");
    }
    case Rule::kArchitecture:
      if (rule.architecture().architectures().empty()) {
        return InvalidRule("architecture: names no architecture");
      }
      return absl::OkStatus();
    case Rule::kFile: {
      const auto& r = rule.file();
      if (r.path().empty()) return InvalidRule("file: path is missing");
      if (!r.sha256().empty() && r.sha256().size() != 32) {
        return InvalidRule("file: sha256 has not 32 bytes");
      }
      if (r.comparison() != repository::v1::COMPARISON_EXISTS &&
          !IsWindowsVersion(r.version())) {
        return InvalidRule(
            "file: version is up to four numbers with dots between");
      }
      return absl::OkStatus();
    }
    case Rule::kRegistry: {
      const auto& r = rule.registry();
      if (!IsRegistryKey(r.key()) || !IsRegistryValueName(r.value())) {
        return InvalidRule(
            "registry: no key below HKLM\\ or HKCU\\, or no value");
      }
      if (r.value().empty() &&
          r.comparison() != repository::v1::COMPARISON_EXISTS) {
        return InvalidRule("registry: data to compare needs a value");
      }
      return CheckComparison(r.comparison(), r.data(), "registry");
    }
    case Rule::kMsiProduct: {
      const auto& r = rule.msi_product();
      if (CanonicalMsiCode(absl::StrCat(r.product_code(), r.upgrade_code()))
              .empty()) {
        return InvalidRule(
            "msi_product: exactly one of product_code and upgrade_code, a UUID "
            "in braces");
      }
      if (r.comparison() != repository::v1::COMPARISON_EXISTS &&
          !IsWindowsVersion(r.version())) {
        return InvalidRule(
            "msi_product: version is up to four numbers with dots between");
      }
      return absl::OkStatus();
    }
    case Rule::kDebianPackage: {
      const auto& r = rule.debian_package();
      if (r.package().empty()) {
        return InvalidRule("debian_package: package is missing");
      }
      return CheckComparison(r.comparison(), r.version(), "debian_package");
    }
    case Rule::kInstalledUpdate: {
      const auto& r = rule.installed_update();
      if (!r.update_id().empty() && !IsUuid(r.update_id())) {
        return InvalidRule("installed_update: update_id is not a UUID");
      }
      if (r.comparison() != repository::v1::COMPARISON_EXISTS &&
          r.revision_number() < 1) {
        return InvalidRule("installed_update: revision_number is missing");
      }
      return absl::OkStatus();
    }
    case Rule::kMachineLabel:
      if (rule.machine_label().label().empty()) {
        return InvalidRule("machine_label: label is missing");
      }
      return absl::OkStatus();
    case Rule::kRollout:
    case Rule::kChannel:
      return absl::OkStatus();  // the client's own check says it all
    default:
      return InvalidRule("a rule is empty");
  }
}

absl::Status CheckRuleNode(const Rule& rule, int depth, int& nodes) {
  if (depth > kMaxRuleDepth) {
    return InvalidRule("rules are nested deeper than 16");
  }
  if (++nodes > kMaxRuleNodes) {
    return InvalidRule("a rule has more than 256 nodes");
  }
  switch (rule.kind_case()) {
    case Rule::kAllOf:
      for (const Rule& child : rule.all_of().rules()) {
        USHER_RETURN_IF_ERROR(CheckRuleNode(child, depth + 1, nodes));
      }
      return absl::OkStatus();
    case Rule::kAnyOf:
      for (const Rule& child : rule.any_of().rules()) {
        USHER_RETURN_IF_ERROR(CheckRuleNode(child, depth + 1, nodes));
      }
      return absl::OkStatus();
    case Rule::kNot:
      return CheckRuleNode(rule.not_(), depth + 1, nodes);
    default:
      return CheckLeaf(rule);
  }
}

absl::Status CheckIdentity(const usher::v1::Update& update) {
  if (!IsUuid(update.identity().update_id())) {
    return Invalid("update_id is not a UUID");
  }
  if (update.identity().revision_number() < 1) {
    return Invalid("revision is less than 1");
  }
  if (update.title().empty()) return Invalid("title is missing");
  for (const std::string& id : update.superseded_update_ids()) {
    if (!IsUuid(id)) {
      return Invalid(absl::StrCat("superseded \"", id, "\" is not a UUID"));
    }
    if (id == update.identity().update_id()) {
      return Invalid("an update cannot supersede itself");
    }
  }
  for (const std::string& id : update.category_ids()) {
    if (!IsUuid(id)) {
      return Invalid(absl::StrCat("category \"", id, "\" is not a UUID"));
    }
  }
  for (const auto& child : update.bundled_updates()) {
    if (!IsUuid(child.update_id()) || child.revision_number() < 1) {
      return Invalid("a bundled update needs a UUID and a revision");
    }
    if (child.update_id() == update.identity().update_id()) {
      return Invalid("a bundle cannot contain itself");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckValues(const usher::v1::Update& update) {
  static constexpr absl::string_view kSeverities[] = {
      "", "Critical", "Important", "Moderate", "Low"};
  if (std::find(std::begin(kSeverities), std::end(kSeverities),
                update.msrc_severity()) == std::end(kSeverities)) {
    return Invalid(
        "msrc_severity is Critical, Important, Moderate, Low or empty");
  }
  for (const std::string& id : update.kb_article_ids()) {
    if (id.empty() || absl::StartsWithIgnoreCase(id, "KB")) {
      return Invalid("kb_article_ids are written without the prefix \"KB\"");
    }
  }
  if (update.type() == usher::v1::UPDATE_TYPE_UNSPECIFIED) {
    return Invalid("type is missing");
  }
  if (!update.driver_entries().empty() &&
      update.type() != usher::v1::UPDATE_TYPE_DRIVER) {
    return Invalid("driver entries need type = \"driver\"");
  }
  if (update.has_uninstallation_behavior() && !update.is_uninstallable()) {
    return Invalid("uninstallation_behavior needs is_uninstallable = true");
  }
  if (update.recommended_cpu_speed() < 0 ||
      update.recommended_hard_disk_space() < 0 ||
      update.recommended_memory() < 0) {
    return Invalid("a recommended size is negative");
  }
  return absl::OkStatus();
}

absl::Status CheckContent(const UpdateDescription& description) {
  const bool bundle = !description.update().bundled_updates().empty();
  if (bundle) {
    if (!description.payloads().empty() || description.has_handler()) {
      return Invalid("a bundle has neither payloads nor a handler of its own");
    }
    return absl::OkStatus();
  }
  if (!description.has_handler()) return Invalid("a handler is missing");
  USHER_RETURN_IF_ERROR(
      CheckHandler(description.handler(), description.payloads_size()));
  std::set<std::string> names;
  for (const Payload& payload : description.payloads()) {
    USHER_RETURN_IF_ERROR(CheckPayload(payload));
    // Two names that differ in case only are one file on Windows.
    if (!names.insert(absl::AsciiStrToLower(payload.name())).second) {
      return Invalid(
          absl::StrCat("two payloads are named \"", payload.name(), "\""));
    }
  }
  const Handler& handler = description.handler();
  if (handler.has_exec()) {
    for (const std::string& program :
         {handler.exec().program(), handler.exec().uninstall_program()}) {
      if (!program.empty() &&
          names.count(absl::AsciiStrToLower(program)) == 0) {
        return Invalid(
            absl::StrCat("program \"", program, "\" is not a payload"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsProductName(absl::string_view text, absl::string_view also) {
  return !text.empty() && text.size() <= 128 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [also](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::StrContains("._+-", c) || absl::StrContains(also, c);
         });
}

bool IsPayloadName(absl::string_view text) {
  return !text.empty() && text.size() <= 255 && text != "." && text != ".." &&
         text.back() != '.' && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c >= 0x20 && c != 0x7F &&
                  !absl::StrContains("/\\:*?\"<>|", static_cast<char>(c));
         });
}

bool IsLanguageTag(absl::string_view text) {
  bool first = true;
  for (const absl::string_view part : absl::StrSplit(text, '-')) {
    if (part.empty() || part.size() > 8 || (first && part.size() < 2) ||
        !std::all_of(part.begin(), part.end(), [first](unsigned char c) {
          return first ? absl::ascii_isalpha(c) : absl::ascii_isalnum(c);
        })) {
      return false;
    }
    first = false;
  }
  return true;
}

bool IsHttpUrl(absl::string_view text) {
  const bool scheme = absl::StartsWithIgnoreCase(text, "http://") ||
                      absl::StartsWithIgnoreCase(text, "https://");
  return scheme && text.size() > 8 && text.size() <= 2048 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c != 0x7F; });
}

absl::Status CheckPayload(const Payload& payload) {
  if (!IsPayloadName(payload.name())) {
    return Invalid(absl::StrCat("payload name \"", payload.name(),
                                "\" is not a plain file name"));
  }
  if (payload.size() < 0 || payload.size() > kMaxPayloadBytes) {
    return Invalid(absl::StrCat("payload ", payload.name(),
                                ": size is outside 0 to 2^40 bytes"));
  }
  if (payload.sha256().size() != 32) {
    return Invalid(
        absl::StrCat("payload ", payload.name(), ": sha256 is missing"));
  }
  if (payload.location().empty()) {
    return Invalid(
        absl::StrCat("payload ", payload.name(), ": location is missing"));
  }
  return absl::OkStatus();
}

namespace {

absl::Status CheckMsi(const repository::v1::MsiHandler& msi) {
  if (CanonicalMsiCode(msi.product_code()).empty()) {
    return Invalid("handler.msi.product_code is a UUID in braces");
  }
  if (msi.properties_size() > 64) {
    return Invalid("handler.msi.properties has more than 64");
  }
  for (const auto& [name, value] : msi.properties()) {
    if (!IsMsiProperty(name)) {
      return Invalid(absl::StrCat("handler.msi.properties: ", name,
                                  " is no public property (capitals, digits, "
                                  "'_', '.')"));
    }
    if (!IsMsiPropertyValue(value)) {
      return Invalid(absl::StrCat(
          "handler.msi.properties: the value of ", name,
          " has quotes or control characters, or is longer than 1024 bytes"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHandler(const Handler& handler, int payload_count) {
  if (handler.kind_case() == Handler::KIND_NOT_SET) {
    return Invalid("a handler is missing");
  }
  if (payload_count == 0) return Invalid("the handler has no payload");
  if (handler.has_archive()) {
    const auto& archive = handler.archive();
    if (!IsProductName(archive.product())) {
      return Invalid(
          "handler.archive.product is letters, digits, '.', '_', '+', '-'");
    }
    if (!IsProductName(archive.version(), "~:")) {
      return Invalid(
          "handler.archive.version is letters, digits, '.', '_', '+', '-', "
          "'~', ':'");
    }
    if (archive.strip_components() < 0 || archive.max_unpacked_size() < 0) {
      return Invalid("handler.archive has a negative number");
    }
  }
  if (handler.has_exec() && (handler.exec().timeout_seconds() < 0 ||
                             handler.exec().timeout_seconds() > 86400)) {
    return Invalid("handler.exec.timeout_seconds is outside 0 to 86400");
  }
  return handler.has_msi() ? CheckMsi(handler.msi()) : absl::OkStatus();
}

absl::Status CheckRule(const Rule& rule) {
  int nodes = 0;
  USHER_RETURN_IF_ERROR(CheckRuleNode(rule, 1, nodes));
  Rule taken = rule;
  return catalog::CheckRule(taken);
}

absl::Status CheckCategory(const usher::v1::Category& category) {
  static constexpr absl::string_view kTypes[] = {
      "Company", "ProductFamily", "Product", "UpdateClassification"};
  if (!IsUuid(category.category_id())) return Invalid("category has no UUID");
  if (category.name().empty()) return Invalid("category has no name");
  if (!IsValidUtf8(category.name()) || !IsValidUtf8(category.description())) {
    return Invalid("category has a text that is not UTF-8");
  }
  if (std::find(std::begin(kTypes), std::end(kTypes), category.type()) ==
      std::end(kTypes)) {
    return Invalid(
        "category type is Company, ProductFamily, Product or "
        "UpdateClassification");
  }
  if (category.type() == "UpdateClassification" &&
      !category.parent_category_id().empty()) {
    return Invalid("an UpdateClassification has no parent");
  }
  usher::v1::Category taken = category;
  return catalog::CheckCategory(taken);
}

namespace {

absl::Status AboutUpdate(const UpdateDescription& description,
                         const absl::Status& status) {
  if (status.ok()) return status;
  const std::string subject = description.update().name().empty()
                                  ? description.update().identity().update_id()
                                  : description.update().name();
  return Error(HResultOf(status), absl::StrCat(subject, ": ", status.message()),
               subject);
}

}  // namespace

absl::Status CheckUpdate(const UpdateDescription& description) {
  const auto check = [&description]() -> absl::Status {
    const usher::v1::Update& update = description.update();
    if (!HasValidTexts(description)) {
      return Invalid("a name or text is not UTF-8");
    }
    USHER_RETURN_IF_ERROR(CheckIdentity(update));
    USHER_RETURN_IF_ERROR(CheckValues(update));
    USHER_RETURN_IF_ERROR(CheckContent(description));
    if (description.has_is_installed()) {
      USHER_RETURN_IF_ERROR(
          Annotate(CheckRule(description.is_installed()), "is_installed"));
    }
    if (description.has_is_installable()) {
      USHER_RETURN_IF_ERROR(
          Annotate(CheckRule(description.is_installable()), "is_installable"));
    }
    USHER_RETURN_IF_ERROR(CheckStaging(description));
    if (description.ByteSizeLong() + 16 > kMaxRecordBytes) {
      return Invalid("the description is larger than the limit of 1 MiB");
    }
    return absl::OkStatus();
  };
  return AboutUpdate(description, check());
}

absl::Status CheckSupersedence(
    const UpdateDescription& description,
    absl::FunctionRef<bool(absl::string_view, UpdateDescription&)> find) {
  const usher::v1::Update& update = description.update();
  const std::string& id = update.identity().update_id();
  std::vector<std::string> open(update.superseded_update_ids().begin(),
                                update.superseded_update_ids().end());
  std::set<std::string> seen(open.begin(), open.end());
  UpdateDescription found;
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    if (!find(next, found)) continue;
    for (const std::string& old : found.update().superseded_update_ids()) {
      if (old == id) {
        return AboutUpdate(
            description,
            Invalid(absl::StrCat(
                "it and ", found.update().name(), " (", next,
                ") supersede each other, perhaps by way of others; take one of "
                "them out of superseded_update_ids")));
      }
      if (seen.insert(old).second) open.push_back(old);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAsClients(const UpdateDescription& description) {
  UpdateDescription taken = description;
  return AboutUpdate(description, catalog::CheckUpdate(taken));
}

absl::Status CheckAsClients(const repository::v1::CatalogHeader& header) {
  return catalog::CheckHeader(header, header.service_id());
}

}  // namespace usher::publisher
