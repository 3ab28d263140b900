#include "service/catalog/rules.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/package_version.h"
#include "service/catalog/rollout.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::Comparison;
using repository::v1::Rule;

// Whether `order`, how the found value stands to the wanted one, satisfies
// `comparison`.
bool Satisfies(int order, Comparison comparison) {
  switch (comparison) {
    case repository::v1::COMPARISON_EXISTS:
      return true;
    case repository::v1::COMPARISON_EQUAL:
      return order == 0;
    case repository::v1::COMPARISON_NOT_EQUAL:
      return order != 0;
    case repository::v1::COMPARISON_LESS:
      return order < 0;
    case repository::v1::COMPARISON_LESS_OR_EQUAL:
      return order <= 0;
    case repository::v1::COMPARISON_GREATER:
      return order > 0;
    case repository::v1::COMPARISON_GREATER_OR_EQUAL:
      return order >= 0;
    default:
      return false;
  }
}

bool MatchesOperatingSystem(const repository::v1::OperatingSystemRule& rule,
                            const MachineFacts& machine) {
  if (!rule.family().empty() && rule.family() != machine.family) return false;
  if (!rule.distribution().empty() &&
      rule.distribution() != machine.distribution) {
    return false;
  }
  return Satisfies(CompareDottedVersions(machine.version, rule.version()),
                   rule.comparison());
}

bool MatchesArchitecture(const repository::v1::ArchitectureRule& rule,
                         const MachineFacts& machine) {
  return std::any_of(rule.architectures().begin(), rule.architectures().end(),
                     [&machine](const std::string& architecture) {
                       return architecture == "all" ||
                              architecture == machine.architecture;
                     });
}

bool MatchesFile(const repository::v1::FileRule& rule, Facts& facts) {
  if (rule.comparison() != repository::v1::COMPARISON_EXISTS) {
    const std::string version = facts.FileVersion(rule.path());
    if (version.empty() ||
        !Satisfies(CompareDottedVersions(version, rule.version()),
                   rule.comparison())) {
      return false;
    }
  }
  if (rule.sha256().empty()) return !facts.Stamp(rule.path()).empty();
  Sha256Digest digest;
  std::memcpy(digest.data(), rule.sha256().data(), digest.size());
  return facts.HasDigest(rule.path(), digest);
}

bool LooksLikeVersion(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(c) || c == '.';
  });
}

bool MatchesRegistry(const repository::v1::RegistryRule& rule,
                     const Facts& facts) {
  const absl::optional<std::string> found =
      facts.probe().RegistryData(rule.key(), rule.value());
  if (!found.has_value()) return false;
  const bool versions =
      LooksLikeVersion(*found) && LooksLikeVersion(rule.data());
  return Satisfies(versions ? CompareDottedVersions(*found, rule.data())
                            : found->compare(rule.data()),
                   rule.comparison());
}

bool MatchesMsiProduct(const repository::v1::MsiProductRule& rule,
                       const Facts& facts) {
  std::vector<std::string> versions;
  if (rule.upgrade_code().empty()) {
    const absl::optional<std::string> version =
        facts.probe().MsiVersion(rule.product_code());
    if (version.has_value()) versions.push_back(*version);
  } else {
    versions = facts.probe().MsiVersionsByUpgradeCode(rule.upgrade_code());
  }
  return std::any_of(
      versions.begin(), versions.end(), [&rule](const std::string& version) {
        return Satisfies(CompareDottedVersions(version, rule.version()),
                         rule.comparison());
      });
}

bool MatchesDebianPackage(const repository::v1::DebianPackageRule& rule,
                          const MachineFacts& machine) {
  const auto found = machine.packages.find(rule.package());
  if (found == machine.packages.end()) return false;
  return std::any_of(
      found->second.begin(), found->second.end(),
      [&](const DebianPackage& package) {
        // A package for all architectures counts as one of the machine's own.
        const bool architecture_fits =
            rule.architecture().empty() ||
            rule.architecture() == package.architecture ||
            (package.architecture == "all" &&
             rule.architecture() == machine.architecture);
        return architecture_fits &&
               Satisfies(CompareDebianVersions(package.version, rule.version()),
                         rule.comparison());
      });
}

absl::StatusOr<bool> MatchesInstalledUpdate(
    const repository::v1::InstalledUpdateRule& rule, Receipts& receipts) {
  const absl::StatusOr<int32_t> revision =
      receipts.InstalledRevision(rule.update_id());
  if (!revision.ok()) return revision.status();
  if (*revision == 0) return false;
  const int order = *revision < rule.revision_number()
                        ? -1
                        : (*revision > rule.revision_number() ? 1 : 0);
  return Satisfies(order, rule.comparison());
}

