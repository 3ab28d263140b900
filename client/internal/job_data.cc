#include "client/internal/job_data.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/internal/job_watch.h"
#include "client/internal/stream_set.h"
#include "common/hresult.h"

namespace usher::internal {
namespace {

constexpr int kMaxWatchFailures = 10;
constexpr absl::Duration kWatchPause = absl::Milliseconds(200);

// Merges an event into what is known: events leave out `updates` and the
// results that did not change.
void Merge(const v1::Job& event, v1::Job& job) {
  v1::Job merged = event;
  if (merged.updates().empty()) {
    merged.mutable_updates()->Swap(job.mutable_updates());
  }
  for (const v1::UpdateResult& old : job.update_results()) {
    bool replaced = false;
    for (const v1::UpdateResult& result : event.update_results()) {
      replaced = replaced || result.update_index() == old.update_index();
    }
    if (!replaced) *merged.add_update_results() = old;
  }
  job = std::move(merged);
}

}  // namespace

JobData::JobData(std::shared_ptr<SessionCore> core, v1::Job job, std::any state,
                 std::optional<UpdateCollection> updates)
    : core_(std::move(core)),
      name_(job.name()),
      kind_(job.kind()),
      state_(std::move(state)),
      updates_(std::move(updates)),
      job_(std::move(job)) {}

v1::Job JobData::job() const {
  absl::MutexLock lock(&mutex_);
  return job_;
}

void JobData::Start(ProgressFunction progress, CompletedFunction completed) {
  const bool wanted = progress != nullptr || completed != nullptr;
  {
    absl::MutexLock lock(&mutex_);
    progress_ = std::move(progress);
    completed_callback_ = std::move(completed);
  }
  if (wanted) Watch();
}

void JobData::Watch() {
  {
    absl::MutexLock lock(&mutex_);
    if (watching_ || completed_) return;
    watching_ = true;
  }
  core_->Keep(shared_from_this());
  // The usual case costs no thread a wait.
  if (const LinkPtr link = core_->PresentLink()) {
    WatchOn(link);
  } else {
    WatchAgain(absl::ZeroDuration());
  }
}

void JobData::WatchOn(const LinkPtr& link) {
  JobWatch::Start(shared_from_this(), link);
}

void JobData::WatchAgain(absl::Duration pause) {
  core_->maintenance().Post(
      [weak = weak_from_this()] {
        const std::shared_ptr<JobData> self = weak.lock();
        if (self == nullptr) return;
        const absl::StatusOr<LinkPtr> link =
            self->core_->Connected(absl::InfiniteFuture());
        // It fails only when the session is shut down, which abandons jobs.
        if (link.ok()) self->WatchOn(*link);
      },
      pause);
}

void JobData::OnEvent(const v1::Job& job) {
  bool done = false;
  {
    absl::MutexLock lock(&mutex_);
    if (completed_) return;
    Merge(job, job_);
    watch_failures_ = 0;
    progress_fresh_ = true;
    done = job.state() == v1::JOB_STATE_COMPLETED;
    completed_ = done;
    PostDelivery();
  }
  // This is gRPC's thread, where nothing must be released for good.
  if (done) {
    RunOffGrpcThreads(
        [self = shared_from_this()] { self->core_->Forget(self); });
  }
}

void JobData::OnWatchEnded(const grpc::Status& status, const LinkPtr& link) {
  {
    absl::MutexLock lock(&mutex_);
    if (completed_) return;
  }
  // A stream that ends in good order before its job is the service parking
  // the job on its way out.
  if (status.ok()) {
    WatchAgain(kWatchPause);
    return;
  }
  if (IsBrokenConnection(status)) {
    core_->MarkBroken(link);
    WatchAgain(absl::ZeroDuration());
    return;
  }
  const absl::Status error = FromGrpc(status);
  bool give_up = error.code() == absl::StatusCode::kNotFound ||
                 error.code() == absl::StatusCode::kPermissionDenied;
  {
    absl::MutexLock lock(&mutex_);
    give_up = give_up || ++watch_failures_ > kMaxWatchFailures;
  }
  if (give_up) {
    Abandon(Annotate(error, "the service does not know the job any more"));
  } else {
    WatchAgain(kWatchPause);
  }
}

void JobData::Abandon(const absl::Status& why) {
  {
    absl::MutexLock lock(&mutex_);
    if (completed_) return;
    completed_ = true;
    lost_ = why;
    PostDelivery();
  }
  core_->Forget(shared_from_this());
}

void JobData::PostDelivery() {
  if (delivery_posted_ || closed_) return;
  if (progress_ == nullptr && completed_callback_ == nullptr) return;
  delivery_posted_ = true;
  core_->callbacks().Post([self = shared_from_this()] { self->Deliver(); });
}

void JobData::Deliver() {
  ProgressFunction progress;
  CompletedFunction completed;
  v1::Job job;
  {
    absl::MutexLock lock(&mutex_);
    delivery_posted_ = false;
    if (closed_) return;
    if (progress_fresh_) progress = progress_;
    progress_fresh_ = false;
    if (completed_) {
      completed.swap(completed_callback_);
      progress_ = nullptr;
    }
    job = job_;
    delivering_ = true;
  }
  if (progress) progress(shared_from_this(), job);
  if (completed) {
    // The progress callback may have cleaned the job up.
    bool closed = false;
    {
      absl::MutexLock lock(&mutex_);
      closed = closed_;
    }
    if (!closed) completed(shared_from_this());
  }
  absl::MutexLock lock(&mutex_);
  delivering_ = false;
}

absl::Status JobData::WaitUntilCompleted(absl::Time deadline) {
  Watch();
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithDeadline(absl::Condition(&completed_), deadline)) {
    return Error(hr::kWuETimeOut, "the job is not complete yet", name_);
  }
  return lost_;
}

