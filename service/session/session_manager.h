#ifndef USHER_SERVICE_SESSION_SESSION_MANAGER_H_
#define USHER_SERVICE_SESSION_SESSION_MANAGER_H_

// All live sessions, by key and by name.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "service/session/authority.h"
#include "service/session/clock.h"
#include "service/session/limits.h"
#include "service/session/session.h"
#include "service/session/timers.h"

namespace usher::session {

// Thread-safe.
class SessionManager {
 public:
  struct Hooks {
    // The session was made or closed, for whoever keeps it on disk.
    std::function<void(const std::shared_ptr<Session>&)> opened;
    std::function<void(const std::shared_ptr<Session>&)> closed;
  };

  // The references must outlive the manager.
  SessionManager(const Limits& limits, const Clock& clock, Timers& timers,
                 Hooks hooks);
  ~SessionManager();

  struct Opened {
    std::shared_ptr<Session> session;
    bool attached = false;
  };
  // Attaches to the live session of (caller, client_application_id), or makes
  // one. The id and locale are checked by the caller of this. Administrators
  // have kSessionsForAdministrators places beyond limits.sessions, so that
  // others together cannot shut them out.
  absl::StatusOr<Opened> Open(const Caller& caller,
                              const std::string& client_application_id,
                              bool read_only, const std::string& user_locale);

  // The caller's session of that id, touched. NOT_FOUND, the same for an
  // unknown id and for somebody else's.
  absl::StatusOr<std::shared_ptr<Session>> Find(const Caller& caller,
                                                absl::string_view session_id);

  // Anybody's session of that id, not touched; null if there is none.
  std::shared_ptr<Session> FindOfAnybody(absl::string_view session_id) const;

  // The caller's sessions, oldest first.
  std::vector<std::shared_ptr<Session>> List(const Caller& caller) const;
  std::vector<std::shared_ptr<Session>> ListAll() const;
  int Count() const;

  // Closes a session: its jobs are asked to abort.
  void Close(const std::shared_ptr<Session>& session);

  // Puts back a session that was stored. False if its key or id is taken.
  bool Restore(const std::shared_ptr<Session>& session);

  // Closes what has outlived its idle time; the timer calls it.
  void ExpireIdle();
  // A session may have begun to be idle: arranges for ExpireIdle.
  void ArmExpiry();

 private:
  using Key = std::pair<std::string, std::string>;

  // False if it is gone already, or expires only after `expired_by`.
  bool Remove(const std::shared_ptr<Session>& session, absl::Time expired_by);
  void CloseIf(const std::shared_ptr<Session>& session, absl::Time expired_by);

  const Limits& limits_;
  const Clock& clock_;
  Timers& timers_;
  const Hooks hooks_;

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Session>> by_id_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Key, std::shared_ptr<Session>> by_key_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int> count_by_owner_ ABSL_GUARDED_BY(mutex_);
  uint64_t timer_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_SESSION_MANAGER_H_
