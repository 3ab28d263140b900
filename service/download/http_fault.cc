#include "service/download/http_fault.h"

#include <curl/curl.h>

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher::download {
namespace {

constexpr absl::Duration kMaxPause = absl::Minutes(1);
// A server that asks for more than this is not waited for that long.
constexpr absl::Duration kMaxRetryAfter = absl::Minutes(5);

struct CurlRow {
  CURLcode code;
  HResult hr;
  Remedy remedy;
};

constexpr CurlRow kCurlRows[] = {
    {CURLE_COULDNT_RESOLVE_PROXY, hr::kWuEPtWinhttpNameNotResolved,
     Remedy::kRetry},
    {CURLE_COULDNT_RESOLVE_HOST, hr::kWuEPtWinhttpNameNotResolved,
     Remedy::kRetry},
    {CURLE_COULDNT_CONNECT, hr::kWuEPtEndpointUnreachable, Remedy::kRetry},
    {CURLE_OPERATION_TIMEDOUT, hr::kWuETimeOut, Remedy::kRetry},
    {CURLE_PARTIAL_FILE, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_GOT_NOTHING, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_SEND_ERROR, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_RECV_ERROR, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_SSL_CONNECT_ERROR, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_HTTP2, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_HTTP2_STREAM, hr::kWuEDownloadFailed, Remedy::kRetry},
    {CURLE_TOO_MANY_REDIRECTS, hr::kWuEPtExceededMaxServerTrips, Remedy::kNone},
    {CURLE_PROXY, hr::kWuEInvalidProxyServer, Remedy::kNone},
    {CURLE_OUT_OF_MEMORY, hr::kEOutofmemory, Remedy::kNone},
};

}  // namespace

HttpFault FaultOfHttpStatus(int http_status, absl::Duration retry_after,
                            absl::string_view url) {
  const std::string name = RedactUrl(url);
  HttpFault fault;
  fault.status = Error(
      HResultFromHttpStatus(http_status),
      absl::StrCat("cannot download ", name,
                   ": the server answered with HTTP status ", http_status),
      name);
  if (http_status == 416) fault.remedy = Remedy::kRestart;
  if (http_status == 408 || http_status == 429 || http_status >= 500) {
    fault.remedy = Remedy::kRetry;
    fault.pause = std::clamp(retry_after, absl::ZeroDuration(), kMaxRetryAfter);
  }
  return fault;
}

HttpFault FaultOfCurlCode(int code, absl::string_view detail,
                          absl::string_view url) {
  const std::string name = RedactUrl(url);
  const auto curl_code = static_cast<CURLcode>(code);
  const std::string message =
      absl::StrCat("cannot download ", name, ": ",
                   detail.empty() ? curl_easy_strerror(curl_code) : detail);
  for (const CurlRow& row : kCurlRows) {
    if (row.code == curl_code) {
      return {Error(row.hr, message, name), row.remedy, absl::ZeroDuration()};
    }
  }
  return {Error(hr::kWuEDownloadFailed, message, name), Remedy::kNone,
          absl::ZeroDuration()};
}

std::string RedactUrl(absl::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == absl::string_view::npos) return absl::StrCat(url);
  const size_t host = scheme + 3;
  const absl::string_view authority =
      url.substr(host, url.find_first_of("/?#", host) - host);
  const size_t at = authority.rfind('@');
  if (at == absl::string_view::npos) return absl::StrCat(url);
  return absl::StrCat(url.substr(0, host), url.substr(host + at + 1));
}

absl::Duration RetryPause(int attempt, absl::Duration first) {
  absl::Duration pause = first;
  for (int i = 1; i < attempt && pause < kMaxPause; ++i) pause *= 2;
  absl::BitGen random;
  return std::min(pause, kMaxPause) * absl::Uniform(random, 0.5, 1.0);
}

}  // namespace usher::download
