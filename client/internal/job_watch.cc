#include "client/internal/job_watch.h"

#include <memory>
#include <utility>

namespace usher::internal {

void JobWatch::Start(const std::shared_ptr<JobData>& job, LinkPtr link) {
  std::shared_ptr<JobWatch> watch(new JobWatch(job, std::move(link)));
  if (!watch->streams_->Add(watch.get())) return;
  watch->self_ = watch;
  watch->request_.set_name(job->name());
  SessionCore::Prepare(watch->context_, {.deadline = absl::InfiniteDuration()});
  watch->link_->jobs->async()->WatchJob(&watch->context_, &watch->request_,
                                        watch.get());
  watch->StartRead(&watch->event_);
  watch->StartCall();
}

void JobWatch::OnReadDone(bool ok) {
  if (!ok) return;
  const std::shared_ptr<JobData> job = job_.lock();
  if (job == nullptr) {
    context_.TryCancel();
  } else {
    job->OnEvent(event_.job());
  }
  StartRead(&event_);
}

void JobWatch::OnDone(const grpc::Status& status) {
  RunOffGrpcThreads([self = std::move(self_), status]() mutable {
    if (const std::shared_ptr<JobData> job = self->job_.lock()) {
      job->OnWatchEnded(status, self->link_);
    }
    const std::shared_ptr<StreamSet> streams = self->streams_;
    streams->BeginRelease(self.get());
    self = nullptr;
    streams->EndRelease();
  });
}

}  // namespace usher::internal