bool MatchesRollout(const repository::v1::RolloutRule& rule,
                    absl::string_view own_update_id,
                    const MachineFacts& machine) {
  return RolloutDraw(machine.rollout_id, rule.seed().empty()
                                             ? own_update_id
                                             : absl::string_view(rule.seed())) <
         rule.basis_points();
}

bool MatchesChannel(const repository::v1::ChannelRule& rule,
                    const MachineFacts& machine) {
  return std::any_of(rule.channels().begin(), rule.channels().end(),
                     [&machine](const std::string& channel) {
                       return std::binary_search(machine.channels.begin(),
                                                 machine.channels.end(),
                                                 channel);
                     });
}

}  // namespace

absl::StatusOr<bool> EvaluateRule(const Rule& rule,
                                  absl::string_view own_update_id,
                                  const MachineFacts& machine, Facts& facts,
                                  Receipts& receipts) {
  switch (rule.kind_case()) {
    case Rule::kAllOf:
      for (const Rule& part : rule.all_of().rules()) {
        auto value =
            EvaluateRule(part, own_update_id, machine, facts, receipts);
        if (!value.ok() || !*value) return value;
      }
      return true;
    case Rule::kAnyOf:
      for (const Rule& part : rule.any_of().rules()) {
        auto value =
            EvaluateRule(part, own_update_id, machine, facts, receipts);
        if (!value.ok() || *value) return value;
      }
      return false;
    case Rule::kNot: {
      auto value =
          EvaluateRule(rule.not_(), own_update_id, machine, facts, receipts);
      if (!value.ok()) return value;
      return !*value;
    }
    case Rule::kConstant:
      return rule.constant();
    case Rule::kOperatingSystem:
      return MatchesOperatingSystem(rule.operating_system(), machine);
    case Rule::kArchitecture:
      return MatchesArchitecture(rule.architecture(), machine);
    case Rule::kFile:
      return MatchesFile(rule.file(), facts);
    case Rule::kDebianPackage:
      return MatchesDebianPackage(rule.debian_package(), machine);
    case Rule::kInstalledUpdate:
      return MatchesInstalledUpdate(rule.installed_update(), receipts);
    case Rule::kMachineLabel:
      return std::find(machine.labels.begin(), machine.labels.end(),
                       rule.machine_label().label()) != machine.labels.end();
    case Rule::kRegistry:
      return MatchesRegistry(rule.registry(), facts);
    case Rule::kMsiProduct:
      return MatchesMsiProduct(rule.msi_product(), facts);
    case Rule::kRollout:
      return MatchesRollout(rule.rollout(), own_update_id, machine);
    case Rule::kChannel:
      return MatchesChannel(rule.channel(), machine);
    case Rule::KIND_NOT_SET:
      return false;
  }
  return false;
}

void CollectFacts(const Rule& rule, absl::string_view own_update_id,
                  RuleFacts& facts) {
  switch (rule.kind_case()) {
    case Rule::kAllOf:
      for (const Rule& part : rule.all_of().rules()) {
        CollectFacts(part, own_update_id, facts);
      }
      break;
    case Rule::kAnyOf:
      for (const Rule& part : rule.any_of().rules()) {
        CollectFacts(part, own_update_id, facts);
      }
      break;
    case Rule::kNot:
      CollectFacts(rule.not_(), own_update_id, facts);
      break;
    case Rule::kFile:
      facts.emplace(FactKind::kFile, rule.file().path());
      break;
    case Rule::kRegistry:
      facts.emplace(
          FactKind::kRegistry,
          RegistryFactKey(rule.registry().key(), rule.registry().value()));
      break;
    case Rule::kMsiProduct:
      facts.emplace(
          FactKind::kMsiProduct,
          rule.msi_product().upgrade_code().empty()
              ? rule.msi_product().product_code()
              : absl::StrCat("upgrade ", rule.msi_product().upgrade_code()));
      break;
    case Rule::kDebianPackage:
      facts.emplace(FactKind::kDebianPackage, rule.debian_package().package());
      break;
    case Rule::kInstalledUpdate:
      facts.emplace(FactKind::kUpdate,
                    rule.installed_update().update_id().empty()
                        ? std::string{own_update_id}
                        : rule.installed_update().update_id());
      break;
    default:
      break;
  }
}

}  // namespace usher::catalog
