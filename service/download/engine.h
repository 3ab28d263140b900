#ifndef USHER_SERVICE_DOWNLOAD_ENGINE_H_
#define USHER_SERVICE_DOWNLOAD_ENGINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/download/mailbox.h"
#include "service/download/transfer.h"
#include "service/download/worker_pool.h"

namespace usher::download {

// The engine: one thread that owns the multi handle and all transfers, and a
// few for the disk. Everything but Fetch runs on that thread.
class Engine final : public DownloadEngine {
 public:
  // Takes `multi`, a CURLM*.
  Engine(ContentCache& cache, const Options& options, void* multi);
  ~Engine() override;
  void Start();

  void Fetch(const FileRequest& request, std::shared_ptr<FileObserver> observer,
             const CancellationToken& cancel) override;

 private:
  void Loop();
  int PollMilliseconds(absl::Time now) const;

  // From the mailbox.
  void Add(std::shared_ptr<Waiter> waiter);
  void Cancel(const std::shared_ptr<Waiter>& waiter);
  void Stop();
  void OnEvent(uint64_t id, const JobEvent& event);

  // The life of a transfer.
  void StartDue(absl::Time now);
  bool MayStart(const Transfer& transfer, absl::Time now) const;
  void Begin(Transfer& transfer);
  void OnPrepared(Transfer& transfer, const JobEvent& event);
  void Receive(Transfer& transfer, const JobEvent& event);
  void ReadCurlMessages();
  void OnReceived(Transfer& transfer, int code);
  void DropHttp(Transfer& transfer);
  void OnFault(Transfer& transfer, const HttpFault& fault);
  // Whether beginning anew may help; true once for each transfer.
  bool MayRestart(Transfer& transfer);
  void OnFinished(Transfer& transfer, const JobEvent& event);
  // Everything is well; `size` is the file's.
  void Succeed(Transfer& transfer, int64_t size);
  // The source, or with `everyone` the machine, failed for good.
  void Fail(Transfer& transfer, const absl::Status& status, bool everyone);
  void TryAgain(Transfer& transfer, absl::Duration pause);
  void Close(Transfer& transfer);
  void OnClosed(Transfer& transfer);

  void ReportProgress(absl::Time now);

  ContentCache& cache_;
  const Options options_;
  void* const multi_;
  const std::shared_ptr<Mailbox> mailbox_;

  bool stopping_ = false;
  uint64_t last_id_ = 0;
  // In the order of arrival.
  std::map<uint64_t, std::unique_ptr<Transfer>> transfers_;
  absl::flat_hash_map<Sha256Digest, uint64_t> by_digest_;
  absl::flat_hash_map<void*, uint64_t> by_handle_;

  std::unique_ptr<WorkerPool> workers_;
  std::thread thread_;
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_ENGINE_H_
