#include "common/catalog/check_rule.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/catalog/names.h"
#include "common/error.h"
#include "common/package_version.h"
#include "common/uuid.h"
#include "common/windows_names.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::Rule;

constexpr size_t kMaxText = 4096;
constexpr size_t kMaxQuoted = 100;
constexpr size_t kMaxSeed = 128;
constexpr absl::string_view kProduct = "{product:";

absl::Status Invalid(absl::string_view reason) {
  return Error(hr::kWuEEeInvalidExpression,
               absl::StrCat("applicability rule: ", reason));
}

absl::Status CheckComparison(int comparison) {
  if (repository::v1::Comparison_IsValid(comparison)) return absl::OkStatus();
  return Error(hr::kWuEEeUnknownExpression,
               absl::StrCat("applicability rule: comparison ", comparison,
                            " is unknown; a newer Usher may know it"));
}

// "C:\…" or "%NAME%\…".
bool IsAbsoluteWindowsPath(absl::string_view path) {
  if (absl::ConsumePrefix(&path, "%")) {
    const size_t end = path.find('%');
    return end != absl::string_view::npos && end > 0 &&
           (absl::StartsWith(path.substr(end), "%\\") ||
            absl::StartsWith(path.substr(end), "%/"));
  }
  return path.size() > 2 && absl::ascii_isalpha(path[0]) && path[1] == ':' &&
         (path[2] == '\\' || path[2] == '/');
}

absl::Status CheckFile(const repository::v1::FileRule& rule) {
  const std::string& path = rule.path();
  if (path.size() > kMaxText || HasControlCharacters(path)) {
    return Invalid("a file path is too long or has control characters");
  }
  if (absl::StartsWith(path, kProduct)) {
    const size_t end = path.find('}');
    if (end == std::string::npos ||
        !IsProductName(absl::string_view(path).substr(kProduct.size(),
                                                      end - kProduct.size()))) {
      return Invalid(absl::StrCat("bad product in the file path ", path));
    }
    if (absl::StrContains(path, "..")) {
      return Invalid(absl::StrCat("'..' in the file path ", path));
    }
  } else if (!absl::StartsWith(path, "/") && !IsAbsoluteWindowsPath(path)) {
    return Invalid(absl::StrCat("the file path ", path, " is not absolute"));
  }
  if (!rule.sha256().empty() && rule.sha256().size() != 32) {
    return Invalid("a SHA-256 has 32 bytes");
  }
  if (rule.comparison() != repository::v1::COMPARISON_EXISTS &&
      !IsWindowsVersion(rule.version())) {
    return Invalid("a file's version is up to four numbers with dots between");
  }
  return CheckComparison(rule.comparison());
}

absl::Status CheckOperatingSystem(
    const repository::v1::OperatingSystemRule& rule) {
  if (!rule.family().empty() && rule.family() != "linux" &&
      rule.family() != "windows") {
    return Invalid(absl::StrCat("operating system family ", rule.family()));
  }
  if (rule.comparison() != repository::v1::COMPARISON_EXISTS &&
      rule.version().empty()) {
    return Invalid("an operating system comparison needs a version");
  }
  return CheckComparison(rule.comparison());
}

absl::Status CheckRegistry(const repository::v1::RegistryRule& rule) {
  if (!IsRegistryKey(rule.key())) {
    return Invalid(absl::StrCat("\"", rule.key().substr(0, kMaxQuoted),
                                "\" is no registry key below HKLM or HKCU"));
  }
  if (!IsRegistryValueName(rule.value()) || rule.data().size() > kMaxText) {
    return Invalid("a registry value's name or data is too long");
  }
  if (rule.value().empty() &&
      rule.comparison() != repository::v1::COMPARISON_EXISTS) {
    return Invalid("a registry key has no data to compare; name a value");
  }
  return CheckComparison(rule.comparison());
}

absl::Status CheckMsiProduct(repository::v1::MsiProductRule& rule) {
  if (rule.product_code().empty() == rule.upgrade_code().empty()) {
    return Invalid("an MSI product has a product code or an upgrade code");
  }
  std::string& code = rule.product_code().empty()
                          ? *rule.mutable_upgrade_code()
                          : *rule.mutable_product_code();
  code = CanonicalMsiCode(code);
  if (code.empty()) {
    return Invalid("an MSI product code or upgrade code is a UUID in braces");
  }
  if (rule.comparison() != repository::v1::COMPARISON_EXISTS &&
      !IsWindowsVersion(rule.version())) {
    return Invalid("an MSI product's version is numbers with dots between");
  }
  return CheckComparison(rule.comparison());
}

