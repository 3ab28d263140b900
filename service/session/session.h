#ifndef USHER_SERVICE_SESSION_SESSION_H_
#define USHER_SERVICE_SESSION_SESSION_H_

// One session: its properties, its objects and its jobs.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/session/limits.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf
namespace usher::repository {
struct ProxySettings;
}  // namespace usher::repository
namespace usher::v1 {
class Session;
class WebProxy;
}  // namespace usher::v1

namespace usher::session {

class Job;

// What a session is, for ever.
struct SessionKey {
  std::string id;     // 32 hexadecimal digits
  std::string owner;  // Caller::user
  std::string client_application_id;
  bool read_only = false;
  absl::Time create_time;
};

// What ends a WatchSession stream.
enum class SessionEnd { kClosed, kServiceStopping };

// Thread-safe. Objects are immutable messages that are replaced as a whole.
class Session {
 public:
  using Object = std::shared_ptr<const google::protobuf::Message>;

  Session(SessionKey key, const Limits& limits, std::string user_locale,
          const v1::WebProxy& web_proxy);
  ~Session();

  const SessionKey& key() const { return key_; }
  std::string user_locale() const;
  // Without the password if `for_reader`.
  void ReadProxy(v1::WebProxy& out, bool for_reader) const;
  repository::ProxySettings Proxy() const;

  // Fills everything; `expire_time` only while nothing holds the session.
  void Read(v1::Session& out) const;
  // Replaces locale and proxy by what `change` makes of them (in a v1::Session
  // with just these). WU_E_NOT_SUPPORTED when read-only.
  absl::Status Change(absl::FunctionRef<absl::Status(v1::Session&)> change);

  // WU_E_NOT_SUPPORTED for a read-only session.
  absl::Status CheckWritable() const;

  // Keeps an object under `collection` and `id`; limit of objects.
  absl::Status AddObject(absl::string_view collection, const std::string& id,
                         Object object);
  // nullptr when there is none.
  Object FindObject(absl::string_view collection, const std::string& id) const;
  // Replaces an object by what `change` makes of a copy; NOT_FOUND.
  absl::StatusOr<Object> ChangeObject(
      absl::string_view collection, const std::string& id,
      absl::FunctionRef<absl::Status(google::protobuf::Message&)> change);
  bool RemoveObject(absl::string_view collection, const std::string& id);

  // Takes a job in: limits on kept and running jobs. When the limit of kept
  // jobs is reached, the oldest one that was ended is dropped and returned in
  // `dropped`.
  absl::Status AddJob(const std::shared_ptr<Job>& job,
                      std::shared_ptr<Job>* dropped);
  // Takes a stored job back, whatever the limits say.
  void RestoreJob(std::shared_ptr<Job> job);
  std::shared_ptr<Job> FindJob(const std::string& id) const;
  // Oldest first.
  std::vector<std::shared_ptr<Job>> Jobs() const;
  bool RemoveJob(const std::string& id);
  int RunningJobs() const;

  // A use of the session: it lives for the idle time from now on.
  void Touch(absl::Time now);
  // When it expires if nothing happens; InfiniteFuture while it is held by a
  // watcher or a running job.
  absl::Time Deadline() const;

  // Holds the session until Release(). `ended` is told once why the stream
  // must end.
  absl::StatusOr<uint64_t> Hold(std::function<void(SessionEnd)> ended);
  void Release(uint64_t holder, absl::Time now);
  // Counts a WatchJob stream against the limit.
  absl::Status AddWatch();
  void RemoveWatch();

  bool closed() const;
  // Closes: no more objects and jobs; tells the holders; returns the jobs for
  // the caller to abort. A second call returns nothing.
  std::vector<std::shared_ptr<Job>> Close();
  // Tells the holders that the service stops.
  void TellStopping();

 private:
  absl::Time DeadlineLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int RunningLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellHolders(SessionEnd end);

  const SessionKey key_;
  const Limits& limits_;

  mutable absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::string user_locale_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<v1::WebProxy> web_proxy_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Object> objects_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Job>> jobs_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_used_ ABSL_GUARDED_BY(mutex_);
  int watches_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t next_holder_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::function<void(SessionEnd)>> holders_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_SESSION_H_
