#ifndef USHER_SERVICE_SESSION_CORE_H_
#define USHER_SERVICE_SESSION_CORE_H_

// Everything behind the API, put together. The *_api.h files are its calls.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "service/session/authority.h"
#include "service/session/clock.h"
#include "service/session/limits.h"
#include "service/session/line_limit.h"
#include "service/session/persistence.h"
#include "service/session/session_manager.h"
#include "service/session/thread_pool.h"
#include "service/session/timers.h"
#include "service/session/update_services.h"

namespace usher::catalog {
class Catalog;
}  // namespace usher::catalog
namespace usher::download {
class ContentCache;
class DownloadEngine;
class FileObserver;
struct FileRequest;
}  // namespace usher::download
namespace usher::install {
class InstallEngine;
}  // namespace usher::install
namespace usher::store {
class Database;
}  // namespace usher::store
namespace usher::v1 {
class Job;
}  // namespace usher::v1

namespace usher::session {

class Job;
struct JobHooks;

struct CoreOptions {
  Limits limits;
  Policy policy;
  // Locale of a session that names none: a BCP 47 tag.
  std::string locale = "en";
  UpdateServices::Options services;
  // Threads for work that reads or writes the database, and those more that
  // take only what administrators and the service itself have to do; for
  // refreshes, where a slow server takes one for each of its services; and for
  // what administrators ask for, which no server of another service holds up.
  int work_threads = 4;
  int reserved_work_threads = 1;
  int network_threads = 16;
  int administration_threads = 4;
};

// The layers below, in the order in which they depend on each other.
struct CoreParts {
  std::unique_ptr<store::Database> database;
  std::unique_ptr<download::ContentCache> cache;
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<download::DownloadEngine> downloads;
  std::unique_ptr<install::InstallEngine> installs;
  std::unique_ptr<RepositoryFactory> repositories;
  std::unique_ptr<Clock> clock;

  CoreParts();
  CoreParts(CoreParts&&) noexcept;
  ~CoreParts();
};

// Thread-safe.
class Core {
 public:
  // Puts back the sessions and jobs that were stored, and lets unfinished jobs
  // go on.
  static absl::StatusOr<std::unique_ptr<Core>> Start(CoreOptions options,
                                                     CoreParts parts);
  // As after Stop().
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Takes no more work, parks the running jobs, ends the streams and writes
  // everything down. Bounded by the engines' own stop times.
  void Stop();
  bool stopping() const;
  // UNAVAILABLE / WU_E_SERVICE_STOP once stopping.
  absl::Status CheckRunning() const;

  const Limits& limits() const { return options_.limits; }
  const Policy& policy() const { return options_.policy; }
  const std::string& locale() const { return options_.locale; }
  const Clock& clock() const { return *parts_.clock; }
  absl::Time start_time() const { return start_time_; }

  store::Database& database() { return *parts_.database; }
  download::ContentCache& cache() { return *parts_.cache; }
  catalog::Catalog& catalog() { return *parts_.catalog; }
  install::InstallEngine& installs() { return *parts_.installs; }
  SessionManager& sessions() { return sessions_; }
  Persistence& persistence() { return persistence_; }
  UpdateServices& services() { return services_; }
  // For work that blocks on the database; for the refreshes that searches
  // need; for registering, removing and refreshing update services.
  ThreadPool& work() { return work_; }
  ThreadPool& network() { return network_; }
  ThreadPool& administration() { return administration_; }
  Timers& timers() { return timers_; }
  // To be asked before a line is logged that anybody could cause at will.
  LineLimit& log_lines() { return log_lines_; }
  // The same for a line at `level` of the log about a job of `owner`'s.
  bool MayLogJob(int level, int kind, const Caller& owner);
  std::shared_ptr<const JobHooks> job_hooks() const { return job_hooks_; }
  // Cancelled when the service stops.
  const CancellationToken& stop_token() const { return stop_token_; }

  // DownloadEngine::Fetch while there is an engine; WU_E_SERVICE_STOP to the
  // observer after that.
  void Fetch(const download::FileRequest& request,
             std::shared_ptr<download::FileObserver> observer,
             const CancellationToken& cancel);

  int RunningJobs() const;

  // Takes `rows` of a search result out of the caller's share, given back by
  // ReturnRows. WU_E_MAX_CAPACITY_REACHED.
  absl::Status TakeRows(const std::string& user, int64_t rows);
  void ReturnRows(const std::string& user, int64_t rows);

 private:
  Core(CoreOptions options, CoreParts parts);
  void OnJobSettled(const std::shared_ptr<Job>& job);
  void LogSettled(const v1::Job& state, const Caller& owner);
  void DropVolatileServices(const std::string& session_id);

  const CoreOptions options_;
  CoreParts parts_;
  // Read-held while the engine is used, so that Stop() can take it away.
  absl::Mutex downloads_mutex_;
  CancellationToken stop_token_;
  const absl::Time start_time_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<std::string, int64_t> rows_ ABSL_GUARDED_BY(mutex_);

  LineLimit log_lines_;
  Timers timers_;
  Persistence persistence_;
  std::shared_ptr<const JobHooks> job_hooks_;
  SessionManager sessions_;
  UpdateServices services_;
  ThreadPool work_;
  ThreadPool network_;
  ThreadPool administration_;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_CORE_H_
