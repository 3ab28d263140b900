// Fetches one file into a cache: usher_download_child FOLDER URL SHA256 SIZE.
// For tests that need a process of their own, and for measuring. Exit status:
// 0 fetched, 3 the disk is full, 1 another failure, 2 wrong usage.

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/store/database.h"

namespace usher::download {
namespace {

class Observer final : public FileObserver {
 public:
  void OnProgress(int64_t /*bytes*/) override {}
  void OnDone(const absl::Status& status) override {
    status_ = status;
    done_.Notify();
  }
  absl::Status Wait() {
    done_.WaitForNotification();
    return status_;
  }

 private:
  absl::Notification done_;
  absl::Status status_;
};

absl::Status Run(const std::filesystem::path& folder, FileRequest request) {
  USHER_ASSIGN_OR_RETURN(const std::unique_ptr<store::Database> database,
                         store::Database::Open(folder / "usher.db", {}));
  USHER_ASSIGN_OR_RETURN(
      const std::unique_ptr<ContentCache> cache,
      ContentCache::Open(*database, {.directory = folder / "cache"}));
  USHER_ASSIGN_OR_RETURN(const std::unique_ptr<DownloadEngine> engine,
                         DownloadEngine::Start(*cache, {}));
  request.proxy.auto_detect = false;
  auto observer = std::make_shared<Observer>();
  const absl::Time start = absl::Now();
  engine->Fetch(request, observer, CancellationToken());
  absl::Status status = observer->Wait();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  std::printf("%.3f s, %.0f MB/s\n", seconds,
              static_cast<double>(request.size) / 1e6 / seconds);
  return status;
}

int Main(int argc, char** argv) {
  FileRequest request;
  if (argc != 5 || !absl::SimpleAtoi(argv[4], &request.size)) return 2;
  request.url = argv[2];
  const absl::StatusOr<Sha256Digest> digest = ParseSha256Hex(argv[3]);
  if (!digest.ok()) return 2;
  request.sha256 = *digest;
  const absl::Status status = Run(PathFromUtf8(argv[1]), request);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return HResultOf(status) == hr::kErrorDiskFull ? 3 : 1;
}

}  // namespace
}  // namespace usher::download

int main(int argc, char** argv) { return usher::download::Main(argc, argv); }
