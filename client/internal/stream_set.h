#ifndef USHER_CLIENT_INTERNAL_STREAM_SET_H_
#define USHER_CLIENT_INTERNAL_STREAM_SET_H_

#include <functional>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace usher::internal {

// A running stream of gRPC's callback API.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void Cancel() = 0;
};

// The running streams of a session, so that its end can wait for theirs.
// Thread-safe.
class StreamSet {
 public:
  // False once closed: the stream must not start.
  bool Add(Stream* stream);
  // The stream has ended and is about to be destroyed: it is not cancelled any
  // more, but Close still waits for it.
  void BeginRelease(Stream* stream);
  // What it held is released.
  void EndRelease();
  // Cancels all streams, refuses new ones and waits until all are released, or
  // until `timeout` has passed. Again: nothing.
  void Close(absl::Duration timeout);

 private:
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int releasing_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
};

// Runs `task` on a thread that is not gRPC's. gRPC 1.51 joins its callback
// threads when the last channel that uses them is released, so that one which
// is released on such a thread would wait for itself: streams end here.
void RunOffGrpcThreads(std::function<void()> task);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_STREAM_SET_H_
