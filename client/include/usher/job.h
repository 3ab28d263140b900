#ifndef USHER_JOB_H_
#define USHER_JOB_H_

// Jobs: what BeginSearch, BeginDownload, BeginInstall and BeginUninstall
// return (ISearchJob, IDownloadJob, IInstallationJob).
//
// Threads. Callbacks run on one thread of the session, one after the other;
// they may call everything in the SDK, also the blocking forms, but while one
// runs no other callback of that session does. Progress callbacks may be left
// out when they come faster than the program takes them. The completed
// callback comes exactly once, after the last progress callback, also when the
// service lost the job; the End call then says why. Neither comes any more
// after CleanUp() has returned or the UpdateSession is gone.

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/hresult.h"
#include "usher/types.h"
#include "usher/update.h"

namespace usher {

namespace internal {
class JobData;
}  // namespace internal

// Outcome for one update (IUpdateDownloadResult, IUpdateInstallationResult).
struct UpdateResult {
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  HResult hresult = 0;
  bool reboot_required = false;  // installation and uninstallation only
  std::string message;           // English; empty on plain success
  int32_t unmapped_result_code = 0;
};

// IDownloadProgress. A value: it does not change (UAMG-164).
struct DownloadProgress {
  int32_t current_update_index = 0;
  DownloadPhase current_update_download_phase = DownloadPhase::kUnspecified;
  int64_t current_update_bytes_downloaded = 0;
  int64_t current_update_bytes_to_download = 0;
  int32_t current_update_percent_complete = 0;
  int64_t total_bytes_downloaded = 0;
  int64_t total_bytes_to_download = 0;
  int32_t percent_complete = 0;
};

// IInstallationProgress. A value.
struct InstallationProgress {
  int32_t current_update_index = 0;
  int32_t current_update_percent_complete = 0;
  int32_t percent_complete = 0;
};

// What is known of a job, whoever began it.
struct JobInfo {
  std::string name;    // "sessions/{s}/jobs/{n}"
  std::string parent;  // the searcher, downloader or installer
  JobKind kind = JobKind::kUnspecified;
  JobState state = JobState::kUnspecified;
  bool abort_requested = false;
  bool ended = false;
  std::string client_application_id;
  absl::Time create_time;
  std::optional<absl::Time> complete_time;
  std::string request_id;  // log lines of the job carry it
  std::vector<UpdateIdentity> updates;
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  HResult hresult = 0;
  std::string message;
  // At most one of the two.
  std::optional<DownloadProgress> download_progress;
  std::optional<InstallationProgress> installation_progress;
};

// A job. A handle: copies share one object. Thread-safe.
class Job {
 public:
  Job() = default;
  explicit Job(std::shared_ptr<internal::JobData> data);

  explicit operator bool() const { return data_ != nullptr; }

  // Resource name; it finds the job again with UpdateSession::FindJob.
  std::string Name() const;
  JobKind Kind() const;
  // What was given to the Begin call (UAMG-154); empty for a job found again.
  std::any AsyncState() const;
  // Asks the service unless completion is already known.
  absl::StatusOr<bool> IsCompleted() const;
  // Asks the service.
  absl::StatusOr<JobInfo> GetInfo() const;
  // What the job works on; read-only (UAMG-165). For a job found again the
  // updates are read from the service; empty for a search.
  absl::StatusOr<UpdateCollection> Updates() const;
  // Returns at once; the job completes later with kAborted unless it had
  // already finished (UAMG-163).
  absl::Status RequestAbort() const;
  // Waits until the job is complete, then drops it. No callback comes
  // afterwards (UAMG-162), except that one that calls CleanUp itself finishes.
  absl::Status CleanUp() const;
  // Waits until the job is complete; the result stays there for the End call.
  // WU_E_TIME_OUT after `timeout`.
  absl::Status WaitUntilCompleted(
      absl::Duration timeout = absl::InfiniteDuration()) const;

  const std::shared_ptr<internal::JobData>& internal_data() const {
    return data_;
  }

 protected:
  std::shared_ptr<internal::JobData> data_;
};

class SearchJob : public Job {
 public:
  using Job::Job;
};

class DownloadJob : public Job {
 public:
  using Job::Job;
  absl::StatusOr<DownloadProgress> GetProgress() const;
};

// An installation or uninstallation.
class InstallationJob : public Job {
 public:
  using Job::Job;
  absl::StatusOr<InstallationProgress> GetProgress() const;
};

using SearchCompletedCallback = std::function<void(const SearchJob&)>;
using DownloadProgressCallback =
    std::function<void(const DownloadJob&, const DownloadProgress&)>;
using DownloadCompletedCallback = std::function<void(const DownloadJob&)>;
using InstallationProgressCallback =
    std::function<void(const InstallationJob&, const InstallationProgress&)>;
using InstallationCompletedCallback =
    std::function<void(const InstallationJob&)>;

}  // namespace usher

#endif  // USHER_JOB_H_
