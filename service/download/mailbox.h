#ifndef USHER_SERVICE_DOWNLOAD_MAILBOX_H_
#define USHER_SERVICE_DOWNLOAD_MAILBOX_H_

#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace usher::download {

// How other threads hand work to the thread of a libcurl multi handle.
// Thread-safe.
class Mailbox {
 public:
  // `multi`: the CURLM* to wake; must stay until Close.
  explicit Mailbox(void* multi) : multi_(multi) {}

  // Has `letter` run on the engine's thread; dropped after Close.
  void Post(std::function<void()> letter);
  // Takes what has come.
  std::vector<std::function<void()>> Take();
  void Close();

 private:
  absl::Mutex mutex_;
  void* multi_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> letters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_MAILBOX_H_
