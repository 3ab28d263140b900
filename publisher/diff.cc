#include "publisher/diff.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/package_version.h"
#include "common/sha256.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/catalog_file.h"
#include "publisher/repository_walk.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::CatalogRecord;
using repository::v1::UpdateDescription;

UpdateState StateOf(const UpdateDescription& description,
                    const std::string& role) {
  const usher::v1::Update& update = description.update();
  UpdateState state;
  state.update_id = update.identity().update_id();
  state.revision = update.identity().revision_number();
  state.name = update.name();
  state.version = update.version();
  state.title = update.title();
  state.role = role;
  state.yanked = description.has_yanked();
  state.digest = ToHex(Sha256Of(DeterministicWire(description)));
  return state;
}

RepositoryState::Category StateOf(const usher::v1::Category& category) {
  return {category.name(), ToHex(Sha256Of(category.SerializeAsString()))};
}

std::string Words(const tuf::Role& role) {
  std::vector<std::string> keys = role.key_ids;
  std::sort(keys.begin(), keys.end());
  return absl::StrCat(role.threshold, " of ", absl::StrJoin(keys, ", "));
}

void AddTrust(const VerifiedRepository& repository, RepositoryState& state) {
  for (const auto& [name, role] : repository.root.roles) {
    state.trust[name] = Words(role);
  }
  state.trust["root version"] = absl::StrCat(repository.root.version);
  state.trust["root expires"] = tuf::FormatExpiry(repository.root.expires);
  for (const tuf::Delegations& delegations : repository.delegations) {
    if (!delegations.roles.has_value()) continue;
    for (const tuf::DelegatedRole& role : *delegations.roles) {
      state.trust[absl::StrCat("delegation to ", role.name)] =
          absl::StrCat(Words(role.role), " for ",
                       role.paths.has_value()
                           ? absl::StrJoin(*role.paths, ", ")
                           : absl::StrJoin(*role.path_hash_prefixes, ", "));
    }
  }
}

bool Before(const UpdateState& a, const UpdateState& b) {
  if (a.name != b.name) return a.name < b.name;
  const int order = CompareDebianVersions(a.version, b.version);
  return order != 0 ? order < 0 : a.update_id < b.update_id;
}

}  // namespace

absl::StatusOr<RepositoryState> PublicState(RepositorySource& source,
                                            absl::string_view root,
                                            absl::Time now) {
  USHER_ASSIGN_OR_RETURN(const VerifiedRepository repository,
                         VerifyRepository(source, root, now));
  for (const RoleFault& fault : repository.faults) return fault.status;
  RepositoryState state;
  AddTrust(repository, state);
  for (const VerifiedTarget& target : repository.files) {
    if (!absl::EndsWith(target.name, ".usc")) continue;
    USHER_ASSIGN_OR_RETURN(const std::string content,
                           ReadTarget(source, target));
    USHER_RETURN_IF_ERROR(Annotate(
        DecodeCatalog(content,
                      [&](const CatalogRecord& record) {
                        if (record.has_category()) {
                          state.categories[record.category().category_id()] =
                              StateOf(record.category());
                        } else if (record.has_update()) {
                          UpdateState update =
                              StateOf(record.update(), target.role);
                          state.updates[update.update_id] = std::move(update);
                        }
                        return absl::OkStatus();
                      }),
        absl::StrCat("targets/", target.path)));
  }
  return state;
}

absl::StatusOr<RepositoryState> DraftState(const Workspace& workspace) {
  USHER_ASSIGN_OR_RETURN(const Draft draft, workspace.LoadDraft());
  RepositoryState state;
  std::set<std::string> used;
  for (const DraftEntry* entry : draft.Sorted()) {
    const UpdateDescription description = entry->Parse();
    state.updates[entry->update_id] = StateOf(description, "targets");
    used.insert(description.update().category_ids().begin(),
                description.update().category_ids().end());
  }
  for (const usher::v1::Category* category :
       draft.categories().Closure({used.begin(), used.end()})) {
    state.categories[category->category_id()] = StateOf(*category);
  }
  return state;
}

Difference Compare(const RepositoryState& before, const RepositoryState& after,
                   bool with_trust) {
  Difference difference;
  for (const auto& [id, update] : after.updates) {
    const auto old = before.updates.find(id);
    if (old == before.updates.end()) {
      difference.added.push_back(update);
    } else if (old->second.digest != update.digest ||
               old->second.role != update.role) {
      difference.changed.push_back({old->second, update});
    }
  }
  for (const auto& [id, update] : before.updates) {
    if (!after.updates.contains(id)) difference.removed.push_back(update);
  }
  std::sort(difference.added.begin(), difference.added.end(), &Before);
  std::sort(difference.removed.begin(), difference.removed.end(), &Before);
  std::sort(difference.changed.begin(), difference.changed.end(),
            [](const Difference::Change& a, const Difference::Change& b) {
              return Before(a.after, b.after);
            });
  for (const auto& [id, category] : after.categories) {
    const auto old = before.categories.find(id);
    if (old == before.categories.end()) {
      difference.categories_added.push_back(category.name);
    } else if (old->second.digest != category.digest) {
      difference.categories_changed.push_back(category.name);
    }
  }
  for (const auto& [id, category] : before.categories) {
    if (!after.categories.contains(id)) {
      difference.categories_removed.push_back(category.name);
    }
  }
  if (!with_trust) return difference;
  std::set<std::string> what;
  for (const RepositoryState* state : {&before, &after}) {
    for (const auto& [name, text] : state->trust) what.insert(name);
  }
  for (const std::string& name : what) {
    const auto old = before.trust.find(name);
    const auto now = after.trust.find(name);
    Difference::TrustChange change{name,
                                   old == before.trust.end() ? "" : old->second,
                                   now == after.trust.end() ? "" : now->second};
    if (change.before != change.after) {
      difference.trust.push_back(std::move(change));
    }
  }
  return difference;
}

}  // namespace usher::publisher
