#ifndef USHER_SERVICE_RPC_PULL_STREAM_H_
#define USHER_SERVICE_RPC_PULL_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "service/rpc/call_record.h"

namespace usher::rpc {

// A server stream that asks for its next message when there may be one and
// the last one has gone out: a slow reader gets fewer messages, not a queue.
//
// gRPC is never called with the lock held, since it may call back from within.
// While `writing_` is set nobody but OnWriteDone starts or finishes anything.
template <typename Message>
class PullStream : public grpc::ServerWriteReactor<Message>,
                   public std::enable_shared_from_this<PullStream<Message>> {
 public:
  explicit PullStream(CallRecord record) : record_(std::move(record)) {}

  const CallRecord& record() const { return record_; }

  // Keeps the stream alive until gRPC is done with it.
  void Begin() {
    self_ = this->shared_from_this();
    Pump();
  }

  // There may be something to send. From any thread.
  void Pump() {
    Step step;
    {
      absl::MutexLock lock(&mutex_);
      if (writing_ || finished_) return;
      step =
          cancelled_ ? Step{Step::kFinish, CancelledStatus()} : Next(message_);
      if (step.kind == Step::kNothing) return;
      (step.kind == Step::kMessage ? writing_ : finished_) = true;
    }
    switch (step.kind) {
      case Step::kMessage:
        this->StartWrite(&message_);
        break;
      case Step::kLastMessage:
        this->StartWriteAndFinish(&message_, grpc::WriteOptions(),
                                  record_.Finish(step.status));
        break;
      case Step::kFinish:
        this->Finish(record_.Finish(step.status));
        break;
      case Step::kNothing:
        break;
    }
  }

 protected:
  struct Step {
    enum Kind { kNothing, kMessage, kLastMessage, kFinish };
    Kind kind = kNothing;
    absl::Status status;  // of kLastMessage and kFinish
  };

  // The next message, if there is one. Called under the stream's lock.
  virtual Step Next(Message& message) = 0;
  // The call is over; nothing is called after this.
  virtual void Ended() {}

 private:
  static absl::Status CancelledStatus() {
    return absl::CancelledError("the client left the stream");
  }

  void OnWriteDone(bool ok) override {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      if (!ok) cancelled_ = true;
    }
    Pump();
  }

  void OnCancel() override {
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
    }
    Pump();
  }

  void OnDone() override {
    Ended();
    self_.reset();
  }

  const CallRecord record_;
  std::shared_ptr<PullStream> self_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  Message message_;  // belongs to whoever set writing_ or finished_
};

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_PULL_STREAM_H_
