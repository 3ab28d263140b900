#ifndef USHER_SERVICE_REPOSITORY_HTTP_CLIENT_H_
#define USHER_SERVICE_REPOSITORY_HTTP_CLIENT_H_

// The http: and https: half of Fetcher, over libcurl.

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"
#include "service/repository/fetcher.h"

namespace usher::repository {

// Not thread-safe. Keeps connections between calls.
class HttpClient {
 public:
  explicit HttpClient(const Fetcher::Options& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // As Fetcher::Fetch().
  absl::Status Fetch(absl::string_view url, int64_t max_bytes,
                     const FetchSink& sink, const CancellationToken& cancel);

 private:
  struct Handles;
  Fetcher::Options options_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_HTTP_CLIENT_H_
