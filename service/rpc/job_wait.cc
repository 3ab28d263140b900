#include "service/rpc/job_wait.h"

#include <atomic>
#include <memory>
#include <utility>

#include "service/session/job.h"

namespace usher::rpc {
namespace {

class JobWait : public grpc::ServerUnaryReactor,
                public std::enable_shared_from_this<JobWait> {
 public:
  JobWait(CallRecord record, absl::StatusOr<session::FoundJob> found,
          std::function<absl::Status(const session::FoundJob&)> take,
          std::function<void(const session::FoundJob&)> abandon)
      : record_(std::move(record)),
        found_(std::move(found)),
        take_(std::move(take)),
        abandon_(std::move(abandon)) {}

  void Begin() {
    self_ = shared_from_this();
    if (!found_.ok()) {
      answered_ = true;
      Finish(record_.Finish(found_.status()));
      return;
    }
    callback_ = found_->job->OnSettled([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Settled();
    });
  }

 private:
  void Settled() {
    if (answered_.exchange(true)) return;
    Finish(record_.Finish(take_(*found_)));
  }

  void OnCancel() override {
    if (answered_.exchange(true)) return;
    abandon_(*found_);
    Finish(record_.Finish(absl::CancelledError("the client gave up")));
  }

  void OnDone() override {
    if (found_.ok()) found_->job->Forget(callback_);
    self_.reset();
  }

  const CallRecord record_;
  const absl::StatusOr<session::FoundJob> found_;
  const std::function<absl::Status(const session::FoundJob&)> take_;
  const std::function<void(const session::FoundJob&)> abandon_;
  // The one who sets it answers the call.
  std::atomic<bool> answered_{false};
  std::atomic<uint64_t> callback_{0};
  std::shared_ptr<JobWait> self_;
};

}  // namespace

grpc::ServerUnaryReactor* WaitForJob(
    const CallRecord& record, absl::StatusOr<session::FoundJob> found,
    std::function<absl::Status(const session::FoundJob&)> take,
    std::function<void(const session::FoundJob&)> abandon) {
  auto wait = std::make_shared<JobWait>(record, std::move(found),
                                        std::move(take), std::move(abandon));
  wait->Begin();
  return wait.get();
}

}  // namespace usher::rpc
