#ifndef USHER_TESTS_UNIT_DOWNLOAD_WORLD_H_
#define USHER_TESTS_UNIT_DOWNLOAD_WORLD_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/error.h"
#include "gtest/gtest.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/store/database.h"
#include "tests/unit/download/test_servers.h"

namespace usher::download {

// Remembers what it is told.
class Recorder final : public FileObserver {
 public:
  void OnProgress(int64_t bytes) override;
  void OnDone(const absl::Status& status) override;
  // Waits for the end; fails the test after 30 seconds.
  absl::Status Wait();
  // Waits until so many bytes are reported; false after 30 seconds.
  bool WaitForBytes(int64_t bytes);
  std::vector<int64_t> progress() const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<int64_t> progress_ ABSL_GUARDED_BY(mutex_);
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// Database, cache and engine in a folder.
class World {
 public:
  // Quick retries; `folder` stays the caller's.
  explicit World(const std::filesystem::path& folder,
                 DownloadEngine::Options options = QuickOptions(),
                 int64_t max_bytes = 0);
  static DownloadEngine::Options QuickOptions();

  ContentCache& cache() { return *cache_; }
  DownloadEngine& engine() { return *engine_; }
  void StopEngine() { engine_.reset(); }

  std::shared_ptr<Recorder> Fetch(
      const std::string& url, const std::string& content,
      const CancellationToken& cancel = CancellationToken(), int priority = 2);
  // Fetches and waits.
  absl::Status Get(const std::string& url, const std::string& content);
  // What the cache has under `content`'s digest; fails the test if nothing.
  std::string Cached(const std::string& content);
  bool HasPartial(const std::string& content);

 private:
  std::filesystem::path folder_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<ContentCache> cache_;
  std::unique_ptr<DownloadEngine> engine_;
};

FileRequest RequestFor(const std::string& url, const std::string& content);

}  // namespace usher::download

#endif  // USHER_TESTS_UNIT_DOWNLOAD_WORLD_H_
