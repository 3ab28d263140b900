#include "service/install/update_runner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "service/install/results.h"
#include "usher/v1/history.pb.h"

namespace usher::install {
namespace {

void SetNow(v1::UpdateHistoryEntry& entry) {
  const int64_t micros = absl::ToUnixMicros(absl::Now());
  entry.mutable_date()->set_seconds(micros / 1'000'000);
  entry.mutable_date()->set_nanos(static_cast<int32_t>(micros % 1'000'000) *
                                  1000);
}

// Whether the step's change is made, noted in the journal or not.
bool IsMade(const Step& step) {
  return step.state == StepState::kApplied || step.state == StepState::kDone;
}

// What the steps of a failed bundle left, for its message.
std::string DoneSoFar(const BegunUpdate& update) {
  if (update.steps.size() < 2) return "";
  const auto done =
      std::count_if(update.steps.begin(), update.steps.end(), IsMade);
  return absl::StrCat(" (", done, " of the bundle's ", update.steps.size(),
                      " parts are done)");
}

// The result of an update of which a step failed. `may_be_aborted`: the user
// may have wanted that.
InstallResult FailureOf(const StepResult& step, bool may_be_aborted,
                        const BegunUpdate& update) {
  InstallResult result =
      may_be_aborted && HResultOf(step.status) == hr::kWuEUhOperationcancelled
          ? AbortedResult(step.status.message())
          : FailedResult(step.status, step.unmapped_result_code);
  result.message += DoneSoFar(update);
  return result;
}

bool RestartMandatory(const BegunUpdate& update) {
  return std::any_of(
      update.steps.begin(), update.steps.end(),
      [](const Step& step) { return step.outcome.restart_mandatory; });
}

}  // namespace

UpdateRunner::UpdateRunner(Journal& journal, const Planner& planner,
                           StepRunner& steps, catalog::Catalog& catalog,
                           std::string boot_id,
                           std::function<void(bool)> on_restart)
    : journal_(journal),
      planner_(planner),
      steps_(steps),
      catalog_(catalog),
      boot_id_(std::move(boot_id)),
      on_restart_(std::move(on_restart)) {}

std::optional<InstallResult> UpdateRunner::Run(const InstallRequest& request,
                                               int position,
                                               const Control& control) {
  const catalog::UpdateKey& key =
      request.updates[static_cast<size_t>(position)];
  // Without a history entry, which could not be written, either.
  if (const absl::Status written = WriteUnwritten(); !written.ok()) {
    return FailedResult(written);
  }
  absl::StatusOr<BegunUpdate> begun = journal_.Begun(request.job_id, position);
  if (begun.ok()) {
    const absl::Status counted =
        journal_.AddAttempts(request.job_id, position, 1);
    if (!counted.ok()) return Finish(*begun, FailedResult(counted));
    return RunSteps(*begun, control);
  }
  // Perhaps begun, and not to be begun twice: left to the next start.
  if (HResultOf(begun.status()) != hr::kWuEItemnotfound) {
    return FailedResult(begun.status());
  }
  const UpdatePlan plan = planner_.Make(request, key);
  BegunUpdate update;
  update.request = request;
  update.request.updates = {key};
  update.position = position;
  update.entry = plan.entry;
  if (plan.result.has_value()) return Finish(update, *plan.result);
  const absl::Status noted =
      journal_.BeginUpdate(request.job_id, position, plan.entry, plan.steps);
  if (!noted.ok()) return Finish(update, FailedResult(noted));
  USHER_FAULT_POINT("install.journal_begun");
  begun = journal_.Begun(request.job_id, position);
  if (!begun.ok()) return Finish(update, FailedResult(begun.status()));
  return RunSteps(*begun, control);
}

std::optional<InstallResult> UpdateRunner::RunSteps(BegunUpdate& update,
                                                    const Control& control) {
  const int count = static_cast<int>(update.steps.size());
  bool restart_first = false;
  for (int i = 0; i < count; ++i) {
    Step& step = update.steps[static_cast<size_t>(i)];
    if (step.state == StepState::kDone) {
      // In this boot: what a restart has fulfilled is forgotten at the start.
      restart_first |= step.outcome.restart_mandatory;
      continue;
    }
    if (control.cancel.cancelled()) {
      return Finish(update,
                    AbortedResult(absl::StrCat("the operation was cancelled",
                                               DoneSoFar(update))));
    }
    // Whatever asked for it may be shutting the machine down already.
    restart_first |= control.restart_first && control.restart_first();
    if (restart_first) {
      InstallResult refused = FailedResult(RestartFirstError());
      refused.message += DoneSoFar(update);
      return Finish(update, std::move(refused));
    }
    if (control.stopping && control.stopping()) return Park(update, step);
    Control part = control;
    part.progress = [&control, i, count](int percent) {
      if (control.progress) control.progress((100 * i + percent) / count);
    };
    const StepResult result = steps_.Run(update.request.operation, step, part);
    switch (result.kind) {
      case StepResult::Kind::kDone:
        restart_first |= step.outcome.restart_mandatory;
        // The last step is done when the update is, in one transaction.
        if (i + 1 < count) {
          const absl::Status noted =
              step.state == StepState::kDone
                  ? journal_.SetState(step.step_id, StepState::kDone)
                  : result.status;
          if (!noted.ok()) {
            InstallResult failed = FailedResult(noted);
            failed.message += DoneSoFar(update);
            return Finish(update, std::move(failed));
          }
        }
        break;
      case StepResult::Kind::kParked:
      case StepResult::Kind::kUndone:
        return Park(update, step);
      case StepResult::Kind::kFailed:
        return Finish(update,
                      FailureOf(result, control.cancel.cancelled(), update));
    }
  }
  return Succeed(update);
}

std::optional<InstallResult> UpdateRunner::Park(const BegunUpdate& update,
                                                const Step& step) {
  // What Apply runs may itself be what stops the service, each time again.
  if (step.state != StepState::kPrepared) {
    // Where this fails it counts as a crash.
    journal_.AddAttempts(update.request.job_id, update.position, -1)
        .IgnoreError();
  }
  return std::nullopt;
}

InstallResult UpdateRunner::Succeed(BegunUpdate& update) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(update.steps.size());
  for (const Step& step : update.steps) outcomes.push_back(step.outcome);
  if (outcomes.empty()) {
    Outcome& none = outcomes.emplace_back();
    none.hresult = hr::kWuSAlreadyUninstalled;
    none.message = "no part of the bundle was installed";
  }
  const catalog::UpdateKey& key = update.request.updates[0];
  const bool is_bundle =
      update.steps.size() != 1 || !(update.steps[0].key == key);
  // A step recorded itself.
  if (is_bundle) {
    const bool reboot =
        std::any_of(outcomes.begin(), outcomes.end(),
                    [](const Outcome& o) { return o.reboot_required; });
    const absl::Status recorded =
        update.request.operation == Operation::kInstall
            ? catalog_.RecordInstalled(key, reboot)
            : catalog_.RecordUninstalled(key, reboot);
    if (!recorded.ok()) {
      outcomes[0].hresult = hr::kWuSUpdateError;
      outcomes[0].message = std::string{recorded.message()};
    }
  }
  return Finish(update, ResultOf(outcomes));
}

