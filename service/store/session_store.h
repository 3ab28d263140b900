#ifndef USHER_SERVICE_STORE_SESSION_STORE_H_
#define USHER_SERVICE_STORE_SESSION_STORE_H_

// Sessions and jobs that outlive the daemon. Rows only: what they mean is the
// session layer's business. Thread-safe. Errors: those of database.h.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/hresult.h"
#include "service/store/database.h"

namespace usher::store {

struct SessionRow {
  std::string session_id;
  std::string owner;  // the caller's identity as text
  std::string client_application_id;
  std::string user_locale;
  bool read_only = false;
  std::string web_proxy;   // serialized usher.v1.WebProxy, without password
  absl::Time create_time;  // kept to microseconds
};

// Inserts or replaces; the jobs of a replaced session stay.
absl::Status PutSession(Database& database, const SessionRow& session);
// All sessions, oldest first.
absl::StatusOr<std::vector<SessionRow>> ListSessions(Database& database);
// Empty when there is none.
absl::StatusOr<std::optional<SessionRow>> GetSession(
    Database& database, absl::string_view session_id);
// Deletes a session with its jobs; nothing there is fine.
absl::Status DeleteSession(Database& database, absl::string_view session_id);

struct JobRow {
  std::string job_id;
  std::string session_id;
  int kind = 0;   // usher.v1.JobKind
  int state = 0;  // usher.v1.JobState
  std::string request_id;
  std::string parent;
  std::string client_application_id;
  std::string parameters;  // serialized, the session layer's
  std::string results;     // serialized, the session layer's
  int result_code = 0;     // usher.v1.OperationResultCode
  HResult hresult = 0;
  std::string message;
  bool abort_requested = false;
  bool ended = false;
  absl::Time create_time;                   // kept to microseconds
  std::optional<absl::Time> complete_time;  // kept to microseconds
};

// Inserts or replaces. WU_E_DS_MISSINGREF when its session is gone.
absl::Status PutJob(Database& database, const JobRow& job);
// Jobs of one session, or of all when `session_id` is empty; oldest first.
absl::StatusOr<std::vector<JobRow>> ListJobs(Database& database,
                                             absl::string_view session_id);
// Empty when there is none.
absl::StatusOr<std::optional<JobRow>> GetJob(Database& database,
                                             absl::string_view job_id);
// Nothing there is fine.
absl::Status DeleteJob(Database& database, absl::string_view job_id);

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_SESSION_STORE_H_
