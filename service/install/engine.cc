#include "service/install/engine.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/download/content_cache.h"
#include "service/install/results.h"
#include "service/platform/boot_id.h"

namespace usher::install {
namespace {

// A finished job waits this long for somebody to take its results.
constexpr absl::Duration kKeepResults = absl::Hours(24 * 7);

}  // namespace

absl::StatusOr<std::unique_ptr<InstallEngine>> InstallEngine::Start(
    store::Database& database, catalog::Catalog& catalog,
    download::ContentCache& cache, const Options& options) {
  USHER_ASSIGN_OR_RETURN(std::unique_ptr<Engine> engine,
                         Engine::StartWith(database, catalog, cache, options,
                                           HandlerSet::Standard(options)));
  return engine;
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::StartWith(
    store::Database& database, catalog::Catalog& catalog,
    download::ContentCache& cache, const Options& options,
    HandlerSet handlers) {
  std::string boot_id = options.boot_id;
  if (boot_id.empty()) {
    USHER_ASSIGN_OR_RETURN(boot_id, platform::BootId());
  }
  USHER_RETURN_IF_ERROR(MakeDirectories(options.work_dir));
  USHER_RETURN_IF_ERROR(
      MakeDirectories(options.product_dir, Access::kWorldRead));
  std::unique_ptr<Engine> engine(new Engine(database, catalog, cache, options,
                                            std::move(handlers),
                                            std::move(boot_id)));
  USHER_RETURN_IF_ERROR(engine->Recover());
  engine->worker_ = std::thread([raw = engine.get()] { raw->Work(); });
  return engine;
}

Engine::Engine(store::Database& database, catalog::Catalog& catalog,
               download::ContentCache& cache, const Options& options,
               HandlerSet handlers, std::string boot_id)
    : options_(options),
      boot_id_(std::move(boot_id)),
      handlers_(std::move(handlers)),
      kept_(options.work_dir / "kept"),
      journal_(database),
      planner_(catalog, cache, handlers_, kept_, options.locale),
      step_runner_(journal_, catalog, cache, handlers_, kept_, options.work_dir,
                   boot_id_),
      update_runner_(journal_, planner_, step_runner_, catalog, boot_id_,
                     [this](bool mandatory) { OnRestart(mandatory); }) {}

Engine::~Engine() { Engine::Stop(); }

absl::Status Engine::Recover() {
  USHER_ASSIGN_OR_RETURN(const Journal::Restarts restarts,
                         journal_.LoadRestarts(boot_id_));
  {
    const absl::MutexLock lock(&mutex_);
    reboot_required_ = restarts.required;
    restart_mandatory_ = restarts.mandatory;
  }
  USHER_RETURN_IF_ERROR(update_runner_.Recover());
  USHER_RETURN_IF_ERROR(journal_.RemoveOldJobs(kKeepResults));
  USHER_ASSIGN_OR_RETURN(std::vector<UnfinishedJob> jobs, journal_.Jobs());
  std::map<std::string, Pins> pins;
  for (const UnfinishedJob& job : jobs) {
    pins[job.request.job_id] = PinContent(job.request);
  }
  const absl::MutexLock lock(&mutex_);
  unfinished_ = std::move(jobs);
  unfinished_pins_ = std::move(pins);
  return absl::OkStatus();
}

Engine::Pins Engine::PinContent(const InstallRequest& request) const {
  Pins all;
  for (const catalog::UpdateKey& key : request.updates) {
    Pins pins = planner_.Pin(key);
    std::move(pins.begin(), pins.end(), std::back_inserter(all));
  }
  return all;
}

void Engine::OnRestart(bool mandatory) {
  const absl::MutexLock lock(&mutex_);
  reboot_required_ = true;
  restart_mandatory_ |= mandatory;
}

std::vector<UnfinishedJob> Engine::Unfinished() {
  const absl::MutexLock lock(&mutex_);
  return unfinished_;
}

absl::Status Engine::CheckFree() const {
  if (stopping_) {
    return Error(hr::kWuEServiceStop, "the service is stopping");
  }
  if (running_ || !queue_.empty()) {
    return Error(hr::kWuEInstallNotAllowed,
                 "another installation or uninstallation is running; try "
                 "again when it has finished");
  }
  if (restart_mandatory_) return RestartFirstError();
  return absl::OkStatus();
}

absl::Status Engine::CheckRequest(const InstallRequest& request) {
  if (request.job_id.empty()) {
    return Error(hr::kEInvalidarg, "the job has no id", "job_id");
  }
  if (request.operation != Operation::kInstall &&
      request.operation != Operation::kUninstall) {
    return Error(hr::kEInvalidarg, "no such operation", "operation");
  }
  absl::flat_hash_set<catalog::UpdateKey> seen;
  for (const catalog::UpdateKey& key : request.updates) {
    if (!seen.insert(key).second) {
      return Error(hr::kEInvalidarg, "the update is in the list twice",
                   key.update_id);
    }
  }
  std::string exclusive;
  for (const catalog::UpdateKey& key : request.updates) {
    USHER_ASSIGN_OR_RETURN(const bool alone,
                           planner_.IsExclusive(request.operation, key));
    if (alone) exclusive = key.update_id;
  }
  if (!exclusive.empty() && request.updates.size() > 1) {
    return Error(hr::kWuEExclusiveInstallConflict,
                 "the update must be installed or uninstalled alone; leave "
                 "the others for another call",
                 exclusive);
  }
  USHER_ASSIGN_OR_RETURN(const bool known, journal_.HasJob(request.job_id));
  if (known) {
    return Error(hr::kEInvalidarg, "there is a job with this id already",
                 "job_id");
  }
  return absl::OkStatus();
}

absl::Status Engine::Begin(const InstallRequest& request,
                           std::shared_ptr<InstallObserver> observer,
                           const CancellationToken& cancel) {
  if (request.updates.empty()) {
    return Error(hr::kWuENoUpdate, "there is no update in the list", "updates");
  }
  const absl::MutexLock begin(&begin_mutex_);
  {
    const absl::MutexLock lock(&mutex_);
    USHER_RETURN_IF_ERROR(CheckFree());
  }
  USHER_RETURN_IF_ERROR(CheckRequest(request));
  Pins pins = PinContent(request);
  USHER_RETURN_IF_ERROR(journal_.AddJob(request));
  {
    const absl::MutexLock lock(&mutex_);
    if (!stopping_) {
      queue_.push_back({request,
                        std::vector<InstallResult>(request.updates.size()),
                        std::move(observer), cancel, std::move(pins)});
      return absl::OkStatus();
    }
  }
  // Stop came meanwhile, and the caller is told that nothing was begun.
  USHER_RETURN_IF_ERROR(journal_.RemoveJob(request.job_id));
  return Error(hr::kWuEServiceStop, "the service is stopping");
}

absl::Status Engine::Resume(const std::string& job_id,
                            std::shared_ptr<InstallObserver> observer,
                            const CancellationToken& cancel) {
  const absl::MutexLock begin(&begin_mutex_);
  const absl::MutexLock lock(&mutex_);
  if (stopping_) {
    return Error(hr::kWuEServiceStop, "the service is stopping");
  }
  const auto found = std::find_if(
      unfinished_.begin(), unfinished_.end(),
      [&](const UnfinishedJob& job) { return job.request.job_id == job_id; });
  if (found == unfinished_.end()) {
    return Error(hr::kWuEItemnotfound, "there is no such unfinished job",
                 job_id);
  }
  Pins pins = std::move(unfinished_pins_[job_id]);
  unfinished_pins_.erase(job_id);
  queue_.push_back({std::move(found->request), std::move(found->results),
                    std::move(observer), cancel, std::move(pins)});
  unfinished_.erase(found);
  return absl::OkStatus();
}

bool Engine::IsBusy() const {
  const absl::MutexLock lock(&mutex_);
  return running_ || !queue_.empty();
}

bool Engine::RebootRequired() const {
  const absl::MutexLock lock(&mutex_);
  return reboot_required_;
}

bool Engine::RebootRequiredBeforeInstallation() const {
  const absl::MutexLock lock(&mutex_);
  return restart_mandatory_;
}

void Engine::Work() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || !queue_.empty();
  };
  while (true) {
    Job job;
    {
      const absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(&ready));
      if (queue_.empty()) {
        stopped_ = true;
        return;
      }
      job = std::move(queue_.front());
      queue_.pop_front();
      running_ = true;
    }
    RunJob(job);
  }
}

