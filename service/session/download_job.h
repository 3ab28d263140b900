#ifndef USHER_SERVICE_SESSION_DOWNLOAD_JOB_H_
#define USHER_SERVICE_SESSION_DOWNLOAD_JOB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/cancellation.h"
#include "common/sha256.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/repository/repository.h"
#include "service/session/job.h"

namespace usher::session {

class Core;

// What a download was asked.
struct DownloadPlan {
  std::vector<catalog::UpdateKey> updates;
  bool is_forced = false;
  int priority = 2;  // usher.v1.DownloadPriority
  repository::ProxySettings proxy;
  std::string locale;
  std::string owner;  // whose turn of the threads it takes
};

// One download of some updates (UAMG-167 … 174). Survives a restart of the
// service: what is in the cache is not fetched again, and partial files are
// resumed. What it fetches stays in the cache until it has ended.
class DownloadJob : public Job {
 public:
  DownloadJob(Core& core, const v1::Job& initial, std::string session_id,
              std::string id, DownloadPlan plan);
  ~DownloadJob() override;

  // Goes on with the updates that have no result yet.
  void Begin();

 private:
  class Observer;

  struct File {
    std::string url;
    Sha256Digest sha256{};
    int64_t size = 0;
    int64_t done = 0;
  };
  struct Item {
    std::vector<File> files;
    // Of all its files, those that are there already included.
    absl::flat_hash_map<Sha256Digest, download::ContentPin> pins;
    int64_t bytes = 0;
    int open_files = 0;
    bool finished = false;
    absl::Status error;
    CancellationToken cancel;
  };

  // Finds out what has to be fetched; on a pool thread.
  void Plan();
  absl::Status PlanItem(int index, Item& item);
  // Pins the files of an update that was finished before a restart.
  void KeepItem(int index, Item& item);
  absl::Status CollectFiles(const catalog::UpdateKey& key, int depth,
                            Item& item);
  // Starts as many updates as may run at a time; ends the job after the last.
  void StartMore();
  void OnFileProgress(int index, int file, int64_t bytes);
  void OnFileDone(int index, int file, const absl::Status& status);
  void FinishItem(int index, const absl::Status& error);
  void ReportProgress();
  void CancelItems();
  void End();
  std::shared_ptr<DownloadJob> Self();
  void Result(int index, int result_code, HResult hresult,
              absl::string_view message);

  Core& core_;
  const DownloadPlan plan_;

  absl::Mutex items_mutex_;
  std::vector<Item> items_ ABSL_GUARDED_BY(items_mutex_);
  size_t next_ ABSL_GUARDED_BY(items_mutex_) = 0;
  int running_ ABSL_GUARDED_BY(items_mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(items_mutex_) = false;
  int64_t total_bytes_ ABSL_GUARDED_BY(items_mutex_) = 0;
  int64_t done_bytes_ ABSL_GUARDED_BY(items_mutex_) = 0;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_DOWNLOAD_JOB_H_
