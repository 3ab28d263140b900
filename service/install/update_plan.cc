#include "service/install/update_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/install/behavior.h"
#include "service/install/payloads.h"
#include "service/install/results.h"
#include "usher/repository/v1/catalog.pb.h"
#include "usher/v1/history.pb.h"
#include "usher/v1/update.pb.h"

namespace usher::install {
namespace {

using catalog::UpdateKey;
using repository::v1::UpdateDescription;

// A bundle in a bundle in a bundle …
constexpr int kMaxDepth = 8;
constexpr size_t kMaxSteps = 1000;

v1::UpdateHistoryEntry NewEntry(const InstallRequest& request,
                                const UpdateKey& key) {
  v1::UpdateHistoryEntry entry;
  entry.set_operation(request.operation == Operation::kInstall
                          ? v1::UPDATE_OPERATION_INSTALLATION
                          : v1::UPDATE_OPERATION_UNINSTALLATION);
  entry.mutable_update_identity()->set_service_id(key.service_id);
  entry.mutable_update_identity()->set_update_id(key.update_id);
  entry.mutable_update_identity()->set_revision_number(key.revision);
  entry.set_service_id(key.service_id);
  entry.set_client_application_id(request.client_application_id.empty()
                                      ? "Unknown"
                                      : request.client_application_id);
  entry.set_server_selection(
      v1::ServerSelection_IsValid(request.server_selection)
          ? static_cast<v1::ServerSelection>(request.server_selection)
          : v1::SERVER_SELECTION_DEFAULT);
  return entry;
}

void Describe(const v1::Update& update, v1::UpdateHistoryEntry& entry) {
  entry.set_title(update.title());
  entry.set_description(update.description());
  *entry.mutable_uninstallation_steps() = update.uninstallation_steps();
  entry.set_uninstallation_notes(update.uninstallation_notes());
  entry.set_support_url(update.support_url());
  entry.set_version(update.version());
}

UpdateKey KeyOf(const v1::UpdateKey& key, const UpdateKey& parent) {
  // A publisher leaves the service of children empty.
  return {key.service_id().empty() ? parent.service_id : key.service_id(),
          key.update_id(), key.revision_number()};
}

}  // namespace

// Walks one update and its children.
class Planner::Checker {
 public:
  Checker(const Planner& planner, const InstallRequest& request)
      : planner_(planner),
        request_(request),
        install_(request.operation == Operation::kInstall) {}

  // An OK status with a result in `plan`, or steps, or an error.
  absl::Status Check(const UpdateKey& key, v1::UpdateHistoryEntry& entry,
                     UpdatePlan& plan) {
    USHER_ASSIGN_OR_RETURN(const v1::Update update,
                           planner_.catalog_.Get(key, planner_.locale_));
    Describe(update, entry);
    FillCategories(key, entry);
    USHER_ASSIGN_OR_RETURN(const bool needed, IsNeeded(key, update));
    if (!needed) {
      plan.result = install_ ? SucceededResult(hr::kWuSAlreadyInstalled,
                                               "it was installed already")
                             : SucceededResult(hr::kWuSAlreadyUninstalled,
                                               "it was not installed");
      return absl::OkStatus();
    }
    USHER_RETURN_IF_ERROR(Walk(key, update, 0, plan));
    // Without its parts a bundle, of an older revision perhaps, is recorded as
    // uninstalled, or it would be offered for ever.
    if (plan.steps.empty() && install_) {
      return Error(hr::kWuENotApplicable,
                   "nothing in this bundle is for this machine", key.update_id);
    }
    return absl::OkStatus();
  }

 private:
  // The entry's categories are a courtesy; without them the entry stands.
  void FillCategories(const UpdateKey& key, v1::UpdateHistoryEntry& entry) {
    const absl::StatusOr<int64_t> row = planner_.catalog_.Row(key);
    if (!row.ok()) return;
    const std::array<int64_t, 1> rows = {*row};
    const auto categories =
        planner_.catalog_.CategoriesOf(rows, planner_.locale_);
    if (!categories.ok()) return;
    for (const v1::Category& category : *categories) {
      *entry.add_categories() = category;
    }
  }

