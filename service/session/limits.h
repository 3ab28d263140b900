#ifndef USHER_SERVICE_SESSION_LIMITS_H_
#define USHER_SERVICE_SESSION_LIMITS_H_

// What keeps one caller from using up the service. Each limit is a setting of
// the same name in [limits]; reaching one answers WU_E_MAX_CAPACITY_REACHED.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::session {

// What the settings themselves are limited to: a job goes whole into a message
// of 4 MiB (its updates have about 80 bytes each, their results up to 1.1 KB,
// see job.h), and the catalog parses no longer criteria.
inline constexpr int kMaxUpdatesPerJob = 3000;
inline constexpr int kMaxCriteriaBytes = 32 * 1024;

// Places beyond Limits::sessions that only administrators may take.
inline constexpr int kSessionsForAdministrators = 16;

struct Limits {
  // Live sessions of all callers, and of one caller.
  int sessions = 1024;
  int sessions_per_caller = 32;
  // Searchers, downloaders and installers of one session together.
  int objects_per_session = 64;
  // Jobs of one session that are kept, and of those that are not completed.
  int jobs_per_session = 256;
  int running_jobs_per_session = 16;
  // Updates of one downloader or installer.
  int updates_per_job = 1000;
  // WatchSession and WatchJob streams of one session together.
  int watches_per_session = 64;
  // Bytes of search criteria.
  int criteria_bytes = kMaxCriteriaBytes;
  // Rows of finished searches kept for all sessions of one caller; a row takes
  // eight bytes.
  int64_t search_rows_per_caller = 4'000'000;
  // How long a session outlives its last use, holder and running job.
  absl::Duration session_idle_timeout = absl::Minutes(10);
};

// The error for a limit that was reached. `what` reads like "sessions of one
// caller"; `setting` is its name in [limits].
absl::Status LimitReached(absl::string_view what, int64_t limit,
                          absl::string_view setting);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_LIMITS_H_