absl::StatusOr<v1::Job> JobData::Read() {
  {
    absl::MutexLock lock(&mutex_);
    if (!lost_.ok()) return lost_;
    if (completed_ || closed_) return job_;
  }
  USHER_ASSIGN_OR_RETURN(
      v1::Job job, core_->Call<v1::Job>(
                       {}, [&](const Link& link, grpc::ClientContext* context,
                               v1::Job* response) {
                         v1::GetJobRequest request;
                         request.set_name(name_);
                         return link.jobs->GetJob(context, request, response);
                       }));
  absl::MutexLock lock(&mutex_);
  // A watch, if there is one, tells about completion itself, so that nothing
  // is delivered twice or out of turn.
  if (!watching_) {
    job_ = job;
    completed_ = job.state() == v1::JOB_STATE_COMPLETED;
  }
  return job;
}

absl::Status JobData::RequestAbort() {
  {
    absl::MutexLock lock(&mutex_);
    if (completed_) return absl::OkStatus();
  }
  return core_
      ->Call<v1::Job>({},
                      [&](const Link& link, grpc::ClientContext* context,
                          v1::Job* response) {
                        v1::RequestAbortRequest request;
                        request.set_name(name_);
                        return link.jobs->RequestAbort(context, request,
                                                       response);
                      })
      .status();
}

absl::Status JobData::CleanUp() {
  USHER_RETURN_IF_ERROR(WaitUntilCompleted(absl::InfiniteFuture()));
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    progress_ = nullptr;
    completed_callback_ = nullptr;
    // A callback that runs now is waited for, unless it is the one that calls.
    if (!core_->callbacks().OnThread()) {
      const auto quiet = [this] {
        mutex_.AssertReaderHeld();
        return !delivering_;
      };
      mutex_.Await(absl::Condition(&quiet));
    }
    if (end_claimed_) return absl::OkStatus();  // dropped by the End call
  }
  const absl::Status status =
      core_
          ->Call<google::protobuf::Empty>(
              {},
              [&](const Link& link, grpc::ClientContext* context,
                  google::protobuf::Empty* response) {
                v1::CleanUpJobRequest request;
                request.set_name(name_);
                return link.jobs->CleanUpJob(context, request, response);
              })
          .status();
  // Gone already is what was wanted.
  return status.code() == absl::StatusCode::kNotFound ? absl::OkStatus()
                                                      : status;
}

absl::Status JobData::ClaimEnd(v1::JobKind kind) {
  if (kind != kind_) {
    return Error(hr::kWuEInvalidOperation,
                 "the job is of another kind; use the End call that belongs "
                 "to its Begin call",
                 name_);
  }
  absl::MutexLock lock(&mutex_);
  if (end_claimed_) {
    return Error(hr::kWuEInvalidOperation,
                 "the result of this job was taken already", name_);
  }
  end_claimed_ = true;
  return absl::OkStatus();
}

void JobData::GiveBackEnd() {
  absl::MutexLock lock(&mutex_);
  end_claimed_ = false;
}

void JobData::DropEnded() {
  const LinkPtr link = core_->PresentLink();
  if (link == nullptr) return;
  grpc::ClientContext context;
  SessionCore::Prepare(context, {.deadline = absl::Seconds(5)});
  v1::CleanUpJobRequest request;
  request.set_name(name_);
  google::protobuf::Empty response;
  // The result is safe with the caller; a job that stays is dropped with its
  // session.
  link->jobs->CleanUpJob(&context, request, &response);
}

}  // namespace usher::internal
