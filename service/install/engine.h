#ifndef USHER_SERVICE_INSTALL_ENGINE_H_
#define USHER_SERVICE_INSTALL_ENGINE_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "service/download/content_cache.h"
#include "service/install/handler_set.h"
#include "service/install/install_engine.h"
#include "service/install/journal.h"
#include "service/install/kept.h"
#include "service/install/step_runner.h"
#include "service/install/update_plan.h"
#include "service/install/update_runner.h"

namespace usher::install {

// The engine behind InstallEngine::Start, with its handlers given: one worker
// thread that takes jobs from a queue. Begin accepts a job only while the
// queue is empty; Resume always queues.
class Engine : public InstallEngine {
 public:
  static absl::StatusOr<std::unique_ptr<Engine>> StartWith(
      store::Database& database, catalog::Catalog& catalog,
      download::ContentCache& cache, const Options& options,
      HandlerSet handlers);
  ~Engine() override;

  std::vector<UnfinishedJob> Unfinished() override;
  absl::Status Begin(const InstallRequest& request,
                     std::shared_ptr<InstallObserver> observer,
                     const CancellationToken& cancel) override;
  absl::Status Resume(const std::string& job_id,
                      std::shared_ptr<InstallObserver> observer,
                      const CancellationToken& cancel) override;
  bool IsBusy() const override;
  bool RebootRequired() const override;
  bool RebootRequiredBeforeInstallation() const override;
  void Stop() override;

 private:
  // What a job needs from the cache until it is finished.
  using Pins = std::vector<download::ContentPin>;
  struct Job {
    InstallRequest request;
    std::vector<InstallResult> results;
    std::shared_ptr<InstallObserver> observer;
    CancellationToken cancel;
    Pins pins;
  };

  Engine(store::Database& database, catalog::Catalog& catalog,
         download::ContentCache& cache, const Options& options,
         HandlerSet handlers, std::string boot_id);

  absl::Status Recover();
  absl::Status CheckRequest(const InstallRequest& request);
  Pins PinContent(const InstallRequest& request) const;
  absl::Status CheckFree() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work();
  void RunJob(Job& job);
  // False: the service stops.
  bool RunUpdate(Job& job, int position);
  void AbortRest(Job& job, int position);
  void OnRestart(bool mandatory);

  const Options options_;
  const std::string boot_id_;
  const HandlerSet handlers_;
  const Kept kept_;
  Journal journal_;
  Planner planner_;
  StepRunner step_runner_;
  UpdateRunner update_runner_;
  // Ends a running handler when Stop has waited long enough.
  CancellationToken interrupt_;

  // Held through all of Begin and Resume, so that they take turns.
  absl::Mutex begin_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool reboot_required_ ABSL_GUARDED_BY(mutex_) = false;
  bool restart_mandatory_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<UnfinishedJob> unfinished_ ABSL_GUARDED_BY(mutex_);
  // By job id.
  std::map<std::string, Pins> unfinished_pins_ ABSL_GUARDED_BY(mutex_);
  // Held through all of Stop.
  absl::Mutex stop_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::thread worker_;
};

}  // namespace usher::install

#endif  // USHER_SERVICE_INSTALL_ENGINE_H_
