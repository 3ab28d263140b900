#ifndef USHER_SERVICE_SESSION_UPDATE_SERVICE_ENTRY_H_
#define USHER_SERVICE_SESSION_UPDATE_SERVICE_ENTRY_H_

// What UpdateServices keeps of one service, for its own sources alone.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "service/repository/repository.h"
#include "service/session/update_services.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {

// WU_E_DS_UNKNOWNSERVICE.
absl::Status UnknownService(absl::string_view service_id);

// The digest of the root that is trusted now; empty if it cannot be read.
std::string RootDigest(const std::filesystem::path& folder,
                       int64_t max_root_bytes);

// That a trusted root.json was given and is not too large.
absl::Status CheckRootMetadata(absl::string_view root, int64_t max_root_bytes);

// A request id as the log has it.
inline std::string LoggedId(const std::string& request_id) {
  return request_id.empty() ? "-" : request_id;
}

// What is wrong with a repository, told to someone who has it as a scan
// package.
absl::Status AboutScanPackage(const absl::Status& status);

struct UpdateServices::Entry {
  const std::string id;

  // Held during a refresh or the removal.
  absl::Mutex refreshing;
  bool removed ABSL_GUARDED_BY(refreshing) = false;

  absl::Mutex mutex;
  // Cancelled by the removal, which need not wait for a slow server.
  CancellationToken stop ABSL_GUARDED_BY(mutex);
  v1::UpdateService service ABSL_GUARDED_BY(mutex);
  // The id of the session that a volatile registration belongs to.
  std::string session ABSL_GUARDED_BY(mutex);
  absl::Time tried ABSL_GUARDED_BY(mutex) = absl::InfinitePast();
  absl::Status last_result ABSL_GUARDED_BY(mutex);
  // When a refresh that succeeded last looked for a new root.
  absl::Time roots_followed ABSL_GUARDED_BY(mutex) = absl::InfinitePast();
  bool queued ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::function<void(const absl::Status&)>> waiting
      ABSL_GUARDED_BY(mutex);

  explicit Entry(const v1::UpdateService& initial)
      : id(initial.service_id()), service(initial) {}

  v1::UpdateService Read() {
    absl::MutexLock lock(&mutex);
    return service;
  }
  // A clock set back makes them old.
  bool RootsAreRecent(absl::Time now, absl::Duration interval) {
    absl::MutexLock lock(&mutex);
    return roots_followed <= now && now - roots_followed < interval;
  }
  CancellationToken Stop() {
    absl::MutexLock lock(&mutex);
    return stop;
  }
  std::string Session() {
    absl::MutexLock lock(&mutex);
    return session;
  }
};

// What a refresh brought.
struct UpdateServices::Fetched {
  bool changed = false;
  repository::RefreshOutcome outcome;
  std::string service_id;
  std::string service_name;
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_UPDATE_SERVICE_ENTRY_H_
