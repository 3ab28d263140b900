#ifndef USHER_UPDATE_SESSION_H_
#define USHER_UPDATE_SESSION_H_

// IUpdateSession … IUpdateSession3: where everything begins.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "usher/history.h"
#include "usher/job.h"
#include "usher/system_information.h"
#include "usher/update_downloader.h"
#include "usher/update_installer.h"
#include "usher/update_searcher.h"
#include "usher/update_service_manager.h"

namespace usher {

namespace internal {
class SessionCore;
}  // namespace internal

// IWebProxy. The password is written only and never read back.
struct WebProxy {
  std::string address;  // "host:port" or "scheme://host:port"
  std::vector<std::string> bypass_list;
  bool bypass_proxy_on_local = false;
  std::string user_name;
  std::string password;
  // The fields above are then ignored (UAMG-240).
  bool auto_detect = true;
};

// How to open a session.
struct SessionOptions {
  // Names the calling program; with the user, the session's key. At most 256
  // bytes of UTF-8 without control characters.
  std::string client_application_id;
  // Setters answer WU_E_NOT_SUPPORTED, creation of downloaders and installers
  // E_ACCESSDENIED.
  bool read_only = false;
  // BCP 47; empty: the service's. Used when the session is new.
  std::string user_locale;
  // Socket path or pipe name; empty: the machine's service, or what the
  // environment variable USHER_ADDRESS names.
  std::string address;
  // Refuse a server that is neither root nor the caller's own user.
  bool verify_server = true;
  // How long Open may try to connect.
  absl::Duration connect_timeout = absl::Seconds(5);
  // How long a call waits for a service that went away to come back.
  absl::Duration reconnect_timeout = absl::Seconds(30);
};

// A session as ListSessions shows it.
struct SessionInfo {
  std::string name;
  std::string client_application_id;
  bool read_only = false;
  std::string user_locale;
  absl::Time create_time;
  // Nothing while a client or a job holds it.
  std::optional<absl::Time> expire_time;
  std::string owner;
  int32_t watcher_count = 0;
  int32_t job_count = 0;
};

// A session with the service. Movable; thread-safe otherwise. Holds the
// session open (it cannot expire) until destroyed; jobs go on without it.
//
// A broken connection is dialed again with growing, jittered pauses, the
// session re-attached and running jobs watched again. Calls that change
// nothing are then repeated; a call that might have been carried out is not
// and fails with WU_E_NO_SERVICE, saying so.
//
// Objects made from a session may outlive it; their calls then fail with
// WU_E_NO_SERVICE.
class UpdateSession {
 public:
  // Attaches to the caller's live session of that ClientApplicationID or makes
  // one. Errors: WU_E_NO_SERVICE when nobody answers, E_ACCESSDENIED,
  // WU_E_MAX_CAPACITY_REACHED, WU_E_INVALID_OPERATION when the live session
  // has another value of read_only.
  static absl::StatusOr<UpdateSession> Open(const SessionOptions& options);

  explicit UpdateSession(std::shared_ptr<internal::SessionCore> core);
  UpdateSession(UpdateSession&&) noexcept = default;
  UpdateSession& operator=(UpdateSession&& other) noexcept;
  UpdateSession(const UpdateSession&) = delete;
  UpdateSession& operator=(const UpdateSession&) = delete;
  ~UpdateSession();

  // Resource name; another one when the service lost the old session.
  std::string Name() const;
  // Open found a live session.
  bool Attached() const;
  std::string ClientApplicationID() const;
  bool ReadOnly() const;
  std::string UserLocale() const;
  // Objects made later speak this language (UAMG-021).
  absl::Status SetUserLocale(absl::string_view locale);
  // Without the password.
  WebProxy GetWebProxy() const;
  absl::Status SetWebProxy(const WebProxy& proxy);

  absl::StatusOr<UpdateSearcher> CreateUpdateSearcher() const;
  // E_ACCESSDENIED for callers who may not.
  absl::StatusOr<UpdateDownloader> CreateUpdateDownloader() const;
  absl::StatusOr<UpdateInstaller> CreateUpdateInstaller() const;
  UpdateServiceManager CreateUpdateServiceManager() const;

  // IUpdateSession3::QueryHistory. `criteria` is empty or one test
  // "UpdateID='<uuid>'" (UAMG-207 … 209).
  absl::StatusOr<UpdateHistoryEntryCollection> QueryHistory(
      absl::string_view criteria, int32_t start_index, int32_t count) const;

  // Updates named by identity, read from the service.
  absl::StatusOr<UpdateCollection> GetUpdates(
      const std::vector<UpdateIdentity>& identities) const;

  // The session's jobs, oldest first, so that a program that was restarted
  // picks up its work.
  absl::StatusOr<std::vector<JobInfo>> Jobs() const;
  // A job by its name, or by the part of it after "jobs/". Wrap it in the
  // class of its kind for the End call: `DownloadJob(job.internal_data())`, or
  // use FindDownloadJob and its like, which check the kind
  // (WU_E_INVALID_OPERATION).
  absl::StatusOr<Job> FindJob(absl::string_view name) const;
  absl::StatusOr<SearchJob> FindSearchJob(absl::string_view name) const;
  absl::StatusOr<DownloadJob> FindDownloadJob(
      absl::string_view name, DownloadProgressCallback progress = {},
      DownloadCompletedCallback completed = {}) const;
  absl::StatusOr<InstallationJob> FindInstallationJob(
      absl::string_view name, InstallationProgressCallback progress = {},
      InstallationCompletedCallback completed = {}) const;
  // Take a job's result without the object that began it.
  absl::StatusOr<DownloadResult> EndDownload(const DownloadJob& job) const;
  absl::StatusOr<InstallationResult> EndInstallation(
      const InstallationJob& job) const;

  absl::StatusOr<SystemInformation> GetSystemInformation() const;
  absl::StatusOr<AgentInfo> GetAgentInfo() const;
  // The caller's sessions; everybody's for administrators.
  absl::StatusOr<std::vector<SessionInfo>> ListSessions(
      bool all_callers = false) const;

  // Ends a session by the name that ListSessions tells, as Close() does; for
  // administrators anybody's. Fails with NOT_FOUND if there is none.
  absl::Status CloseSession(absl::string_view name) const;

  // Ends the session at the service: aborts its jobs and drops its objects.
  // The object is of no further use.
  absl::Status Close();

 private:
  std::shared_ptr<internal::SessionCore> core_;
};

}  // namespace usher

#endif  // USHER_UPDATE_SESSION_H_