absl::Status CheckDebianPackage(const repository::v1::DebianPackageRule& rule) {
  if (!IsDebianPackageName(rule.package())) {
    return Invalid(
        absl::StrCat("\"", rule.package(), "\" is no Debian package name"));
  }
  USHER_RETURN_IF_ERROR(CheckComparison(rule.comparison()));
  if (rule.comparison() != repository::v1::COMPARISON_EXISTS &&
      !IsDebianVersion(rule.version())) {
    return Invalid(
        absl::StrCat("\"", rule.version(), "\" is no Debian version"));
  }
  return absl::OkStatus();
}

absl::Status CheckInstalledUpdate(repository::v1::InstalledUpdateRule& rule) {
  if (!rule.update_id().empty()) {
    const absl::StatusOr<std::string> id = CanonicalUuid(rule.update_id());
    if (!id.ok()) {
      return Invalid(absl::StrCat("\"", rule.update_id(), "\" is no UUID"));
    }
    rule.set_update_id(*id);
  }
  return CheckComparison(rule.comparison());
}

absl::Status CheckRollout(const repository::v1::RolloutRule& rule) {
  if (rule.basis_points() < 0 || rule.basis_points() > kAllBasisPoints) {
    return Invalid(absl::StrCat("a rollout to ", rule.basis_points(),
                                " basis points; the range is 0 to ",
                                kAllBasisPoints));
  }
  if (rule.seed().size() > kMaxSeed || HasControlCharacters(rule.seed())) {
    return Invalid("a rollout's seed is too long or has control characters");
  }
  return absl::OkStatus();
}

absl::Status CheckChannel(const repository::v1::ChannelRule& rule) {
  if (rule.channels().empty()) return Invalid("a channel test without channel");
  if (rule.channels_size() > kMaxChannels) {
    return Invalid(absl::StrCat("a channel test of more than ", kMaxChannels));
  }
  for (const std::string& channel : rule.channels()) {
    if (!IsChannelName(channel)) {
      return Invalid(absl::StrCat("\"", channel.substr(0, kMaxQuoted),
                                  "\" is no name of a channel"));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(Rule& rule, int depth, int& nodes);

absl::Status CheckList(Rule::List& list, int depth, int& nodes) {
  for (Rule& part : *list.mutable_rules()) {
    USHER_RETURN_IF_ERROR(Check(part, depth + 1, nodes));
  }
  return absl::OkStatus();
}

absl::Status Check(Rule& rule, int depth, int& nodes) {
  if (depth > kMaxRuleDepth) {
    return Invalid(absl::StrCat("nested deeper than ", kMaxRuleDepth));
  }
  if (++nodes > kMaxRuleNodes) {
    return Invalid(absl::StrCat("more than ", kMaxRuleNodes, " tests"));
  }
  switch (rule.kind_case()) {
    case Rule::kAllOf:
      return CheckList(*rule.mutable_all_of(), depth, nodes);
    case Rule::kAnyOf:
      return CheckList(*rule.mutable_any_of(), depth, nodes);
    case Rule::kNot:
      return Check(*rule.mutable_not_(), depth + 1, nodes);
    case Rule::kConstant:
      return absl::OkStatus();
    case Rule::kOperatingSystem:
      return CheckOperatingSystem(rule.operating_system());
    case Rule::kArchitecture:
      return rule.architecture().architectures().empty()
                 ? Invalid("an architecture test without architecture")
                 : absl::OkStatus();
    case Rule::kFile:
      return CheckFile(rule.file());
    case Rule::kRegistry:
      return CheckRegistry(rule.registry());
    case Rule::kMsiProduct:
      return CheckMsiProduct(*rule.mutable_msi_product());
    case Rule::kDebianPackage:
      return CheckDebianPackage(rule.debian_package());
    case Rule::kInstalledUpdate:
      return CheckInstalledUpdate(*rule.mutable_installed_update());
    case Rule::kMachineLabel:
      return rule.machine_label().label().empty()
                 ? Invalid("a label test without label")
                 : absl::OkStatus();
    case Rule::kRollout:
      return CheckRollout(rule.rollout());
    case Rule::kChannel:
      return CheckChannel(rule.channel());
    case Rule::KIND_NOT_SET:
      break;
  }
  return Error(hr::kWuEEeUnknownExpression,
               "applicability rule: a test of unknown kind; a newer Usher may "
               "know it");
}

}  // namespace

absl::Status CheckRule(Rule& rule) {
  int nodes = 0;
  return Check(rule, 1, nodes);
}

}  // namespace usher::catalog