InstallResult UpdateRunner::Finish(BegunUpdate& update, InstallResult result) {
  // What was done before a part failed may need its restart all the same.
  result.reboot_required |= std::any_of(
      update.steps.begin(), update.steps.end(), [](const Step& step) {
        return IsMade(step) && step.outcome.reboot_required;
      });
  v1::UpdateHistoryEntry entry;
  if (!entry.ParseFromString(update.entry)) entry.Clear();
  entry.set_result_code(
      static_cast<v1::OperationResultCode>(result.result_code));
  entry.set_hresult(result.hresult);
  entry.set_unmapped_result_code(result.unmapped_result_code);
  entry.set_message(result.message);
  SetNow(entry);
  const bool mandatory = RestartMandatory(update);
  if (const absl::Status status = journal_.Finish(
          update.request.job_id, update.position, update.request.updates[0],
          result, entry, boot_id_, mandatory);
      !status.ok()) {
    absl::StrAppend(&result.message, result.message.empty() ? "" : "; ",
                    "the result could not be written down: ", status.message());
    unwritten_ = true;
  } else {
    for (Step& step : update.steps) {
      if (step.state != StepState::kDone) {
        steps_.Settle(update.request.operation, step);
      }
    }
  }
  if (result.reboot_required) on_restart_(mandatory);
  return result;
}

absl::Status UpdateRunner::WriteUnwritten() {
  if (!unwritten_) return absl::OkStatus();
  unwritten_ = false;
  absl::Status status = Recover();
  // Set again by what could not be written this time, either.
  if (status.ok() && unwritten_) {
    status =
        Error(hr::kWuEUhUnexpected, "see that the database can be written");
  }
  unwritten_ = !status.ok();
  return Annotate(status, "an earlier result could not be written down");
}

absl::Status UpdateRunner::Recover() {
  USHER_ASSIGN_OR_RETURN(std::vector<BegunUpdate> updates, journal_.AllBegun());
  for (BegunUpdate& update : updates) USHER_RETURN_IF_ERROR(Recover(update));
  // What could not be written down lies there.
  return unwritten_ ? absl::OkStatus() : steps_.CleanUp();
}

absl::Status UpdateRunner::Recover(BegunUpdate& update) {
  bool all_done = true;
  for (Step& step : update.steps) {
    const StepState before = step.state;
    const StepResult result = steps_.Recover(update.request.operation, step);
    switch (result.kind) {
      case StepResult::Kind::kDone:
        if (before != StepState::kDone) {
          USHER_RETURN_IF_ERROR(
              journal_.SetState(step.step_id, StepState::kDone));
          if (step.outcome.reboot_required) {
            on_restart_(step.outcome.restart_mandatory);
          }
        }
        break;
      case StepResult::Kind::kFailed:
        Finish(update, FailureOf(result, /*may_be_aborted=*/true, update));
        return absl::OkStatus();
      case StepResult::Kind::kParked:
        return result.status;
      case StepResult::Kind::kUndone:
        all_done = false;
        if (before != StepState::kPlanned) {
          USHER_RETURN_IF_ERROR(
              journal_.SetState(step.step_id, StepState::kPlanned));
        }
        break;
    }
  }
  if (all_done) {
    Succeed(update);
  } else if (update.attempts >= kMaxAttempts) {
    // What ends the service every time must not do so for ever.
    Finish(update,
           FailedResult(Error(
               hr::kWuEUhUnexpected,
               absl::StrCat("the service ended ", update.attempts,
                            " times while it worked on this update; it is "
                            "not tried again by itself"),
               update.request.updates[0].update_id)));
  }
  return absl::OkStatus();
}

}  // namespace usher::install