  // Whether the update must be worked on at all, by what the machine has.
  absl::StatusOr<bool> IsNeeded(const UpdateKey& key,
                                const v1::Update& update) {
    if (install_ &&
        update.deployment_action() == v1::DEPLOYMENT_ACTION_DETECTION) {
      return Error(hr::kWuENotApplicable,
                   "the update only detects and is never installed",
                   key.update_id);
    }
    if (request_.is_forced) return true;
    USHER_ASSIGN_OR_RETURN(const auto state, planner_.catalog_.Evaluate(key));
    if (!install_) return state.is_present;
    if (state.is_installed) return false;
    if (!state.is_installable) {
      return Error(hr::kWuENotApplicable, "the update is not for this machine",
                   key.update_id);
    }
    return true;
  }

  absl::Status Walk(const UpdateKey& key, const v1::Update& update, int depth,
                    UpdatePlan& plan) {
    USHER_ASSIGN_OR_RETURN(UpdateDescription description,
                           planner_.catalog_.Describe(key));
    USHER_RETURN_IF_ERROR(CheckDecisions(key, update));
    const auto& children = description.update().bundled_updates();
    if (children.empty()) {
      return Leaf(key, std::move(description), plan.steps);
    }
    if (depth >= kMaxDepth) {
      return Error(hr::kWuETooDeepRelation, "bundles are nested too deeply",
                   key.update_id);
    }
    std::vector<UpdateKey> keys;
    for (const v1::UpdateKey& child : children) {
      keys.push_back(KeyOf(child, key));
    }
    if (!install_) std::reverse(keys.begin(), keys.end());
    const size_t before = plan.steps.size();
    for (const UpdateKey& child : keys) {
      USHER_RETURN_IF_ERROR(Annotate(Child(child, depth + 1, plan),
                                     absl::StrCat("child ", child.update_id)));
    }
    if (plan.steps.size() > before &&
        AlwaysNeedsRestart(update, request_.operation)) {
      return AddRestart(plan.steps.back());
    }
    return absl::OkStatus();
  }

  // The restart of a bundle comes with its last part.
  absl::Status AddRestart(Step& step) const {
    UpdateDescription description;
    if (!description.ParseFromString(step.description)) {
      return Error(hr::kWuEUhInvalidmetadata, "the description is damaged",
                   step.key.update_id);
    }
    SetAlwaysNeedsRestart(*description.mutable_update(), request_.operation,
                          true);
    step.description = description.SerializeAsString();
    return absl::OkStatus();
  }

  absl::Status Child(const UpdateKey& key, int depth, UpdatePlan& plan) {
    USHER_ASSIGN_OR_RETURN(const v1::Update update,
                           planner_.catalog_.Get(key, planner_.locale_));
    const absl::StatusOr<bool> needed = IsNeeded(key, update);
    if (!needed.ok()) {
      // A bundle may hold parts for other machines.
      return HResultOf(needed.status()) == hr::kWuENotApplicable
                 ? absl::OkStatus()
                 : needed.status();
    }
    return *needed ? Walk(key, update, depth, plan) : absl::OkStatus();
  }

  // What user and caller decided.
  absl::Status CheckDecisions(const UpdateKey& key, const v1::Update& update) {
    if (!install_ && !update.is_uninstallable()) {
      return Error(hr::kWuEUninstallNotAllowed,
                   "the publisher does not offer to uninstall the update",
                   key.update_id);
    }
    if (install_ && !update.eula_accepted()) {
      return Error(hr::kWuEEulasDeclined,
                   "the licence terms are not accepted; accept them first",
                   key.update_id);
    }
    if (request_.force_quiet &&
        BehaviorOf(update, request_.operation).can_request_user_input()) {
      return Error(hr::kWuEUhDoesnotsupportaction,
                   "the update may ask the user, and ForceQuiet forbids that",
                   key.update_id);
    }
    return absl::OkStatus();
  }

  absl::Status Leaf(const UpdateKey& key, UpdateDescription description,
                    std::vector<Step>& steps) {
    if (!install_) {
      USHER_RETURN_IF_ERROR(DescribeInstalled(key, description));
      USHER_RETURN_IF_ERROR(AddLeftOvers(key, description, steps));
    }
    USHER_RETURN_IF_ERROR(planner_.handlers_.Find(description).status());
    if (install_) {
      for (const auto& payload : description.payloads()) {
        USHER_ASSIGN_OR_RETURN(const Sha256Digest digest,
                               DigestOf(payload.sha256()));
        if (!planner_.cache_.Contains(digest)) {
          return Error(hr::kWuEDmNotdownloaded,
                       absl::StrCat(payload.name(),
                                    " is not downloaded; download the update "
                                    "first"),
                       key.update_id);
        }
      }
    }
    return AddStep(key, description, steps);
  }

