#include "publisher/deb_update.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/package_version.h"
#include "common/uuid.h"
#include "publisher/catalog_file.h"
#include "publisher/staging.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

using repository::v1::Rule;
using repository::v1::UpdateDescription;

bool IsPackageName(absl::string_view name) {
  return name.size() >= 2 && name.size() <= 128 &&
         absl::ascii_isalnum(name.front()) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) ||
                  c == '+' || c == '-' || c == '.';
         });
}

bool IsArchitecture(absl::string_view name) {
  return !name.empty() && name.size() <= 32 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

void AddVersionRule(const DebIdentity& deb, Rule& rule) {
  auto& test = *rule.mutable_debian_package();
  test.set_package(deb.name);
  test.set_comparison(repository::v1::COMPARISON_GREATER_OR_EQUAL);
  test.set_version(deb.version);
}

void SetRules(const DebIdentity& deb, const DebOptions& options,
              UpdateDescription& description) {
  auto& conditions = *description.mutable_is_installable()->mutable_all_of();
  if (deb.architecture != "all") {
    conditions.add_rules()->mutable_architecture()->add_architectures(
        deb.architecture);
  }
  if (!options.min_os_version.empty()) {
    auto& system = *conditions.add_rules()->mutable_operating_system();
    system.set_family("linux");
    system.set_distribution(options.min_os_distribution);
    system.set_comparison(repository::v1::COMPARISON_GREATER_OR_EQUAL);
    system.set_version(options.min_os_version);
  }
  if (options.installer == DebInstaller::kDeb) {
    AddVersionRule(deb, *description.mutable_is_installed());
    // Not "less than": that is false where the package is not there at all.
    AddVersionRule(deb, *conditions.add_rules()->mutable_not_());
  } else {
    description.mutable_is_installed()->mutable_installed_update();
  }
  if (conditions.rules().empty()) description.clear_is_installable();
  if (options.basis_points.has_value()) {
    SetShare(*options.basis_points, description);
  }
  if (!options.channels.empty()) SetChannels(options.channels, description);
}

// What is being rolled out stays so when its package is taken in again.
void KeepStaging(const DebItem& item, const Draft& draft,
                 UpdateDescription& description) {
  const DraftEntry* const entry = draft.Find(item.update_id);
  if (entry == nullptr || !(item.keep_share || item.keep_channels)) return;
  const Staging before = StagingOf(entry->Parse());
  if (item.keep_share) SetShare(before.basis_points, description);
  if (item.keep_channels) SetChannels(before.channels, description);
}

void SetHandler(const DebIdentity& deb, const DebOptions& options,
                UpdateDescription& description) {
  if (options.installer == DebInstaller::kDeb) {
    description.mutable_handler()->mutable_deb();
    return;
  }
  auto& archive = *description.mutable_handler()->mutable_archive();
  archive.set_product(deb.name);
  archive.set_version(deb.version);
}

void SetTexts(const DebIdentity& deb, const ControlParagraph& control,
              const DebOptions& options, usher::v1::Update& update) {
  const absl::string_view text = control.Get("Description");
  const std::string synopsis = DescriptionSynopsis(text);
  update.set_name(deb.name);
  update.set_version(deb.version);
  update.set_title(synopsis.empty() ? absl::StrCat(deb.name, " ", deb.version)
                                    : absl::StrCat(deb.name, " ", deb.version,
                                                   " - ", synopsis));
  update.set_description(DescriptionBody(text));
  if (const absl::string_view home = control.Get("Homepage"); IsHttpUrl(home)) {
    update.add_more_info_urls(std::string(home));
  }
  update.set_eula_text(options.eula_text);
  update.set_release_notes(options.release_notes);
  update.set_support_url(options.support_url);
  update.set_msrc_severity(options.msrc_severity);
}

void SetBehavior(const ControlParagraph& control, const DebOptions& options,
                 usher::v1::Update& update) {
  update.set_type(usher::v1::UPDATE_TYPE_SOFTWARE);
  update.set_deployment_action(usher::v1::DEPLOYMENT_ACTION_INSTALLATION);
  update.set_download_priority(usher::v1::DOWNLOAD_PRIORITY_NORMAL);
  update.mutable_installation_behavior()->set_reboot_behavior(options.reboot);
  // Removing an essential package breaks the machine.
  const bool essential =
      options.installer == DebInstaller::kDeb &&
      absl::EqualsIgnoreCase(control.Get("Essential"), "yes");
  update.set_is_uninstallable(!essential);
  if (!essential) {
    update.mutable_uninstallation_behavior()->set_reboot_behavior(
        options.reboot);
  }
}

// A version of one package, wherever it is.
struct Version {
  std::string version;
  std::string update_id;
  DebItem* item = nullptr;  // null: in the draft
};

// The package that a draft entry stands for: made from a package if the id
// says so.
bool IdentifyEntry(const DraftEntry& entry, absl::string_view service_id,
                   DebIdentity& deb) {
  const UpdateDescription description = entry.Parse();
  if (description.payloads_size() != 1) return false;
  absl::string_view name = description.payloads(0).name();
  if (!absl::ConsumeSuffix(&name, ".deb")) return false;
  const size_t underscore = name.rfind('_');
  if (underscore == absl::string_view::npos) return false;
  deb = {entry.name, entry.version, std::string(name.substr(underscore + 1))};
  return DebUpdateId(service_id, deb) == entry.update_id;
}

bool Newer(const Version& a, const Version& b) {
  return CompareDebianVersions(a.version, b.version) > 0;
}

// Adds ids of versions older than `version` to the description; true if any
// was new.
bool SupersedeOlder(const Version& version, const std::vector<Version>& all,
                    bool items_only, UpdateDescription& description) {
  usher::v1::Update& update = *description.mutable_update();
  std::set<std::string> ids(update.superseded_update_ids().begin(),
                            update.superseded_update_ids().end());
  const size_t before = ids.size();
  for (const Version& other : all) {
    if (items_only && other.item == nullptr) continue;
    if (Newer(version, other)) ids.insert(other.update_id);
  }
  if (ids.size() == before) return false;
  update.clear_superseded_update_ids();
  for (const std::string& id : ids) update.add_superseded_update_ids(id);
  return true;
}

// Links the versions of one package and architecture.
absl::Status Link(const std::vector<Version>& versions, absl::Time now,
                  Draft& draft) {
  for (const Version& version : versions) {
    UpdateDescription description;
    if (version.item != nullptr) {
      if (!version.item->supersede_older) continue;
      description.ParseFromString(version.item->wire);
      if (SupersedeOlder(version, versions, false, description)) {
        version.item->wire = DeterministicWire(description);
      }
      continue;
    }
    description = draft.Find(version.update_id)->Parse();
    if (SupersedeOlder(version, versions, true, description)) {
      description.mutable_update()->clear_last_deployment_change_time();
      const auto put =
          draft.Put(std::move(description), Draft::Revisions::kAutomatic, now);
      if (!put.ok()) return put.status();
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DebIdentity> IdentityOf(const ControlParagraph& control) {
  DebIdentity deb{std::string(control.Get("Package")),
                  std::string(control.Get("Version")),
                  std::string(control.Get("Architecture"))};
  const auto bad = [](absl::string_view field, absl::string_view value) {
    return Error(hr::kWuEInvalidFile,
                 value.empty()
                     ? absl::StrCat("the control field ", field, " is missing")
                     : absl::StrCat("the control field ", field, " has \"",
                                    value, "\", which Debian Policy forbids"),
                 field);
  };
  if (!IsPackageName(deb.name)) return bad("Package", deb.name);
  if (!IsDebianVersion(deb.version) || deb.version.size() > 128) {
    return bad("Version", deb.version);
  }
  if (!IsArchitecture(deb.architecture)) {
    return bad("Architecture", deb.architecture);
  }
  return deb;
}

std::string DebUpdateId(absl::string_view service_id, const DebIdentity& deb) {
  return NamedUuid(service_id, absl::StrCat("deb:", deb.name, "_", deb.version,
                                            "_", deb.architecture));
}

std::string DebFileName(const DebIdentity& deb) {
  const absl::string_view version = deb.version;
  const size_t colon = version.find(':');
  return absl::StrCat(
      deb.name, "_",
      colon == absl::string_view::npos ? version : version.substr(colon + 1),
      "_", deb.architecture, ".deb");
}

absl::StatusOr<UpdateDescription> DescribeDeb(absl::string_view service_id,
                                              const ControlParagraph& control,
                                              const DebOptions& options,
                                              int64_t size,
                                              const Sha256Digest& sha256,
                                              absl::string_view location) {
  USHER_ASSIGN_OR_RETURN(const DebIdentity deb, IdentityOf(control));
  UpdateDescription description;
  usher::v1::Update& update = *description.mutable_update();
  update.mutable_identity()->set_update_id(DebUpdateId(service_id, deb));
  update.mutable_identity()->set_revision_number(1);
  SetTexts(deb, control, options, update);
  SetBehavior(control, options, update);
  for (const std::string& id : options.category_ids) {
    update.add_category_ids(id);
  }
  for (const std::string& id : options.superseded_update_ids) {
    update.add_superseded_update_ids(id);
  }
  auto& payload = *description.add_payloads();
  payload.set_name(DebFileName(deb));
  payload.set_size(size);
  payload.set_sha256(sha256.data(), sha256.size());
  payload.set_location(std::string(location));
  SetHandler(deb, options, description);
  SetRules(deb, options, description);
  USHER_RETURN_IF_ERROR(CheckUpdate(description));
  return description;
}

absl::StatusOr<DebSummary> PutDebs(std::vector<DebItem> items,
                                   absl::string_view service_id, absl::Time now,
                                   Draft& draft) {
  // Package and architecture -> its versions among the items.
  std::map<std::pair<std::string, std::string>, std::vector<Version>> groups;
  std::set<std::string> seen;
  std::set<std::string> names;
  for (DebItem& item : items) {
    if (!seen.insert(item.update_id).second) {
      item.wire.clear();
      continue;
    }
    names.insert(item.deb.name);
    groups[{item.deb.name, item.deb.architecture}].push_back(
        {item.deb.version, item.update_id, &item});
  }
  for (const std::string& name : names) {
    for (const DraftEntry* entry : draft.Named(name)) {
      if (seen.count(entry->update_id) != 0) continue;
      DebIdentity deb;
      if (!IdentifyEntry(*entry, service_id, deb)) continue;
      const auto group = groups.find({deb.name, deb.architecture});
      if (group == groups.end()) continue;
      group->second.push_back({deb.version, entry->update_id, nullptr});
    }
  }
  for (const auto& [key, versions] : groups) {
    if (versions.size() < 2) continue;
    USHER_RETURN_IF_ERROR(Link(versions, now, draft));
  }
  DebSummary summary;
  UpdateDescription description;
  for (DebItem& item : items) {
    if (item.wire.empty()) continue;
    description.ParseFromString(item.wire);
    std::string().swap(item.wire);
    KeepStaging(item, draft, description);
    USHER_ASSIGN_OR_RETURN(
        const DraftChange change,
        draft.Put(description, Draft::Revisions::kAutomatic, now));
    summary.added += change == DraftChange::kAdded ? 1 : 0;
    summary.revised += change == DraftChange::kRevised ? 1 : 0;
    summary.unchanged += change == DraftChange::kUnchanged ? 1 : 0;
  }
  return summary;
}

}  // namespace usher::publisher
