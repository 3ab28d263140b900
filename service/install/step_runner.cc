#include "service/install/step_runner.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "service/install/behavior.h"
#include "service/install/file_name.h"
#include "service/install/payloads.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

using repository::v1::UpdateDescription;

// Shares of a step's progress.
constexpr int kPrepareShare = 30;
constexpr int kApplyShare = 65;

constexpr uint64_t kMaxOutcome = uint64_t{1024} * 1024;

// Adds a remark to the outcome of a step that succeeded all the same.
void Remark(Outcome& outcome, const absl::Status& status) {
  outcome.hresult = hr::kWuSUpdateError;
  absl::StrAppend(&outcome.message, outcome.message.empty() ? "" : "; ",
                  status.message());
}

// What became of the step, good or bad, until the journal knows. Beside the
// work folder, whose content goes when the step has failed.
std::filesystem::path OutcomeFile(const Attempt& attempt) {
  std::filesystem::path file = attempt.work_dir;
  file += ".outcome";
  return file;
}

// There if the update's rule was true before Apply.
std::filesystem::path RuleHeldFile(const Attempt& attempt) {
  return attempt.work_dir / "rule_held";
}

absl::Status WriteOutcome(const Attempt& attempt, const Outcome& outcome) {
  return WriteFileAtomically(
      OutcomeFile(attempt),
      absl::StrCat(outcome.hresult, "\n", outcome.unmapped_result_code, "\n",
                   outcome.reboot_required, "\n", outcome.restart_mandatory,
                   "\n", outcome.message));
}

std::optional<Outcome> ReadOutcome(const Attempt& attempt) {
  const absl::StatusOr<std::string> text =
      ReadFile(OutcomeFile(attempt), kMaxOutcome);
  if (!text.ok()) return std::nullopt;
  const std::vector<std::string> lines =
      absl::StrSplit(*text, absl::MaxSplits('\n', 4));
  Outcome outcome;
  if (lines.size() != 5 || !absl::SimpleAtoi(lines[0], &outcome.hresult) ||
      !absl::SimpleAtoi(lines[1], &outcome.unmapped_result_code)) {
    return std::nullopt;
  }
  outcome.reboot_required = lines[2] == "1";
  outcome.restart_mandatory = lines[3] == "1";
  outcome.message = lines[4];
  return outcome;
}

// What is left costs room only until the next start.
void RemoveTraces(const Attempt& attempt) {
  RemoveTree(attempt.work_dir).IgnoreError();
  RemoveTree(OutcomeFile(attempt)).IgnoreError();
}

// Notes why the step failed, in the place of all else that is left of it.
void NoteFailure(const Attempt& attempt, const StepResult& result) {
  Outcome failure;
  failure.hresult = HResultOf(result.status);
  failure.unmapped_result_code = result.unmapped_result_code;
  failure.message = std::string{result.status.message()};
  // First, as without both a recovery could only guess.
  const absl::Status noted = WriteOutcome(attempt, failure);
  RemoveTree(attempt.work_dir).IgnoreError();
  // Now there may be room for it.
  if (!noted.ok()) WriteOutcome(attempt, failure).IgnoreError();
}

StepResult Interrupted(const absl::Status& status) {
  return {StepResult::Kind::kFailed, Annotate(status, "interrupted"), 0};
}

// The publisher's word counts beside what the handler knows.
void AddRestart(const UpdateDescription& description, Operation operation,
                Outcome& outcome) {
  if (!AlwaysNeedsRestart(description.update(), operation)) return;
  outcome.reboot_required = true;
  outcome.restart_mandatory = true;
}

}  // namespace

// A step with its handler and folders.
struct StepRunner::Work {
  std::unique_ptr<UpdateDescription> description;
  Handler* handler = nullptr;
  Attempt attempt;
};

StepRunner::StepRunner(Journal& journal, catalog::Catalog& catalog,
                       download::ContentCache& cache,
                       const HandlerSet& handlers, const Kept& kept,
                       std::filesystem::path work_dir, std::string boot_id)
    : journal_(journal),
      catalog_(catalog),
      cache_(cache),
      handlers_(handlers),
      kept_(kept),
      work_dir_(std::move(work_dir)),
      boot_id_(std::move(boot_id)) {}

