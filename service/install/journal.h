#ifndef USHER_SERVICE_INSTALL_JOURNAL_H_
#define USHER_SERVICE_INSTALL_JOURNAL_H_

// The journal in SQLite (migration 0004): what was asked for and how far each
// step is. Every change is durable when the call returns.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/catalog/catalog.h"
#include "service/install/handler.h"
#include "service/install/install_engine.h"
#include "service/store/database.h"

namespace usher::v1 {
class UpdateHistoryEntry;
}  // namespace usher::v1

namespace usher::install {

// The numbers stand in the database.
enum class StepState {
  kPlanned = 0,   // nothing was done
  kBegun = 1,     // Prepare runs
  kPrepared = 2,  // Apply runs
  kApplied = 3,   // the change is made; Commit and the records remain
  kDone = 4,
};

// One handler's part of an update.
struct Step {
  int64_t step_id = 0;
  catalog::UpdateKey key;
  std::string description;  // serialized usher.repository.v1.UpdateDescription
  StepState state = StepState::kPlanned;
  Outcome outcome;  // from kApplied
};

// An update that was begun and has no result yet.
struct BegunUpdate {
  InstallRequest request;
  int position = 0;
  int attempts = 0;
  // Serialized usher.v1.UpdateHistoryEntry; all but result and date.
  std::string entry;
  std::vector<Step> steps;  // in order
};

// Thread-safe.
class Journal {
 public:
  explicit Journal(store::Database& database) : database_(database) {}

  absl::Status AddJob(const InstallRequest& request);
  absl::StatusOr<bool> HasJob(absl::string_view job_id);
  // Forgets a job, unless one of its updates was begun and has no result: that
  // one the next start has to put right.
  absl::Status RemoveJob(absl::string_view job_id);
  // Forgets jobs that have all their results and are older than `age`: nobody
  // asked for them.
  absl::Status RemoveOldJobs(absl::Duration age);
  // All jobs, oldest first.
  absl::StatusOr<std::vector<UnfinishedJob>> Jobs();

  // Notes that an update is being worked on, with its steps in the state
  // kPlanned. The ids of `steps` are not used.
  absl::Status BeginUpdate(absl::string_view job_id, int position,
                           absl::string_view entry,
                           const std::vector<Step>& steps);
  // Counts `number` more attempts at an update that was begun before.
  absl::Status AddAttempts(absl::string_view job_id, int position, int number);
  // One begun update; WU_E_ITEMNOTFOUND if it was not begun or has a result.
  absl::StatusOr<BegunUpdate> Begun(absl::string_view job_id, int position);
  absl::StatusOr<std::vector<BegunUpdate>> AllBegun();

  absl::Status SetState(int64_t step_id, StepState state);
  // The state kApplied, with what the handler reported. `boot_id` names the
  // present boot, for its wish for a restart.
  absl::Status SetApplied(int64_t step_id, const Outcome& outcome,
                          absl::string_view boot_id);

  // Gives an update its result, and history its entry, at once; the steps go.
  // `boot_id` names the present boot, for the wish for a restart.
  absl::Status Finish(absl::string_view job_id, int position,
                      const catalog::UpdateKey& key,
                      const InstallResult& result,
                      const v1::UpdateHistoryEntry& entry,
                      absl::string_view boot_id, bool restart_mandatory);
  // Gives every update without result that was not begun the result
  // `aborted`. They were not attempted, so history gets no entry.
  absl::Status AbortRest(absl::string_view job_id,
                         const InstallResult& aborted);

  // Forgets wishes for a restart from before the boot `boot_id`, also those of
  // steps, and tells what is left.
  struct Restarts {
    bool required = false;
    bool mandatory = false;
  };
  absl::StatusOr<Restarts> LoadRestarts(absl::string_view boot_id);

 private:
  store::Database& database_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_JOURNAL_H_
