#include "publisher/yank.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/utf8.h"
#include "publisher/draft.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::UpdateDescription;

constexpr size_t kMaxReason = 1024;

// Changes the deployment of each; `change` says whether it did.
absl::StatusOr<std::vector<YankedUpdate>> Change(
    Workspace& workspace, const std::vector<std::string>& references,
    absl::Time now, absl::FunctionRef<bool(UpdateDescription&)> change) {
  USHER_ASSIGN_OR_RETURN(Draft draft, workspace.LoadDraft());
  std::vector<YankedUpdate> updates;
  bool changed = false;
  for (const std::string& reference : references) {
    USHER_ASSIGN_OR_RETURN(const DraftEntry* const entry,
                           draft.FindOne(reference));
    UpdateDescription description = entry->Parse();
    YankedUpdate& update = updates.emplace_back();
    update.update_id = entry->update_id;
    update.name = entry->name;
    update.version = entry->version;
    update.changed = change(description);
    update.reason = description.yanked().reason();
    if (!update.changed) continue;
    changed = true;
    USHER_RETURN_IF_ERROR(draft.Redeploy(std::move(description), now));
  }
  if (changed) USHER_RETURN_IF_ERROR(workspace.SaveDraft(draft));
  return updates;
}

}  // namespace

absl::StatusOr<std::vector<YankedUpdate>> YankUpdates(
    Workspace& workspace, const std::vector<std::string>& references,
    absl::string_view reason, absl::Time now) {
  if (reason.empty() || reason.size() > kMaxReason) {
    return Error(
        hr::kEInvalidarg,
        absl::StrCat("the reason must have 1 to ", kMaxReason, " bytes"),
        "--reason");
  }
  const auto is_control = [](unsigned char c) {
    return absl::ascii_iscntrl(c);
  };
  if (!IsValidUtf8(reason) || absl::c_any_of(reason, is_control)) {
    return Error(hr::kEInvalidarg,
                 "the reason must be one line of UTF-8 without control "
                 "characters",
                 "--reason");
  }
  return Change(
      workspace, references, now, [reason](UpdateDescription& description) {
        if (description.has_yanked()) {
          if (description.yanked().reason() == reason) return false;
          description.mutable_yanked()->set_reason(std::string(reason));
          return true;
        }
        repository::v1::Yanked& yanked = *description.mutable_yanked();
        yanked.set_reason(std::string(reason));
        if (description.has_is_installable()) {
          *yanked.mutable_is_installable() =
              std::move(*description.mutable_is_installable());
        }
        description.mutable_is_installable()->Clear();
        description.mutable_is_installable()->set_constant(false);
        yanked.mutable_superseded_update_ids()->Swap(
            description.mutable_update()->mutable_superseded_update_ids());
        return true;
      });
}

absl::StatusOr<std::vector<YankedUpdate>> UnyankUpdates(
    Workspace& workspace, const std::vector<std::string>& references,
    absl::Time now) {
  return Change(workspace, references, now, [](UpdateDescription& description) {
    if (!description.has_yanked()) return false;
    repository::v1::Yanked yanked = description.yanked();
    description.clear_yanked();
    description.clear_is_installable();
    if (yanked.has_is_installable()) {
      *description.mutable_is_installable() =
          std::move(*yanked.mutable_is_installable());
    }
    description.mutable_update()->mutable_superseded_update_ids()->Swap(
        yanked.mutable_superseded_update_ids());
    return true;
  });
}

}  // namespace usher::publisher
