#ifndef USHER_SERVICE_SESSION_JOB_H_
#define USHER_SERVICE_SESSION_JOB_H_

// Jobs: begin, watch, abort, end once. A job belongs to its session.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "common/hresult.h"
#include "service/session/authority.h"

namespace usher::v1 {
class Job;
class JobEvent;
class UpdateKey;
class UpdateResult;
}  // namespace usher::v1

namespace usher::session {

class Clock;
class Job;
class Timers;

// Of a job and of each of its results, so that a job with all of them fits into
// a message. The history has the whole text of an installation.
inline constexpr size_t kMaxResultMessageBytes = 1024;

// What jobs share with the rest of the session layer.
struct JobHooks {
  Timers* timers = nullptr;
  const Clock* clock = nullptr;
  // Something worth keeping changed: state, a result, a flag. Called without
  // locks; must not block.
  std::function<void(const std::shared_ptr<Job>&)> changed;
  // The job is completed or parked; called once for each, after `changed`.
  std::function<void(const std::shared_ptr<Job>&)> settled;
  // Whether a line at `level` of the log about a job of this kind and owner may
  // be written.
  std::function<bool(int level, int kind, const Caller& owner)> may_log;
};

// State, results, progress and the watchers of one job. Thread-safe.
class Job : public std::enable_shared_from_this<Job> {
 public:
  // `initial` is the job as it begins, or as it was stored.
  Job(std::shared_ptr<const JobHooks> hooks, const v1::Job& initial,
      std::string session_id, std::string id);
  virtual ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const std::string& id() const { return id_; }
  const std::string& session_id() const { return session_id_; }
  const std::string& request_id() const { return request_id_; }
  int kind() const { return kind_; }
  absl::Time create_time() const { return create_time_; }

  // Whose job it is. To be set before others know the job.
  const Caller& owner() const { return owner_; }
  void set_owner(Caller owner) { owner_ = std::move(owner); }

  // The job as it is now.
  void Read(v1::Job& out) const;
  bool completed() const;
  // Completed, or set aside until the next start.
  bool settled() const;
  bool parked() const;
  bool ended() const;

  // Asks for an end; returns at once. A completed job stays as it is.
  void RequestAbort();

  // Ends a job that was found unable to begin, so that whoever found it in the
  // meantime learns of that. It is then to be dropped.
  void Refuse(const absl::Status& why);

  // Claims the job's result for an End… call, so that no other takes it:
  // WU_E_INVALID_OPERATION if it was taken, is being taken, or the job is of
  // another kind (UAMG-156). Then either FinishEnd or AbandonEnd.
  absl::Status BeginEnd(int kind);
  void FinishEnd();
  void AbandonEnd();

  // Calls `callback` once the job is settled, at once if it is. Returns an id
  // for Forget(), or 0 if called at once.
  uint64_t OnSettled(std::function<void()> callback);
  // Calls `callback` after each visible change, at most about ten times a
  // second for mere progress.
  uint64_t OnChange(std::function<void()> callback);
  // Drops a callback; it may be running at this moment.
  void Forget(uint64_t callback_id);

  // What a watcher has seen so far.
  struct Seen {
    uint64_t version = 0;
  };
  enum class Change { kNone, kEvent, kLast };
  // Fills `event` with what changed since `seen` and moves `seen`. kLast with
  // the settled job, which comes once.
  Change Next(Seen& seen, v1::JobEvent& event) const;

 protected:
  const CancellationToken& cancel() const { return cancel_; }
  // Changes the job under its lock and tells the watchers. `visible` changes
  // are told at once and kept; others are progress.
  enum class Weight { kProgress, kVisible };
  void ChangeState(Weight weight, const std::function<void(v1::Job&)>& change);
  // Work on one update begins: from here the duration in its line in the log
  // counts.
  void MarkBegun(int update_index);
  // The same for one update's result, whose message is cut at
  // kMaxResultMessageBytes. A result, once final, does not change; it makes a
  // line in the log.
  void SetResult(const v1::UpdateResult& result);
  // Ends the job. A second call does nothing.
  void Complete(int result_code, HResult hresult, absl::string_view message);
  // Sets the job aside until the next start.
  void Park();

 private:
  using Callbacks = std::map<uint64_t, std::shared_ptr<std::function<void()>>>;

  void Tell(Weight weight);
  void TellNow();
  void Settle();
  void LogResult(const v1::UpdateResult& result, const v1::UpdateKey& key,
                 absl::Duration took) const;

  const std::shared_ptr<const JobHooks> hooks_;
  const std::string session_id_;
  const std::string id_;
  const std::string request_id_;
  const int kind_;
  const absl::Time create_time_;
  const CancellationToken cancel_;
  Caller owner_;

  mutable absl::Mutex mutex_;
  const std::unique_ptr<v1::Job> state_ ABSL_GUARDED_BY(mutex_);
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 1;
  // Version at which the result of each update changed last.
  std::map<int, uint64_t> result_versions_ ABSL_GUARDED_BY(mutex_);
  // When work began on the updates that have no result yet.
  std::map<int, absl::Time> begun_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool settle_told_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_callback_ ABSL_GUARDED_BY(mutex_) = 0;
  Callbacks on_settled_ ABSL_GUARDED_BY(mutex_);
  Callbacks on_change_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_told_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool tell_pending_ ABSL_GUARDED_BY(mutex_) = false;
};

// The overall outcome of a download, installation or uninstallation
// (UAMG-170, 171): succeeded, succeeded with errors, failed, aborted.
struct Outcome {
  int result_code = 0;
  HResult hresult = 0;
};
Outcome OverallOutcome(const v1::Job& job);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_JOB_H_
