#include "service/repository/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/repository/proxy.h"
#include "service/repository/url.h"

namespace usher::repository {
namespace {

// The body of an error page is read, and dropped, up to here: the connection
// then serves the next request.
constexpr int64_t kMaxErrorPageBytes = int64_t{64} * 1024;

struct CurlDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

// One request as libcurl's callback sees it.
struct Transfer {
  CURL* easy = nullptr;
  const FetchSink* sink = nullptr;
  int64_t max_bytes = 0;
  int64_t received = 0;
  int64_t dropped = 0;
  absl::Status status;  // why the callback ended the transfer
  std::array<char, CURL_ERROR_SIZE> error{};
};

long ResponseCode(CURL* easy) {  // NOLINT(google-runtime-int)
  long code = 0;                 // NOLINT(google-runtime-int)
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

absl::Status TooLarge(int64_t max_bytes) {
  return Error(hr::kWuEInvalidFile,
               absl::StrCat("larger than the limit of ", max_bytes, " bytes"));
}

size_t OnData(char* data, size_t /*size*/, size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  constexpr long kOk = 200;  // NOLINT(google-runtime-int)
  if (ResponseCode(transfer->easy) != kOk) {
    transfer->dropped += static_cast<int64_t>(count);
    return transfer->dropped > kMaxErrorPageBytes ? 0 : count;
  }
  if (static_cast<int64_t>(count) > transfer->max_bytes - transfer->received) {
    transfer->status = TooLarge(transfer->max_bytes);
    return 0;
  }
  transfer->received += static_cast<int64_t>(count);
  transfer->status = (*transfer->sink)(absl::string_view(data, count));
  return transfer->status.ok() ? count : 0;
}

HResult HResultFromCurl(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return hr::kWuEPtWinhttpNameNotResolved;
    case CURLE_COULDNT_CONNECT:
      return hr::kWuEPtEndpointUnreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return hr::kWuETimeOut;
    case CURLE_OUT_OF_MEMORY:
      return hr::kEOutofmemory;
    default:
      return hr::kWuENoConnection;
  }
}

bool IsRedirect(long code) {  // NOLINT(google-runtime-int)
  return code == 301 || code == 302 || code == 303 || code == 307 ||
         code == 308;
}

absl::Status About(absl::string_view url, const absl::Status& status) {
  if (status.ok()) return status;
  return Annotate(status,
                  absl::StrCat("cannot fetch ", absl::Utf8SafeCEscape(url)));
}

absl::Status Cancelled() { return Error(hr::kWuECallCancelled, "cancelled"); }

// Runs what is added to `multi` to its end.
absl::StatusOr<CURLcode> Run(CURLM* multi, absl::Time deadline,
                             const CancellationToken& cancel) {
  // libcurl wakes by itself for its own timers; this only bounds one wait.
  constexpr int kMaxWaitMs = 1000;
  int running = 1;
  while (running > 0) {
    if (cancel.cancelled()) return Cancelled();
    if (absl::Now() > deadline) {
      return Error(HResultFromCurl(CURLE_OPERATION_TIMEDOUT),
                   "the server is too slow: it took longer than is allowed for "
                   "all of it");
    }
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running > 0 &&
        curl_multi_poll(multi, nullptr, 0, kMaxWaitMs, nullptr) != CURLM_OK) {
      break;
    }
  }
  int left = 0;
  for (const CURLMsg* message = curl_multi_info_read(multi, &left);
       message != nullptr; message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) return message->data.result;
  }
  return Error(hr::kWuEUnexpected, "libcurl failed");
}

}  // namespace

struct HttpClient::Handles {
  // Shared with the cancel callback, which may still run when this is gone.
  std::shared_ptr<CURLM> multi;
  std::unique_ptr<CURL, CurlDeleter> easy;
};

HttpClient::HttpClient(const Fetcher::Options& options)
    : options_(options), handles_(std::make_unique<Handles>()) {
  static const CURLcode kGlobal = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kGlobal != CURLE_OK) return;
  handles_->multi = std::shared_ptr<CURLM>(
      curl_multi_init(), [](CURLM* multi) { curl_multi_cleanup(multi); });
  handles_->easy.reset(curl_easy_init());
}

HttpClient::~HttpClient() = default;