  static absl::Status AddStep(const UpdateKey& key,
                              const UpdateDescription& description,
                              std::vector<Step>& steps) {
    if (steps.size() >= kMaxSteps) {
      return Error(hr::kWuEMaxCapacityReached, "the bundle has too many parts",
                   key.update_id);
    }
    Step step;
    step.key = key;
    step.description = description.SerializeAsString();
    steps.push_back(std::move(step));
    return absl::OkStatus();
  }

  // Steps for what earlier revisions left beside the one that `description`
  // uninstalls, which comes last: with it goes the record.
  absl::Status AddLeftOvers(const UpdateKey& key,
                            const UpdateDescription& description,
                            std::vector<Step>& steps) {
    UpdateKey left = key;
    for (const int32_t revision : planner_.kept_.Revisions(key)) {
      if (revision == description.update().identity().revision_number()) {
        continue;
      }
      left.revision = revision;
      UpdateDescription old = description;
      planner_.kept_.Restore(left, old);
      old.mutable_update()->mutable_identity()->set_revision_number(revision);
      SetAlwaysNeedsRestart(*old.mutable_update(), request_.operation, false);
      if (!planner_.handlers_.Find(old).ok()) continue;
      USHER_RETURN_IF_ERROR(AddStep(key, old, steps));
    }
    return absl::OkStatus();
  }

  // Turns the description of `key` into that of the revision that is there.
  absl::Status DescribeInstalled(const UpdateKey& key,
                                 UpdateDescription& description) {
    USHER_ASSIGN_OR_RETURN(const auto state, planner_.catalog_.Evaluate(key));
    if (state.receipt == 0 || state.receipt == key.revision) {
      return absl::OkStatus();
    }
    UpdateKey installed = key;
    installed.revision = state.receipt;
    planner_.kept_.Restore(installed, description);
    description.mutable_update()->mutable_identity()->set_revision_number(
        state.receipt);
    return absl::OkStatus();
  }

  const Planner& planner_;
  const InstallRequest& request_;
  bool install_;
};

Planner::Planner(catalog::Catalog& catalog, download::ContentCache& cache,
                 const HandlerSet& handlers, const Kept& kept,
                 std::string locale)
    : catalog_(catalog),
      cache_(cache),
      handlers_(handlers),
      kept_(kept),
      locale_(std::move(locale)) {}

UpdatePlan Planner::Make(const InstallRequest& request,
                         const UpdateKey& key) const {
  UpdatePlan plan;
  v1::UpdateHistoryEntry entry = NewEntry(request, key);
  if (const absl::Status status =
          Checker(*this, request).Check(key, entry, plan);
      !status.ok()) {
    plan.result = FailedResult(status);
  }
  plan.entry = entry.SerializeAsString();
  return plan;
}

absl::Status Planner::Visit(
    const UpdateKey& key,
    absl::FunctionRef<bool(const UpdateDescription&)> visit) const {
  std::vector<std::pair<UpdateKey, int>> open = {{key, 0}};
  size_t seen = 0;
  while (!open.empty() && seen++ < kMaxSteps) {
    const auto [next, depth] = open.back();
    open.pop_back();
    const absl::StatusOr<UpdateDescription> description =
        catalog_.Describe(next);
    if (!description.ok()) {
      // A missing child is the bundle's own failure, when its turn comes.
      if (depth == 0) return description.status();
      continue;
    }
    if (!visit(*description)) return absl::OkStatus();
    if (depth >= kMaxDepth) continue;
    for (const v1::UpdateKey& child : description->update().bundled_updates()) {
      open.emplace_back(KeyOf(child, next), depth + 1);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Planner::IsExclusive(Operation operation,
                                          const UpdateKey& key) const {
  bool exclusive = false;
  USHER_RETURN_IF_ERROR(
      Visit(key, [&exclusive, operation](const UpdateDescription& description) {
        exclusive = BehaviorOf(description.update(), operation).impact() ==
                    v1::INSTALLATION_IMPACT_REQUIRES_EXCLUSIVE_HANDLING;
        return !exclusive;
      }));
  return exclusive;
}

std::vector<download::ContentPin> Planner::Pin(const UpdateKey& key) const {
  std::vector<download::ContentPin> pins;
  Visit(key, [this, &pins](const UpdateDescription& description) {
    for (const auto& payload : description.payloads()) {
      const absl::StatusOr<Sha256Digest> digest = DigestOf(payload.sha256());
      if (digest.ok()) pins.push_back(cache_.Pin(*digest));
    }
    return true;
  }).IgnoreError();  // what is not known fails when its turn comes
  return pins;
}

}  // namespace usher::install
