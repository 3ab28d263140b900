#ifndef USHER_SERVICE_INSTALL_STEP_RUNNER_H_
#define USHER_SERVICE_INSTALL_STEP_RUNNER_H_

// Takes one step through its handler, with the journal written ahead.

#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cancellation.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/install/handler_set.h"
#include "service/install/journal.h"
#include "service/install/kept.h"

namespace usher::install {

// How a job is controlled from outside.
struct Control {
  CancellationToken cancel;     // the user's
  CancellationToken interrupt;  // the stopping service's
  // True: begin nothing new.
  std::function<bool()> stopping;
  // True: the machine must be restarted before anything else is begun.
  std::function<bool()> restart_first;
  std::function<void(int percent)> progress;
};

// What became of a step.
struct StepResult {
  enum class Kind {
    kDone,    // applied and recorded; `step.outcome` says how
    kFailed,  // `status` says why; undone as far as the handler can
    kUndone,  // nothing is left of it; it may be tried again
    kParked,  // interrupted; Recover puts it right at the next start
  };
  Kind kind = Kind::kDone;
  absl::Status status;
  int32_t unmapped_result_code = 0;
};

// Used by one thread at a time.
class StepRunner {
 public:
  StepRunner(Journal& journal, catalog::Catalog& catalog,
             download::ContentCache& cache, const HandlerSet& handlers,
             const Kept& kept, std::filesystem::path work_dir,
             std::string boot_id);

  // Runs a planned step of `operation`. `step` takes the new state and outcome.
  // A step that is done but stays in the state kApplied could not be noted in
  // the journal, for the reason in `status`: it is not committed, so that
  // Recover can find the change, until Settle is called.
  StepResult Run(Operation operation, Step& step, const Control& control);

  // Once the update's result is written down: commits such a step, and drops
  // what is left of one that failed.
  void Settle(Operation operation, Step& step) const;

  // After a restart of the service: brings a step that was in the middle of
  // something to kDone, kUndone (it is planned again) or kFailed.
  StepResult Recover(Operation operation, Step& step);

  // Removes what steps without a journal entry may have left in work_dir.
  absl::Status CleanUp();

 private:
  struct Work;

  absl::StatusOr<Work> Open(Operation operation, const Step& step,
                            const Control& control) const;
  // Notes in the journal how far the step is.
  absl::Status Enter(Step& step, StepState state);
  StepResult Fail(const Work& work, const ApplyResult& failed, bool applying);
  // The result of a step that is applied while the journal does not know it.
  StepResult Unnoted(const Work& work, Step& step, const absl::Status& status);
  // Commit and the records, for a step that is applied.
  StepResult Complete(const Work& work, Step& step);
  StepResult RecoverPrepared(const Work& work, Step& step);
  // A step that recovery finds applied.
  StepResult Reapplied(const Work& work, Step& step, Outcome outcome);
  // Whether the update's own rule says that the operation took place.
  bool RuleConfirms(const Work& work, const Step& step) const;
  absl::Status Record(const Work& work, const Step& step);
  // Whether an uninstallation is of what an earlier revision left beside the
  // one that is recorded as installed.
  bool IsLeftOver(const Work& work, const Step& step) const;

  Journal& journal_;
  catalog::Catalog& catalog_;
  download::ContentCache& cache_;
  const HandlerSet& handlers_;
  const Kept& kept_;
  std::filesystem::path work_dir_;
  std::string boot_id_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_STEP_RUNNER_H_
