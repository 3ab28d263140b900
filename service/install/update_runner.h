#ifndef USHER_SERVICE_INSTALL_UPDATE_RUNNER_H_
#define USHER_SERVICE_INSTALL_UPDATE_RUNNER_H_

// Brings one update of a job to its result and its history entry.

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "service/install/install_engine.h"
#include "service/install/journal.h"
#include "service/install/step_runner.h"
#include "service/install/update_plan.h"

namespace usher::install {

// Used by one thread at a time.
class UpdateRunner {
 public:
  // `on_restart` is called when an update wants a restart.
  UpdateRunner(Journal& journal, const Planner& planner, StepRunner& steps,
               catalog::Catalog& catalog, std::string boot_id,
               std::function<void(bool mandatory)> on_restart);

  // Installs or uninstalls update `position` of the job. What would have to be
  // begun while a restart must come first fails (UAMG-191), also the rest of a
  // bundle after a part that wants it. Nothing comes back
  // when the service stops before the end; the journal then holds the rest.
  std::optional<InstallResult> Run(const InstallRequest& request, int position,
                                   const Control& control);

  // After a restart of the service: brings every update that was begun to a
  // result, or back to where Run goes on with it. One in which the service
  // ended kMaxAttempts times gets the result FAILED; stops in order do not
  // count, unless within a handler's Apply.
  absl::Status Recover();

  static constexpr int kMaxAttempts = 3;

 private:
  absl::Status Recover(BegunUpdate& update);
  std::optional<InstallResult> RunSteps(BegunUpdate& update,
                                        const Control& control);
  // Leaves the update, before or within `step`, to the next start.
  std::optional<InstallResult> Park(const BegunUpdate& update,
                                    const Step& step);
  // The result of an update whose steps are all done.
  InstallResult Succeed(BegunUpdate& update);
  // Writes result and history; a failure to do so is told in the result, and
  // the next update or the next start tries again.
  InstallResult Finish(BegunUpdate& update, InstallResult result);
  // Recovers updates that Finish could not write down: a later start must not
  // take back, or record, what others have changed since.
  absl::Status WriteUnwritten();

  Journal& journal_;
  const Planner& planner_;
  StepRunner& steps_;
  catalog::Catalog& catalog_;
  std::string boot_id_;
  std::function<void(bool)> on_restart_;
  bool unwritten_ = false;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_UPDATE_RUNNER_H_
