#ifndef USHER_SERVICE_DOWNLOAD_HTTP_FAULT_H_
#define USHER_SERVICE_DOWNLOAD_HTTP_FAULT_H_

// What went wrong in a transfer, and what helps.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace usher::download {

enum class Remedy {
  kNone,     // trying again changes nothing
  kRetry,    // passes, after a pause
  kRestart,  // what we have of the file may be the culprit
};

struct HttpFault {
  absl::Status status;
  Remedy remedy = Remedy::kNone;
  // What the server asked for (Retry-After); 0 if nothing.
  absl::Duration pause;
};

// For an answer with an HTTP status other than 200 and 206.
HttpFault FaultOfHttpStatus(int http_status, absl::Duration retry_after,
                            absl::string_view url);

// For a CURLcode other than CURLE_OK; `detail` is libcurl's message.
HttpFault FaultOfCurlCode(int code, absl::string_view detail,
                          absl::string_view url);

// `url` without user name and password, for messages.
std::string RedactUrl(absl::string_view url);

// The pause before attempt number `attempt` + 1 (`attempt` from 1): grows
// twofold from `first`, at most a minute, and is spread at random between half
// and all of that, so that many machines do not come back at once.
absl::Duration RetryPause(int attempt, absl::Duration first);

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_HTTP_FAULT_H_
