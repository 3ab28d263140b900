#include "service/repository/catalog_targets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/path_pattern.h"
#include "service/repository/fetcher.h"
#include "service/repository/target_download.h"

namespace usher::repository {
namespace {

constexpr absl::string_view kFolder = "catalog";
constexpr char kTopLevel[] = "targets";

bool IsCatalog(absl::string_view target) {
  return absl::StartsWith(target, absl::StrCat(kFolder, "/")) &&
         absl::EndsWith(target, ".usc");
}

// Whether a role may be asked about something in the folder of catalogs.
bool MayDescribeCatalogs(const tuf::DelegatedRole& delegated) {
  if (!delegated.paths.has_value()) return true;  // hashes tell nothing
  return std::any_of(delegated.paths->begin(), delegated.paths->end(),
                     [](absl::string_view pattern) {
                       const size_t slash = pattern.find('/');
                       return slash != absl::string_view::npos &&
                              tuf::MatchesPathPattern(pattern.substr(0, slash),
                                                      kFolder);
                     });
}

// The roles that `targets` delegates to and that may describe catalogs, in the
// order of priority. Bins only as far as there may be roles.
std::vector<std::string> DelegatedRoles(const tuf::Targets& targets,
                                        size_t max_roles) {
  std::vector<std::string> roles;
  if (!targets.delegations.has_value()) return roles;
  if (targets.delegations->succinct_roles.has_value()) {
    const tuf::SuccinctRoles& bins = *targets.delegations->succinct_roles;
    const uint64_t count = uint64_t{1}
                           << static_cast<uint64_t>(bins.bit_length);
    for (uint64_t i = 0; i < count && roles.size() <= max_roles; ++i) {
      roles.push_back(tuf::BinName(bins, i));
    }
    return roles;
  }
  for (const tuf::DelegatedRole& delegated : *targets.delegations->roles) {
    if (roles.size() > max_roles) break;
    if (MayDescribeCatalogs(delegated)) roles.push_back(delegated.name);
  }
  return roles;
}

class CatalogFinder {
 public:
  CatalogFinder(const RepositoryOptions& options, const RoleLoader& load)
      : options_(options), load_(load) {}

  absl::StatusOr<CatalogTargets> Find() {
    USHER_RETURN_IF_ERROR(LoadAll());
    for (const std::string& name : names_) {
      USHER_RETURN_IF_ERROR(Search(name));
    }
    // Names were in order already.
    std::stable_sort(result_.catalogs.begin(), result_.catalogs.end(),
                     [](const TargetFile& a, const TargetFile& b) {
                       return a.priority < b.priority;
                     });
    return std::move(result_);
  }

 private:
  struct Pending {
    std::string role;
    std::string delegator;
    size_t depth = 0;
    const tuf::Targets* delegation = nullptr;  // the delegator's document
  };
  // Which delegator's word a role was taken on.
  using Place = std::pair<std::string, std::string>;

  // All roles, depth first; each on the word of everybody who delegates to it.
  absl::Status LoadAll() {
    std::vector<Pending> pending = {{kTopLevel, "", 0}};
    while (!pending.empty()) {
      const Pending next = std::move(pending.back());
      pending.pop_back();
      if (next.depth > options_.search_limits.max_depth ||
          loaded_.contains({next.role, next.delegator})) {
        continue;
      }
      absl::StatusOr<std::shared_ptr<const tuf::Targets>> targets =
          load_(next.role, next.delegator);
      absl::Status status = targets.status();
      if (status.ok()) {
        status =
            CheckCatalogs(next.role, **targets, options_.max_catalog_bytes);
      }
      if (status.ok()) {
        status = CheckRoles(next.role, **targets, pending.size());
      }
      if (status.ok()) status = AddNames(next, **targets);
      if (!status.ok()) {
        if (next.delegator.empty()) return status;
        // Neither the network's faults nor ours are a publisher's: what was
        // loaded of it stays.
        if (WasNotAnswered(status)) return status;
        loaded_[{next.role, next.delegator}] = nullptr;
        result_.problems.push_back({next.role, status});
        continue;
      }
      const tuf::Targets& kept =
          *(loaded_[{next.role, next.delegator}] = *std::move(targets));
      priorities_.emplace(next.role, static_cast<int>(priorities_.size()));
      const std::vector<std::string> roles =
          DelegatedRoles(kept, options_.max_roles);
      for (auto role = roles.rbegin(); role != roles.rend(); ++role) {
        pending.push_back({*role, next.role, next.depth + 1, &kept});
      }
    }
    return absl::OkStatus();
  }

