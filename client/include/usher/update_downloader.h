#ifndef USHER_UPDATE_DOWNLOADER_H_
#define USHER_UPDATE_DOWNLOADER_H_

// IUpdateDownloader, IDownloadResult.

#include <any>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/hresult.h"
#include "usher/collection.h"
#include "usher/job.h"
#include "usher/types.h"
#include "usher/update.h"

namespace usher {

namespace internal {
class DownloaderObject;
}  // namespace internal

// IDownloadResult. Element i of `update_results` belongs to update i
// (UAMG-169).
struct DownloadResult {
  // 0, 0x00240003 (some failed) or 0x80240022 (all failed).
  HResult hresult = 0;
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  Collection<UpdateResult> update_results;
};

// A downloader. A handle, thread-safe; made again by itself when the service
// has lost it, as UpdateSearcher.
class UpdateDownloader {
 public:
  explicit UpdateDownloader(std::shared_ptr<internal::DownloaderObject> object);

  std::string ClientApplicationID() const;
  absl::Status SetClientApplicationID(absl::string_view value);
  // Download also what is installed or not installable.
  bool IsForced() const;
  absl::Status SetIsForced(bool value);
  enum DownloadPriority Priority() const;
  absl::Status SetPriority(enum DownloadPriority value);
  // A copy; change it and set it again.
  UpdateCollection Updates() const;
  absl::Status SetUpdates(const UpdateCollection& updates);

  // Downloads and waits. An update that fails is a result, not an error.
  // WU_E_NO_UPDATE (0x80240024) without updates (UAMG-167, 168).
  absl::StatusOr<DownloadResult> Download() const;
  // Begins and returns at once. Either callback may be empty.
  absl::StatusOr<DownloadJob> BeginDownload(DownloadProgressCallback progress,
                                            DownloadCompletedCallback completed,
                                            std::any async_state = {}) const;
  // Waits for the job and takes its result; also for a job found again. A
  // second time, or a job of another kind: WU_E_INVALID_OPERATION.
  absl::StatusOr<DownloadResult> EndDownload(const DownloadJob& job) const;

 private:
  std::shared_ptr<internal::DownloaderObject> object_;
};

}  // namespace usher

#endif  // USHER_UPDATE_DOWNLOADER_H_
