#ifndef USHER_SERVICE_DOWNLOAD_CONTENT_PINS_H_
#define USHER_SERVICE_DOWNLOAD_CONTENT_PINS_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/sha256.h"
#include "service/download/content_cache.h"

namespace usher::download {

// Counts who needs which content. Thread-safe. Owned by shared_ptr: pins share
// it, and may outlive whoever made it.
class ContentPins : public std::enable_shared_from_this<ContentPins> {
 public:
  ContentPin Pin(const Sha256Digest& digest) {
    {
      const absl::MutexLock lock(&mutex_);
      ++counts_[digest];
    }
    // Only the deleter matters.
    return ContentPin(this, [table = shared_from_this(), digest](const void*) {
      table->Release(digest);
    });
  }

  bool IsPinned(const Sha256Digest& digest) const {
    const absl::MutexLock lock(&mutex_);
    return counts_.contains(digest);
  }

 private:
  void Release(const Sha256Digest& digest) {
    const absl::MutexLock lock(&mutex_);
    const auto at = counts_.find(digest);
    if (--at->second == 0) counts_.erase(at);
  }

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Sha256Digest, int> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_CONTENT_PINS_H_