namespace {

// One request, no redirect followed. Gives the place that a redirect leads to,
// "" when the content came.
absl::StatusOr<std::string> FetchOnce(const Fetcher::Options& options,
                                      CURL* easy, CURLM* multi,
                                      const std::string& url,
                                      Transfer& transfer,
                                      const CancellationToken& cancel) {
  USHER_ASSIGN_OR_RETURN(const ProxyChoice proxy,
                         ChooseProxy(options.proxy, url));
  curl_easy_reset(easy);  // keeps connections
  transfer.easy = easy;
  const auto milliseconds = [](absl::Duration duration) {
    return static_cast<long>(  // NOLINT(google-runtime-int)
        absl::ToInt64Milliseconds(duration));
  };
  // NOLINTBEGIN(google-runtime-int): libcurl's options take long.
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "usher/" USHER_VERSION);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   milliseconds(options.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT,
                   static_cast<long>(options.min_speed));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, milliseconds(options.stall_time) / 1000));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnData);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  // NOLINTEND(google-runtime-int)
  USHER_RETURN_IF_ERROR(ApplyProxy(proxy, easy));

  if (curl_multi_add_handle(multi, easy) != CURLM_OK) {
    return Error(hr::kWuEUnexpected, "libcurl took no transfer");
  }
  const absl::StatusOr<CURLcode> result = Run(multi, options.deadline, cancel);
  curl_multi_remove_handle(multi, easy);
  USHER_RETURN_IF_ERROR(result.status());
  USHER_RETURN_IF_ERROR(transfer.status);

  const long code = ResponseCode(easy);  // NOLINT(google-runtime-int)
  if (IsRedirect(code)) {
    const char* next = nullptr;
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &next);
    if (next != nullptr) return std::string(next);
  }
  constexpr long kOk = 200;  // NOLINT(google-runtime-int)
  if (code != 0 && code != kOk) {
    const int status = static_cast<int>(code);
    return Error(HResultFromHttpStatus(status),
                 absl::StrCat("the server answered with HTTP status ", status));
  }
  if (*result != CURLE_OK) {
    const char* text = transfer.error[0] != '\0' ? transfer.error.data()
                                                 : curl_easy_strerror(*result);
    return Error(HResultFromCurl(*result), text);
  }
  return std::string();
}

// A redirect may not lead from https to something that others can read and
// change, nor to a file.
absl::Status CheckRedirect(const std::string& from, const std::string& to) {
  USHER_ASSIGN_OR_RETURN(const UrlParts old_parts, ParseUrl(from));
  USHER_ASSIGN_OR_RETURN(const UrlParts new_parts, ParseUrl(to));
  if (new_parts.scheme == "https" ||
      (new_parts.scheme == "http" && old_parts.scheme == "http")) {
    return absl::OkStatus();
  }
  return Error(
      hr::kWuEPtExceededMaxServerTrips,
      absl::StrCat("the server redirects from ", old_parts.scheme, ": to ",
                   new_parts.scheme, ":, which is not followed"));
}

}  // namespace

absl::Status HttpClient::Fetch(absl::string_view url, int64_t max_bytes,
                               const FetchSink& sink,
                               const CancellationToken& cancel) {
  if (handles_->multi == nullptr || handles_->easy == nullptr) {
    return Error(hr::kEOutofmemory, "libcurl could not be started");
  }
  const uint64_t wake = cancel.OnCancel(
      [multi = handles_->multi] { curl_multi_wakeup(multi.get()); });
  const auto forget = absl::MakeCleanup([&] { cancel.Forget(wake); });
  std::string current(url);
  for (int redirects = 0; redirects <= options_.max_redirects; ++redirects) {
    Transfer transfer;
    transfer.sink = &sink;
    transfer.max_bytes = max_bytes;
    absl::StatusOr<std::string> next =
        FetchOnce(options_, handles_->easy.get(), handles_->multi.get(),
                  current, transfer, cancel);
    if (!next.ok()) return About(current, next.status());
    if (next->empty()) return absl::OkStatus();
    USHER_RETURN_IF_ERROR(About(current, CheckRedirect(current, *next)));
    current = *std::move(next);
  }
  return About(url, Error(hr::kWuEPtExceededMaxServerTrips,
                          absl::StrCat("more than ", options_.max_redirects,
                                       " redirects")));
}

}  // namespace usher::repository
