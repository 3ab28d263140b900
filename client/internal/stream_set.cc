#include "client/internal/stream_set.h"

#include <utility>

#include "client/internal/serial_queue.h"

namespace usher::internal {
namespace {

// Never destroyed: streams may end while the process does.
SerialQueue& Reaper() {
  static auto* queue = new SerialQueue;
  return *queue;
}

}  // namespace

bool StreamSet::Add(Stream* stream) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return false;
  streams_.insert(stream);
  return true;
}

void StreamSet::BeginRelease(Stream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
  ++releasing_;
}

void StreamSet::EndRelease() {
  absl::MutexLock lock(&mutex_);
  --releasing_;
}

void StreamSet::Close(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return;
  closed_ = true;
  for (Stream* stream : streams_) stream->Cancel();
  if (Reaper().OnThread()) return;  // it could not run what is waited for
  const auto empty = [this] {
    mutex_.AssertReaderHeld();
    return streams_.empty() && releasing_ == 0;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&empty), timeout);
}

void RunOffGrpcThreads(std::function<void()> task) {
  Reaper().Post(std::move(task));
}

}  // namespace usher::internal