void Engine::RunJob(Job& job) {
  bool parked = false;
  for (size_t i = 0; i < job.request.updates.size() && !parked; ++i) {
    if (job.results[i].result_code != 0) continue;
    {
      const absl::MutexLock lock(&mutex_);
      parked = stopping_;
    }
    if (parked) break;
    if (job.cancel.cancelled()) {
      AbortRest(job, static_cast<int>(i));
      break;
    }
    parked = !RunUpdate(job, static_cast<int>(i));
  }
  job.pins.clear();
  // Not busy any more when the caller hears that it is finished.
  {
    const absl::MutexLock lock(&mutex_);
    running_ = false;
  }
  if (job.observer != nullptr) job.observer->OnFinished(parked);
  // What cannot be removed is offered again at the next start, with results.
  if (!parked) journal_.RemoveJob(job.request.job_id).IgnoreError();
}

bool Engine::RunUpdate(Job& job, int position) {
  int reported = -1;
  Control control;
  control.cancel = job.cancel;
  control.interrupt = interrupt_;
  control.stopping = [this] {
    const absl::MutexLock lock(&mutex_);
    return stopping_;
  };
  control.restart_first = [this] { return RebootRequiredBeforeInstallation(); };
  control.progress = [&](int percent) {
    percent = std::clamp(percent, 0, 99);
    if (percent <= reported) return;
    reported = percent;
    if (job.observer != nullptr) job.observer->OnProgress(position, percent);
  };
  control.progress(0);
  const std::optional<InstallResult> result =
      update_runner_.Run(job.request, position, control);
  if (!result.has_value()) return false;
  job.results[static_cast<size_t>(position)] = *result;
  if (job.observer != nullptr) {
    job.observer->OnProgress(position, 100);
    job.observer->OnUpdateDone(position, *result);
  }
  return true;
}

void Engine::AbortRest(Job& job, int position) {
  const InstallResult aborted =
      AbortedResult("the operation was cancelled before this update's turn");
  // If this cannot be written, a crash now would run the rest at the next
  // start, unless the caller cancels again, as it then should.
  journal_.AbortRest(job.request.job_id, aborted).IgnoreError();
  for (size_t i = static_cast<size_t>(position); i < job.results.size(); ++i) {
    if (job.results[i].result_code != 0) continue;
    // History is told of what was begun, which may be done in parts. Nothing
    // more of it is run.
    if (journal_.Begun(job.request.job_id, static_cast<int>(i)).ok()) {
      RunUpdate(job, static_cast<int>(i));
      continue;
    }
    job.results[i] = aborted;
    if (job.observer != nullptr) {
      job.observer->OnUpdateDone(static_cast<int>(i), aborted);
    }
  }
}

void Engine::Stop() {
  const absl::MutexLock stop(&stop_mutex_);
  if (!worker_.joinable()) return;
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
    mutex_.AwaitWithTimeout(absl::Condition(&stopped_), options_.stop_timeout);
  }
  interrupt_.Cancel();
  worker_.join();
}

}  // namespace usher::install
