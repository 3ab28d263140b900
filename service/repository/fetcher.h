#ifndef USHER_SERVICE_REPOSITORY_FETCHER_H_
#define USHER_SERVICE_REPOSITORY_FETCHER_H_

// Reads one file from a web server or a folder, within limits.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "service/repository/repository.h"

namespace usher::repository {

// Takes the next bytes; a failure ends the transfer and is its result.
using FetchSink = std::function<absl::Status(absl::string_view)>;

// Not thread-safe: one call at a time. Keeps connections between calls.
class Fetcher {
 public:
  struct Options {
    ProxySettings proxy;
    // A transfer slower than this, in bytes a second, for `stall_time` is
    // given up.
    int64_t min_speed = 1024;
    absl::Duration stall_time = absl::Seconds(30);
    absl::Duration connect_timeout = absl::Seconds(15);
    // When a transfer is given up however fast it is.
    absl::Time deadline = absl::InfiniteFuture();
    int max_redirects = 5;
    // file: URLs may name only what lies below this file: URL.
    std::string base_url;
  };

  static std::unique_ptr<Fetcher> Create(const Options& options);
  virtual ~Fetcher() = default;

  // Reads `url` (http:, https: or file:) into `sink`. Redirects may only lead
  // from http to http or https and from https to https. Errors (all name the
  // URL): ERROR_FILE_NOT_FOUND or WU_E_PT_HTTP_STATUS_NOT_FOUND when there is
  // no such file, WU_E_PT_EXCEEDED_MAX_SERVER_TRIPS for too many redirects,
  // WU_E_INVALID_FILE for more than `max_bytes`, WU_E_TIME_OUT,
  // WU_E_CALL_CANCELLED, other network and HTTP codes.
  virtual absl::Status Fetch(absl::string_view url, int64_t max_bytes,
                             const FetchSink& sink,
                             const CancellationToken& cancel) = 0;
};

// Whether an error of Fetch() says nothing about the file or whoever publishes
// it: the network or the server failed, time ran out, or the caller gave up.
bool WasNotAnswered(const absl::Status& status);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_FETCHER_H_
