#include "service/session/session_manager.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/uuid.h"
#include "service/session/job.h"
#include "service/session/names.h"
#include "usher/v1/session.pb.h"

namespace usher::session {
namespace {

// A timer that fires a moment early would find nothing to do.
constexpr absl::Duration kTimerSlack = absl::Milliseconds(5);

void SortByAge(std::vector<std::shared_ptr<Session>>& sessions) {
  std::sort(
      sessions.begin(), sessions.end(),
      [](const std::shared_ptr<Session>& a, const std::shared_ptr<Session>& b) {
        return std::tie(a->key().create_time, a->key().id) <
               std::tie(b->key().create_time, b->key().id);
      });
}

}  // namespace

SessionManager::SessionManager(const Limits& limits, const Clock& clock,
                               Timers& timers, Hooks hooks)
    : limits_(limits),
      clock_(clock),
      timers_(timers),
      hooks_(std::move(hooks)) {}

SessionManager::~SessionManager() {
  absl::MutexLock lock(&mutex_);
  if (timer_ != 0) timers_.Cancel(timer_);
}

absl::StatusOr<SessionManager::Opened> SessionManager::Open(
    const Caller& caller, const std::string& client_application_id,
    bool read_only, const std::string& user_locale) {
  Opened opened;
  {
    absl::MutexLock lock(&mutex_);
    const Key key(caller.user, client_application_id);
    const auto it = by_key_.find(key);
    if (it != by_key_.end()) {
      if (it->second->key().read_only != read_only) {
        return Error(
            absl::StatusCode::kFailedPrecondition, hr::kWuEInvalidOperation,
            absl::StrCat("the live session of \"", client_application_id,
                         "\" was opened with read_only=",
                         it->second->key().read_only ? "true" : "false",
                         "; close it first or use another id"),
            "read_only");
      }
      it->second->Touch(clock_.Now());
      return Opened{it->second, true};
    }
    const int places =
        limits_.sessions +
        (caller.is_administrator ? kSessionsForAdministrators : 0);
    if (static_cast<int>(by_id_.size()) >= places) {
      return LimitReached("sessions", limits_.sessions, "sessions");
    }
    int& count = count_by_owner_[caller.user];
    if (count >= limits_.sessions_per_caller) {
      return LimitReached("sessions of one caller", limits_.sessions_per_caller,
                          "sessions_per_caller");
    }
    v1::WebProxy proxy;
    proxy.set_auto_detect(true);
    opened.session = std::make_shared<Session>(
        SessionKey{RandomResourceId(), caller.user, client_application_id,
                   read_only, clock_.Now()},
        limits_, user_locale, proxy);
    ++count;
    by_id_.emplace(opened.session->key().id, opened.session);
    by_key_.emplace(key, opened.session);
  }
  if (hooks_.opened) hooks_.opened(opened.session);
  ArmExpiry();
  return opened;
}

absl::StatusOr<std::shared_ptr<Session>> SessionManager::Find(
    const Caller& caller, absl::string_view session_id) {
  const std::shared_ptr<Session> session = FindOfAnybody(session_id);
  if (session == nullptr || session->key().owner != caller.user) {
    return UnknownName(SessionName(session_id));
  }
  session->Touch(clock_.Now());
  return session;
}

std::shared_ptr<Session> SessionManager::FindOfAnybody(
    absl::string_view session_id) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto it = by_id_.find(session_id);
  return it == by_id_.end() ? nullptr : it->second;
}

std::vector<std::shared_ptr<Session>> SessionManager::List(
    const Caller& caller) const {
  std::vector<std::shared_ptr<Session>> sessions = ListAll();
  std::erase_if(sessions, [&caller](const std::shared_ptr<Session>& session) {
    return session->key().owner != caller.user;
  });
  return sessions;
}

std::vector<std::shared_ptr<Session>> SessionManager::ListAll() const {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    absl::ReaderMutexLock lock(&mutex_);
    sessions.reserve(by_id_.size());
    for (const auto& [id, session] : by_id_) sessions.push_back(session);
  }
  SortByAge(sessions);
  return sessions;
}

int SessionManager::Count() const {
  absl::ReaderMutexLock lock(&mutex_);
  return static_cast<int>(by_id_.size());
}

bool SessionManager::Remove(const std::shared_ptr<Session>& session,
                            absl::Time expired_by) {
  absl::MutexLock lock(&mutex_);
  // Open() attaches under this lock, so an attached session is not expired.
  if (expired_by != absl::InfiniteFuture() &&
      session->Deadline() > expired_by) {
    return false;
  }
  if (by_id_.erase(session->key().id) == 0) return false;
  by_key_.erase(
      Key(session->key().owner, session->key().client_application_id));
  const auto count = count_by_owner_.find(session->key().owner);
  if (--count->second == 0) count_by_owner_.erase(count);
  return true;
}

void SessionManager::Close(const std::shared_ptr<Session>& session) {
  CloseIf(session, absl::InfiniteFuture());
}

void SessionManager::CloseIf(const std::shared_ptr<Session>& session,
                             absl::Time expired_by) {
  if (!Remove(session, expired_by)) return;
  for (const std::shared_ptr<Job>& job : session->Close()) job->RequestAbort();
  if (hooks_.closed) hooks_.closed(session);
}

bool SessionManager::Restore(const std::shared_ptr<Session>& session) {
  {
    absl::MutexLock lock(&mutex_);
    const Key key(session->key().owner, session->key().client_application_id);
    if (by_id_.contains(session->key().id) || by_key_.contains(key)) {
      return false;
    }
    by_id_.emplace(session->key().id, session);
    by_key_.emplace(key, session);
    ++count_by_owner_[session->key().owner];
  }
  session->Touch(clock_.Now());
  ArmExpiry();
  return true;
}

void SessionManager::ExpireIdle() {
  {
    absl::MutexLock lock(&mutex_);
    timer_ = 0;  // from here on ArmExpiry sets a new one
  }
  const absl::Time now = clock_.Now();
  absl::Time next = absl::InfiniteFuture();
  for (const std::shared_ptr<Session>& session : ListAll()) {
    const absl::Time deadline = session->Deadline();
    if (deadline <= now) {
      CloseIf(session, now);
    } else {
      next = std::min(next, deadline);
    }
  }
  if (next == absl::InfiniteFuture()) return;
  absl::MutexLock lock(&mutex_);
  if (timer_ != 0) timers_.Cancel(timer_);  // a later one
  timer_ = timers_.After(next - now + kTimerSlack, [this] { ExpireIdle(); });
}

void SessionManager::ArmExpiry() {
  absl::MutexLock lock(&mutex_);
  // Every deadline lies at least the idle time after the event that set it, so
  // a timer that runs already comes first.
  if (timer_ != 0) return;
  timer_ = timers_.After(limits_.session_idle_timeout + kTimerSlack,
                         [this] { ExpireIdle(); });
}

}  // namespace usher::session
