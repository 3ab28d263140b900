#include "publisher/rollout.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::UpdateDescription;

// A bundle names its members with their revision and would not find the next
// one.
absl::Status CheckNoBundle(const Draft& draft, const DraftEntry& member) {
  UpdateDescription description;
  for (const DraftEntry* entry : draft.Bundles()) {
    description.ParseFromString(entry->wire);
    for (const auto& child : description.update().bundled_updates()) {
      if (child.update_id() != member.update_id) continue;
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat("the bundle ", entry->name, " (", entry->update_id,
                       ") contains revision ", child.revision_number(), " of ",
                       member.name, "; stage the bundle instead"),
          member.name);
    }
  }
  return absl::OkStatus();
}

// Without a rule an update is installed where this revision or a later one
// was. The next revision brings nothing new: what has this one has that.
void KeepInstalled(const DraftEntry& entry, UpdateDescription& description) {
  if (description.has_is_installed() ||
      !description.update().bundled_updates().empty()) {
    return;
  }
  auto& rule = *description.mutable_is_installed()->mutable_installed_update();
  rule.set_comparison(repository::v1::COMPARISON_GREATER_OR_EQUAL);
  rule.set_revision_number(entry.revision);
}

}  // namespace

absl::StatusOr<RolloutResult> ChangeRollout(Workspace& workspace,
                                            absl::string_view reference,
                                            const RolloutRequest& request,
                                            absl::Time now) {
  USHER_ASSIGN_OR_RETURN(Draft draft, workspace.LoadDraft());
  USHER_ASSIGN_OR_RETURN(const DraftEntry* const entry,
                         draft.FindOne(reference));
  UpdateDescription description = entry->Parse();
  if (description.has_yanked()) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat(entry->name,
                              " is withdrawn; run \"usher-publish unyank\" "
                              "first"),
                 entry->name);
  }
  RolloutResult result;
  result.update_id = entry->update_id;
  result.revision = entry->revision;
  result.name = entry->name;
  result.title = description.update().title();
  result.before = StagingOf(description);
  if (request.basis_points.has_value()) {
    SetShare(*request.basis_points, description);
  }
  if (request.channels.has_value()) {
    SetChannels(*request.channels, description);
  }
  result.after = StagingOf(description);
  if (result.after == result.before) return result;
  USHER_RETURN_IF_ERROR(CheckNoBundle(draft, *entry));
  KeepInstalled(*entry, description);
  // Its deployment changes now.
  description.mutable_update()->clear_last_deployment_change_time();
  USHER_ASSIGN_OR_RETURN(
      result.change,
      draft.Put(std::move(description), Draft::Revisions::kAutomatic, now));
  result.revision = draft.Find(result.update_id)->revision;
  USHER_RETURN_IF_ERROR(workspace.SaveDraft(draft));
  return result;
}

}  // namespace usher::publisher