absl::StatusOr<StepRunner::Work> StepRunner::Open(
    Operation operation, const Step& step, const Control& control) const {
  Work work;
  work.description = std::make_unique<UpdateDescription>();
  if (!work.description->ParseFromString(step.description)) {
    return Error(hr::kWuEUhInvalidmetadata,
                 "the journal's description of the update is damaged",
                 step.key.update_id);
  }
  USHER_ASSIGN_OR_RETURN(work.handler, handlers_.Find(*work.description));
  Attempt& attempt = work.attempt;
  attempt.step_id = step.step_id;
  attempt.operation = operation;
  attempt.key = step.key;
  // Another one than the catalog's, perhaps, when it is uninstalled.
  if (const int32_t described =
          work.description->update().identity().revision_number();
      described > 0) {
    attempt.key.revision = described;
  }
  attempt.description = work.description.get();
  attempt.cache = &cache_;
  attempt.work_dir = work_dir_ / "attempts" / absl::StrCat(step.step_id);
  attempt.kept_dir = kept_.FolderOf(attempt.key);
  attempt.log_dir = work_dir_ / "log";
  attempt.cancel = control.cancel;
  attempt.interrupt = control.interrupt;
  USHER_RETURN_IF_ERROR(MakeDirectories(attempt.log_dir));
  return work;
}

StepResult StepRunner::Run(Operation operation, Step& step,
                           const Control& control) {
  absl::StatusOr<Work> opened = Open(operation, step, control);
  if (!opened.ok()) return {StepResult::Kind::kFailed, opened.status(), 0};
  Work& work = *opened;
  Attempt& attempt = work.attempt;
  int base = 0;
  int share = kPrepareShare;
  attempt.progress = [&](int percent) {
    if (control.progress) control.progress(base + percent * share / 100);
  };

  absl::Status status = RemoveTree(attempt.work_dir);
  // The number may be that of an older step, which left it.
  if (status.ok()) status = RemoveTree(OutcomeFile(attempt));
  if (status.ok()) status = MakeDirectories(attempt.work_dir);
  if (status.ok()) status = Enter(step, StepState::kBegun);
  if (status.ok()) status = work.handler->Prepare(attempt);
  // The last moment at which nothing has been done.
  if (status.ok() && attempt.stopping()) status = CancelledError();
  if (status.ok() && RuleConfirms(work, step)) {
    status = WriteFileAtomically(RuleHeldFile(attempt), "");
  }
  if (status.ok()) status = Enter(step, StepState::kPrepared);
  if (!status.ok()) return Fail(work, {status, {}}, /*applying=*/false);
  USHER_FAULT_POINT("install.prepared");

  base = kPrepareShare;
  share = kApplyShare;
  attempt.Report(0);
  ApplyResult applied = work.handler->Apply(attempt);
  if (!applied.status.ok()) return Fail(work, applied, /*applying=*/true);
  step.outcome = std::move(applied.outcome);
  AddRestart(*work.description, operation, step.outcome);
  step.state = StepState::kApplied;
  status = journal_.SetApplied(step.step_id, step.outcome, boot_id_);
  if (!status.ok()) return Unnoted(work, step, status);
  USHER_FAULT_POINT("install.applied");
  return Complete(work, step);
}

absl::Status StepRunner::Enter(Step& step, StepState state) {
  USHER_RETURN_IF_ERROR(journal_.SetState(step.step_id, state));
  step.state = state;
  return absl::OkStatus();
}

StepResult StepRunner::Unnoted(const Work& work, Step& step,
                               const absl::Status& status) {
  // Nothing is gained by taking the change back. If the result cannot be
  // written down either, the next start finds the outcome in a file, or, where
  // that could not be written, the change by what Commit would drop.
  WriteOutcome(work.attempt, step.outcome).IgnoreError();
  Remark(step.outcome, status);
  if (const absl::Status recorded = Record(work, step); !recorded.ok()) {
    Remark(step.outcome, recorded);
  }
  return {StepResult::Kind::kDone, status, 0};
}

void StepRunner::Settle(Operation operation, Step& step) const {
  const absl::StatusOr<Work> work = Open(operation, step, Control());
  if (!work.ok()) return;
  if (step.state == StepState::kApplied) {
    // Too late to be told; what Commit leaves only costs room.
    work->handler->Commit(work->attempt).IgnoreError();
    step.state = StepState::kDone;
  }
  RemoveTraces(work->attempt);
}

StepResult StepRunner::Fail(const Work& work, const ApplyResult& failed,
                            bool applying) {
  // An interrupted handler is put right at the next start, with more time.
  if (work.attempt.interrupt.cancelled()) {
    return {StepResult::Kind::kParked, failed.status, 0};
  }
  StepResult result{StepResult::Kind::kFailed, failed.status,
                    failed.outcome.unmapped_result_code};
  if (const absl::Status undone = work.handler->Undo(work.attempt, applying);
      !undone.ok()) {
    result.status = Annotate(
        failed.status,
        absl::StrCat("could not be taken back (", undone.message(), ") after"));
  }
  NoteFailure(work.attempt, result);
  return result;
}

