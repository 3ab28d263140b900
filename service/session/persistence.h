#ifndef USHER_SERVICE_SESSION_PERSISTENCE_H_
#define USHER_SERVICE_SESSION_PERSISTENCE_H_

// Keeps sessions and jobs in the store, so that a client finds them again
// after the service was restarted. Searches are not kept: their results are
// rows of a catalog that may have changed by then.

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "service/session/thread_pool.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf
namespace usher::store {
class Database;
struct JobRow;
struct SessionRow;
}  // namespace usher::store

namespace usher::session {

class Job;
class Session;

// Thread-safe. Writes are made in order, on one thread of its own.
class Persistence {
 public:
  explicit Persistence(store::Database& database);
  // Writes what is still to be written.
  ~Persistence();

  // Soon; several changes may become one write. Failures are logged.
  void SaveSession(const std::shared_ptr<Session>& session);
  void DropSession(const std::string& session_id);
  void SaveJob(const std::shared_ptr<Job>& job);
  void DropJob(const std::string& job_id);

  // Writes a job that begins, with its session and the parameters it would be
  // resumed with, and waits until they are on disk.
  absl::Status SaveNewJob(const std::shared_ptr<Session>& session,
                          const std::shared_ptr<Job>& job,
                          const google::protobuf::Message& parameters);

  absl::StatusOr<std::vector<store::SessionRow>> LoadSessions();
  absl::StatusOr<std::vector<store::JobRow>> LoadJobs();

 private:
  absl::Status WriteSession(const Session& session);
  absl::Status WriteJob(const Job& job, const std::string& parameters);

  store::Database& database_;
  absl::Mutex mutex_;
  // Ids with a write under way that has not looked at them yet.
  absl::flat_hash_set<std::string> pending_ ABSL_GUARDED_BY(mutex_);
  ThreadPool writer_;  // last: its threads use the rest
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_PERSISTENCE_H_
