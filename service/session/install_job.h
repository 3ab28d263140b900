#ifndef USHER_SERVICE_SESSION_INSTALL_JOB_H_
#define USHER_SERVICE_SESSION_INSTALL_JOB_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "service/install/install_engine.h"
#include "service/session/job.h"

namespace usher::session {

class Core;

// One installation or uninstallation; the engine's journal carries it over a
// restart of the service.
class InstallJob : public Job {
 public:
  InstallJob(Core& core, const v1::Job& initial, std::string session_id,
             std::string id, install::InstallRequest request);
  ~InstallJob() override;

  // Hands the job to the engine; its errors are those of
  // InstallEngine::Begin. Blocks.
  absl::Status Begin();
  // Goes on with a job that the engine's journal knows as unfinished. Blocks.
  absl::Status Resume(const std::vector<install::InstallResult>& results);
  // Ends a job that the journal does not know any more: results that were not
  // stored in time are taken from the history. Blocks.
  void Settle();

 private:
  class Observer;

  std::shared_ptr<InstallJob> Self();
  void SetRunning();
  void OnProgress(int index, int percent);
  void OnUpdateDone(int index, const install::InstallResult& result);
  void Finish();

  Core& core_;
  const install::InstallRequest request_;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_INSTALL_JOB_H_