StepResult StepRunner::Complete(const Work& work, Step& step) {
  if (const absl::Status status = work.handler->Commit(work.attempt);
      !status.ok()) {
    Remark(step.outcome, status);
  }
  USHER_FAULT_POINT("install.committed");
  if (const absl::Status status = Record(work, step); !status.ok()) {
    Remark(step.outcome, status);
  }
  USHER_FAULT_POINT("install.recorded");
  RemoveTraces(work.attempt);
  step.state = StepState::kDone;
  return {StepResult::Kind::kDone, absl::OkStatus(), 0};
}

absl::Status StepRunner::Record(const Work& work, const Step& step) {
  const bool reboot_required = step.outcome.reboot_required;
  if (work.attempt.operation == Operation::kUninstall) {
    if (IsLeftOver(work, step)) return kept_.Forget(work.attempt.key);
    USHER_RETURN_IF_ERROR(
        catalog_.RecordUninstalled(step.key, reboot_required));
    return kept_.ForgetAll(step.key);
  }
  absl::Status status = kept_.Save(step.key, *work.description);
  // It is installed also when an uninstallation will know less of it.
  status.Update(catalog_.RecordInstalled(step.key, reboot_required));
  USHER_RETURN_IF_ERROR(status);
  return kept_.ForgetReplaced(step.key, *work.description);
}

bool StepRunner::IsLeftOver(const Work& work, const Step& step) const {
  const int32_t described = work.attempt.key.revision;
  if (described == step.key.revision) return false;
  const auto state = catalog_.Evaluate(step.key);
  return state.ok() && state->receipt != described;
}

StepResult StepRunner::Recover(Operation operation, Step& step) {
  absl::StatusOr<Work> opened = Open(operation, step, Control());
  if (!opened.ok()) return Interrupted(opened.status());
  const Work& work = *opened;
  if (step.state == StepState::kDone) {
    return {StepResult::Kind::kDone, absl::OkStatus(), 0};
  }
  if (step.state == StepState::kApplied) return Complete(work, step);
  // What was told before counts, whatever could be found out now.
  if (std::optional<Outcome> noted = ReadOutcome(work.attempt)) {
    if (!Failed(noted->hresult)) {
      return Reapplied(work, step, *std::move(noted));
    }
    return {StepResult::Kind::kFailed,
            Error(noted->hresult, noted->message, step.key.update_id),
            noted->unmapped_result_code};
  }
  if (step.state == StepState::kPrepared) return RecoverPrepared(work, step);
  if (step.state == StepState::kBegun) {
    if (const absl::Status undone = work.handler->Undo(work.attempt, false);
        !undone.ok()) {
      return Interrupted(undone);
    }
  }
  return {StepResult::Kind::kUndone, absl::OkStatus(), 0};
}

StepResult StepRunner::RecoverPrepared(const Work& work, Step& step) {
  absl::StatusOr<Recovery> recovery = work.handler->Recover(work.attempt);
  if (!recovery.ok()) {
    recovery = Recovery{Recovery::State::kUnknown, Outcome(),
                        std::string{recovery.status().message()}};
  }
  if (recovery->state == Recovery::State::kUndone) {
    return {StepResult::Kind::kUndone, absl::OkStatus(), 0};
  }
  // A rule that was true before does not tell that the handler ran.
  if (recovery->state == Recovery::State::kUnknown &&
      (Exists(RuleHeldFile(work.attempt)) || !RuleConfirms(work, step))) {
    // Not undone: what there is to take back is not known either.
    return Interrupted(
        Error(hr::kWuEUhUnexpected, recovery->message, step.key.update_id));
  }
  return Reapplied(work, step, std::move(recovery->outcome));
}

StepResult StepRunner::Reapplied(const Work& work, Step& step,
                                 Outcome outcome) {
  step.outcome = std::move(outcome);
  AddRestart(*work.description, work.attempt.operation, step.outcome);
  step.state = StepState::kApplied;
  // Known again before Commit drops what Recover looks at.
  if (const absl::Status status =
          journal_.SetApplied(step.step_id, step.outcome, boot_id_);
      !status.ok()) {
    return {StepResult::Kind::kParked, status, 0};
  }
  return Complete(work, step);
}

bool StepRunner::RuleConfirms(const Work& work, const Step& step) const {
  // Without a rule, "installed" is what was recorded before, and no answer.
  if (!work.description->has_is_installed()) return false;
  const auto state = catalog_.Evaluate(step.key);
  return state.ok() &&
         state->is_installed == (work.attempt.operation == Operation::kInstall);
}

absl::Status StepRunner::CleanUp() {
  return RemoveTree(work_dir_ / "attempts");
}

}  // namespace usher::install
