#ifndef USHER_SERVICE_DOWNLOAD_TRANSFER_JOB_H_
#define USHER_SERVICE_DOWNLOAD_TRANSFER_JOB_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/sha256.h"
#include "service/download/content_cache.h"
#include "service/download/partial_file.h"
#include "service/download/worker_pool.h"

namespace usher::download {

// What a job tells its engine.
struct JobEvent {
  enum class Kind {
    kPrepared,  // answers Prepare; `status`, and `cached` or `offset`
    kRoom,      // Write may be called again
    kFailed,    // writing failed with `status`; nothing more is written
    kFinished,  // answers Finish and CopyFrom: `status`
    kClosed,    // answers Close; the last event
  };
  Kind kind = Kind::kClosed;
  absl::Status status;
  // kFinished: the fault lies with this machine and not with the source.
  bool local_fault = false;
  bool cached = false;
  int64_t offset = 0;
  Validators validators;
};

// The part of a transfer that touches the disk. Its methods are for the
// engine's thread and only queue the work; it is done in order on the pool,
// where events come from too.
class TransferJob : public std::enable_shared_from_this<TransferJob> {
 public:
  using Listener = std::function<void(JobEvent)>;

  TransferJob(WorkerPool& pool, ContentCache& cache, const Sha256Digest& digest,
              int64_t size, Listener listener);

  // Looks whether the cache has the file, opens the partial file and hashes
  // what is there; after a break, only says how far the file is.
  void Prepare();
  // Where the following bytes come from; `restart` empties the file before.
  void Begin(const Validators& validators, bool restart);
  // Queues bytes. False, and nothing queued, when too much waits already;
  // kRoom follows.
  bool Write(absl::string_view bytes);
  // Writes what Write still holds back.
  void Flush();
  // Verifies the file and takes it into the cache.
  void Finish();
  // Copies the rest from `source`, then the same as Finish.
  void CopyFrom(const std::filesystem::path& source);
  // Empties the file, so that the next Prepare starts from nothing. What Write
  // still holds back is dropped.
  void Restart();
  // Removes the partial file. What Write still holds back is dropped.
  void Discard();
  // The same, when nothing of the file has come.
  void DiscardIfEmpty();
  // Ends all work between two steps and closes the file.
  void Close();

  // Bytes of the file on disk.
  int64_t written() const { return written_.load(std::memory_order_relaxed); }
  // Whether queued bytes are not on disk yet.
  bool HasBacklog() const;

 private:
  void PrepareOnWorker();
  void RehashOnWorker();
  void AppendOnWorker(std::string& block);
  void GiveBack(std::string block);
  void FinishOnWorker();
  void CopyOnWorker(std::shared_ptr<platform::File> source);
  // Keeps the first failure; a full disk is freed again.
  void Fail(const absl::Status& status);
  void Tell(JobEvent event) { listener_(std::move(event)); }
  void TellFinished(const absl::Status& status, bool local_fault);
  void UpdateWritten() {
    written_.store(partial_.offset(), std::memory_order_relaxed);
  }
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }

  ContentCache& cache_;
  const Sha256Digest digest_;
  const int64_t size_;
  const Listener listener_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<int64_t> written_ = 0;
  std::atomic<bool> abandoned_ = false;

  // Engine's thread.
  std::string current_;

  // Pool.
  PartialFile partial_;
  absl::Status failure_;

  mutable absl::Mutex mutex_;
  size_t pending_ ABSL_GUARDED_BY(mutex_) = 0;
  bool wants_room_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> spare_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_TRANSFER_JOB_H_
