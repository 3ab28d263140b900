#include <memory>
#include <utility>

#include "service/rpc/job_wait.h"
#include "service/rpc/pull_stream.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/job.h"
#include "service/session/job_api.h"
#include "usher/v1/job.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class WatchJobStream : public PullStream<v1::JobEvent> {
 public:
  using PullStream::PullStream;

  void Open(absl::StatusOr<session::WatchedJob> watched) {
    {
      absl::MutexLock lock(&state_mutex_);
      watched_ = std::move(watched);
      if (watched_.ok()) {
        callback_ = watched_->job->OnChange([weak = weak_from_this()] {
          if (const auto self = weak.lock()) self->Pump();
        });
      }
    }
    Begin();
  }

 private:
  Step Next(v1::JobEvent& event) override {
    absl::MutexLock lock(&state_mutex_);
    if (!watched_.ok()) return {Step::kFinish, watched_.status()};
    event.Clear();
    switch (watched_->job->Next(seen_, event)) {
      case session::Job::Change::kNone:
        return {};
      case session::Job::Change::kEvent:
        return {Step::kMessage, {}};
      case session::Job::Change::kLast:
        return {Step::kLastMessage, absl::OkStatus()};
    }
    return {};
  }

  void Ended() override {
    absl::MutexLock lock(&state_mutex_);
    if (!watched_.ok()) return;
    watched_->job->Forget(callback_);
    watched_->place.reset();
  }

  absl::Mutex state_mutex_;
  absl::StatusOr<session::WatchedJob> watched_ ABSL_GUARDED_BY(state_mutex_);
  uint64_t callback_ ABSL_GUARDED_BY(state_mutex_) = 0;
  session::Job::Seen seen_ ABSL_GUARDED_BY(state_mutex_);
};

class JobServiceImpl : public v1::JobService::CallbackService {
 public:
  explicit JobServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::Job* response) override {
    return Inline(environment_, context, "JobService.GetJob", Kind::kRead,
                  &session::GetJob, request, response);
  }

  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override {
    return Inline(environment_, context, "JobService.ListJobs", Kind::kRead,
                  &session::ListJobs, request, response);
  }

  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(
      grpc::CallbackServerContext* context,
      const v1::WatchJobRequest* request) override {
    auto stream = std::make_shared<WatchJobStream>(
        CallRecord(*context, environment_, "JobService.WatchJob", Kind::kRead));
    WatchJobStream* const reactor = stream.get();
    stream->Open(reactor->record().IfAdmitted([&] {
      return session::WatchJob(environment_.core, reactor->record().call(),
                               request->name());
    }));
    return reactor;
  }

  grpc::ServerUnaryReactor* RequestAbort(grpc::CallbackServerContext* context,
                                         const v1::RequestAbortRequest* request,
                                         v1::Job* response) override {
    return Inline(environment_, context, "JobService.RequestAbort",
                  Kind::kChange, &session::RequestAbort, request, response);
  }

  grpc::ServerUnaryReactor* CleanUpJob(
      grpc::CallbackServerContext* context,
      const v1::CleanUpJobRequest* request,
      google::protobuf::Empty* /*response*/) override {
    const CallRecord record(*context, environment_, "JobService.CleanUpJob",
                            Kind::kChange);
    session::Core& core = environment_.core;
    return WaitForJob(
        record, record.IfAdmitted([&] {
          return session::FindJob(core, record.call(), request->name());
        }),
        [&core](const session::FoundJob& found) {
          return session::CleanUp(core, found);
        },
        [](const session::FoundJob& /*found*/) {});
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeJobService(Environment& environment) {
  return std::make_unique<JobServiceImpl>(environment);
}

}  // namespace usher::rpc
