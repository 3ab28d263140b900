#ifndef USHER_CLIENT_CLI_JOB_RUNNER_H_
#define USHER_CLIENT_CLI_JOB_RUNNER_H_

// Runs jobs to their end with progress on the console. The first Ctrl-C asks
// for the job to be aborted and says how to find it again; the second leaves
// with 130 while the service goes on.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/app.h"
#include "usher/update_session.h"

namespace usher::cli {

// A job's outcome for each of `updates`.
struct Outcome {
  std::vector<Update> updates;
  std::vector<UpdateResult> results;
  HResult hresult = 0;
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  bool reboot_required = false;
  std::string job;
};

absl::StatusOr<Outcome> RunDownload(App& app,
                                    const std::vector<Update>& updates,
                                    bool forced);

// `uninstall`: the opposite.
absl::StatusOr<Outcome> RunInstallation(App& app,
                                        const std::vector<Update>& updates,
                                        bool uninstall, bool forced);

// Watches a download or installation that runs already until it is complete;
// Ctrl-C leaves and lets it go on. The result stays with the job.
absl::Status WatchJob(App& app, const JobInfo& info);

// Takes the result of a job found again.
absl::StatusOr<Outcome> EndJob(App& app, const JobInfo& info);

// One line for each update, and for a failed one why.
void PrintOutcome(Console& console, const Outcome& outcome,
                  const std::string& done_word);

// The answer for --json; exit code by the outcome.
Report OutcomeReport(const std::string& command, const Outcome& outcome);

}  // namespace usher::cli

#endif  // USHER_CLIENT_CLI_JOB_RUNNER_H_
