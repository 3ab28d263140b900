#ifndef USHER_CLIENT_INTERNAL_JOB_DATA_H_
#define USHER_CLIENT_INTERNAL_JOB_DATA_H_

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/internal/session_core.h"
#include "usher/update.h"
#include "usher/v1/job.pb.h"

namespace usher::internal {

// What is behind a Job. Thread-safe. While it is watched, the core keeps it.
class JobData : public std::enable_shared_from_this<JobData> {
 public:
  using ProgressFunction =
      std::function<void(const std::shared_ptr<JobData>&, const v1::Job&)>;
  using CompletedFunction =
      std::function<void(const std::shared_ptr<JobData>&)>;

  // `updates` are the program's own objects, absent for a job found again.
  JobData(std::shared_ptr<SessionCore> core, v1::Job job, std::any state,
          std::optional<UpdateCollection> updates);

  const std::shared_ptr<SessionCore>& core() const { return core_; }
  const std::string& name() const { return name_; }
  v1::JobKind kind() const { return kind_; }
  const std::any& state() const { return state_; }
  const std::optional<UpdateCollection>& updates() const { return updates_; }
  v1::Job job() const;

  // Sets the program's callbacks and watches if there is one. Call once.
  void Start(ProgressFunction progress, CompletedFunction completed);
  // Makes sure that completion will be noticed.
  void Watch();
  // Waits for completion, watching; the reason if the job was lost.
  absl::Status WaitUntilCompleted(absl::Time deadline);
  // The job as the service has it; from memory once that is final.
  absl::StatusOr<v1::Job> Read();
  absl::Status RequestAbort();
  absl::Status CleanUp();

  // Claims the right to end the job; WU_E_INVALID_OPERATION the second time
  // and for a job of another kind. GiveBackEnd undoes it after a failure.
  absl::Status ClaimEnd(v1::JobKind kind);
  void GiveBackEnd();
  // Drops the job at the service after its result was taken; best effort.
  void DropEnded();

  // The job is lost: completes it with `why`.
  void Abandon(const absl::Status& why);

  // From the watching stream.
  void OnEvent(const v1::Job& job);
  void OnWatchEnded(const grpc::Status& status, const LinkPtr& link);

 private:
  void WatchOn(const LinkPtr& link);
  void WatchAgain(absl::Duration pause);
  void PostDelivery() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Deliver();

  const std::shared_ptr<SessionCore> core_;
  const std::string name_;
  const v1::JobKind kind_;
  const std::any state_;
  const std::optional<UpdateCollection> updates_;

  mutable absl::Mutex mutex_;
  v1::Job job_ ABSL_GUARDED_BY(mutex_);
  bool completed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);
  bool watching_ ABSL_GUARDED_BY(mutex_) = false;
  int watch_failures_ ABSL_GUARDED_BY(mutex_) = 0;
  bool end_claimed_ ABSL_GUARDED_BY(mutex_) = false;
  bool delivery_posted_ ABSL_GUARDED_BY(mutex_) = false;
  bool progress_fresh_ ABSL_GUARDED_BY(mutex_) = false;
  bool delivering_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  ProgressFunction progress_ ABSL_GUARDED_BY(mutex_);
  CompletedFunction completed_callback_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_JOB_DATA_H_
