#ifndef USHER_SERVICE_SESSION_AUTHORITY_H_
#define USHER_SERVICE_SESSION_AUTHORITY_H_

// Who may do what (API reference, section 5.1).

#include <string>

#include "absl/status/status.h"

namespace usher::session {

// Who calls, as the transport read it from the kernel. Never from a request.
struct Caller {
  // "uid:1000" or a SID.
  std::string user;
  bool is_administrator = false;
  // The service itself, which tries its own door.
  bool is_self = false;
};

// One call: its caller and the id that ties client, job and log lines.
struct Call {
  Caller caller;
  std::string request_id;
};

enum class Right {
  kDownload,
  kInstall,         // and uninstall
  kDecide,          // hide updates, accept licence terms
  kManageServices,  // register, remove and refresh update services
  kAllSessions,     // see and close other callers' sessions
};

// What an administrator may change about it in [policy].
struct Policy {
  // Everyone may download, not only administrators. (WUA gives it to "power
  // users", which Usher does not have.)
  bool users_may_download = false;
};

// OK, or PERMISSION_DENIED / E_ACCESSDENIED naming the right that is missing.
absl::Status Authorize(const Caller& caller, Right right, const Policy& policy);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_AUTHORITY_H_
