#ifndef USHER_SERVICE_RPC_POOLED_STREAM_H_
#define USHER_SERVICE_RPC_POOLED_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "common/cancellation.h"
#include "service/rpc/call_record.h"
#include "service/session/thread_pool.h"

namespace usher::rpc {

// A server stream whose messages are read from the database: each is made on a
// pool thread, and only after the last one has gone out. So a slow reader
// holds no thread and no more than one message.
//
// Producing, writing and finishing take turns; whoever has the turn needs no
// lock.
template <typename Message>
class PooledStream
    : public grpc::ServerWriteReactor<Message>,
      public std::enable_shared_from_this<PooledStream<Message>> {
 public:
  PooledStream(CallRecord record, session::ThreadPool& pool)
      : record_(std::move(record)), pool_(pool) {}

  // Keeps the stream alive until gRPC is done with it.
  void Begin() {
    self_ = this->shared_from_this();
    if (record_.admitted().ok()) {
      Post();
    } else {
      // Whoever may call nothing has no claim to a thread.
      this->Finish(record_.Finish(record_.admitted()));
    }
  }

 protected:
  struct Step {
    enum Kind { kMessage, kFinish };
    Kind kind = kFinish;
    absl::Status status;  // of kFinish
  };

  // Makes the next message; on a pool thread.
  virtual Step Produce(Message& message) = 0;
  // A message has gone out: Post() now, or later from elsewhere.
  virtual void Written() { Post(); }
  // The client is gone; on any thread, also while producing.
  virtual void Cancelled() {}
  // `status` is about to go out: what the client must find done once it has
  // read it. With the turn, and once; only Cancelled() may come later.
  virtual void Ending(const absl::Status& /*status*/) {}

  void Post() {
    pool_.Post(record_.call().caller,
               [self = this->shared_from_this()] { self->Turn(); });
  }

  const CallRecord& record() const { return record_; }
  const CancellationToken& cancel() const { return cancel_; }

 private:
  void Turn() {
    Step step;
    if (cancel_.cancelled()) {
      step = {Step::kFinish,
              absl::CancelledError("the client left the stream")};
    } else {
      step = Produce(message_);
    }
    if (step.kind == Step::kMessage) {
      this->StartWrite(&message_);
    } else {
      Ending(step.status);
      this->Finish(record_.Finish(step.status));
    }
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      CancellationToken(cancel_).Cancel();
      Post();
      return;
    }
    Written();
  }

  void OnCancel() override {
    CancellationToken(cancel_).Cancel();
    Cancelled();
  }

  void OnDone() override { self_.reset(); }

  const CallRecord record_;
  session::ThreadPool& pool_;
  const CancellationToken cancel_;
  std::shared_ptr<PooledStream> self_;
  Message message_;
};

}  // namespace usher::rpc

#endif  // USHER_SERVICE_RPC_POOLED_STREAM_H_
