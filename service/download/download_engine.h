#ifndef USHER_SERVICE_DOWNLOAD_DOWNLOAD_ENGINE_H_
#define USHER_SERVICE_DOWNLOAD_DOWNLOAD_ENGINE_H_

// One download engine for all sessions: libcurl multi on one thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "common/sha256.h"
#include "service/repository/repository.h"

namespace usher::download {

class ContentCache;

struct FileRequest {
  std::string url;  // http:, https: or file:
  Sha256Digest sha256{};
  int64_t size = 0;
  // usher.v1.DownloadPriority; higher first when transfers wait.
  int priority = 2;
  repository::ProxySettings proxy;
  // For the log.
  std::string request_id;
};

// Follows one file. Called on the engine's thread; must not block.
class FileObserver {
 public:
  virtual ~FileObserver() = default;
  // Bytes of the file now on disk, resumed ones included. Never goes back
  // within one attempt. At most about ten calls a second.
  virtual void OnProgress(int64_t bytes) = 0;
  // Last call. OK: the content is in the cache. Errors:
  // WU_E_DM_INCORRECTFILEHASH, WU_E_CALL_CANCELLED, ERROR_DISK_FULL, HTTP and
  // network codes with URL and reason.
  virtual void OnDone(const absl::Status& status) = 0;
};

// Thread-safe.
class DownloadEngine {
 public:
  struct Options {
    int max_transfers = 8;
    int max_connections_per_host = 4;
    // A transfer slower than this for `stall_timeout` (whole seconds, at least
    // one) is given up and retried.
    int64_t min_speed = 1024;  // bytes a second
    absl::Duration stall_timeout = absl::Seconds(30);
    absl::Duration connect_timeout = absl::Seconds(15);
    // Attempts for faults that pass (network, 5xx), with growing pauses.
    int max_attempts = 4;
    // The first of them; each next one is twice as long, up to a minute.
    absl::Duration first_pause = absl::Seconds(1);
  };

  static absl::StatusOr<std::unique_ptr<DownloadEngine>> Start(
      ContentCache& cache, const Options& options);
  // Stops every transfer (observers get WU_E_SERVICE_STOP); partial files stay
  // for the next start.
  virtual ~DownloadEngine() = default;

  // Fetches one file into the cache. Two requests for the same digest share
  // one transfer; when its source fails, those that name another one go on
  // with that. Resumes a partial file. `cancel` ends only this request.
  virtual void Fetch(const FileRequest& request,
                     std::shared_ptr<FileObserver> observer,
                     const CancellationToken& cancel) = 0;
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_DOWNLOAD_ENGINE_H_