  // Whoever delegates to more roles than there is room for is at fault, and not
  // those who come after it.
  absl::Status CheckRoles(const std::string& role, const tuf::Targets& targets,
                          size_t pending) const {
    const size_t more = DelegatedRoles(targets, options_.max_roles).size();
    if (loaded_.size() + 1 + pending + more <= options_.max_roles) {
      return absl::OkStatus();
    }
    const std::string file = tuf::RoleFileName(role);
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 absl::StrCat(file,
                              ": with it the repository delegates to "
                              "more than ",
                              options_.max_roles, " roles"),
                 file);
  }

  // Only names that the role is asked about count.
  absl::Status AddNames(const Pending& place, const tuf::Targets& targets) {
    std::vector<std::string> added;
    for (const auto& [name, info] : targets.targets) {
      if (IsCatalog(name) && !names_.contains(name) &&
          MaySpeakOf(place, name)) {
        added.push_back(name);
      }
    }
    const std::string file = tuf::RoleFileName(place.role);
    if (place.delegation != nullptr &&
        added.size() > options_.max_catalogs_of_role) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(file, ": more than ",
                                options_.max_catalogs_of_role, " catalogs"),
                   file);
    }
    if (names_.size() + added.size() > options_.max_catalogs) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(file, ": with it the repository has more than ",
                                options_.max_catalogs, " catalogs"),
                   file);
    }
    names_.insert(added.begin(), added.end());
    return absl::OkStatus();
  }

  static bool MaySpeakOf(const Pending& place, absl::string_view name) {
    if (place.delegation == nullptr) return true;
    const tuf::Delegations& delegations = *place.delegation->delegations;
    if (delegations.succinct_roles.has_value()) {
      return tuf::BinFor(*delegations.succinct_roles, name) == place.role;
    }
    return std::any_of(delegations.roles->begin(), delegations.roles->end(),
                       [&](const tuf::DelegatedRole& delegated) {
                         return delegated.name == place.role &&
                                tuf::IsDelegatedTo(delegated, name);
                       });
  }

  // Adds the catalog unless nobody who is asked describes it, or one of them
  // could not be had.
  absl::Status Search(const std::string& name) {
    tuf::TargetSearch search(name, options_.search_limits);
    while (true) {
      USHER_ASSIGN_OR_RETURN(const std::optional<tuf::TargetSearch::Step> step,
                             search.Next());
      if (!step.has_value()) return absl::OkStatus();
      const auto it = loaded_.find({step->role, step->delegator});
      if (it == loaded_.end() || it->second == nullptr) {
        return absl::OkStatus();
      }
      const tuf::TargetInfo* const found = search.Visit(*it->second);
      if (found == nullptr) continue;
      USHER_ASSIGN_OR_RETURN(TargetFile catalog, CatalogOf(name, *found));
      catalog.role = step->role;
      catalog.priority = priorities_.at(step->role);
      result_.catalogs.push_back(std::move(catalog));
      return absl::OkStatus();
    }
  }

  const RepositoryOptions& options_;
  const RoleLoader& load_;
  // Null where it could not be had. Another delegator's word may bring another
  // document.
  std::map<Place, std::shared_ptr<const tuf::Targets>> loaded_;
  std::set<std::string> names_;
  std::map<std::string, int> priorities_;
  CatalogTargets result_;
};

}  // namespace

absl::Status CheckCatalogs(absl::string_view role, const tuf::Targets& targets,
                           int64_t max_bytes) {
  const std::string file = tuf::RoleFileName(role);
  for (const auto& [name, info] : targets.targets) {
    if (!IsCatalog(name)) continue;
    if (const absl::Status status = CatalogOf(name, info).status();
        !status.ok()) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(file, ": ", status.message()), file);
    }
    if (info.length > max_bytes) {
      return Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat(file, ": ", name, " has ", info.length,
                                " bytes; the limit is ", max_bytes),
                   file);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<CatalogTargets> FindCatalogs(const RepositoryOptions& options,
                                            const RoleLoader& load) {
  return CatalogFinder(options, load).Find();
}

}  // namespace usher::repository
