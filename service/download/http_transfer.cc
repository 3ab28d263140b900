#include "service/download/http_transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "service/repository/proxy.h"
#include "service/repository/url.h"

namespace usher::download {
namespace {

constexpr size_t kMaxUrl = 8192;
constexpr int64_t kMaxRedirects = 5;
constexpr int64_t kReceiveBuffer = CURL_MAX_READ_SIZE;

// Keeps the first failure of a row of curl_easy_setopt calls.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* curl) : curl_(curl) {}
  template <typename Value>
  void Set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(curl_, option, value);
    if (code_ == CURLE_OK) code_ = code;
  }
  void SetLong(CURLoption option, int64_t value) {
    Set(option, static_cast<long>(value));  // NOLINT(google-runtime-int)
  }
  CURLcode code() const { return code_; }

 private:
  CURL* curl_;
  CURLcode code_ = CURLE_OK;
};

// The number after "bytes " and the total of a Content-Range; nothing for
// another form. A total of "*" is -1.
struct ContentRange {
  int64_t first = 0;
  int64_t total = -1;
};

std::optional<ContentRange> ParseContentRange(absl::string_view text) {
  if (!absl::StartsWithIgnoreCase(text, "bytes ")) return std::nullopt;
  text.remove_prefix(absl::string_view("bytes ").size());
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  const std::pair<absl::string_view, absl::string_view> range =
      absl::StrSplit(parts.first, absl::MaxSplits('-', 1));
  ContentRange result;
  if (!absl::SimpleAtoi(range.first, &result.first)) return std::nullopt;
  if (absl::StripAsciiWhitespace(parts.second) != "*" &&
      !absl::SimpleAtoi(parts.second, &result.total)) {
    return std::nullopt;
  }
  return result;
}

}  // namespace

absl::StatusOr<std::string> HostOfUrl(absl::string_view url) {
  if (url.size() > kMaxUrl) {
    return Error(
        hr::kWuEUrlTooLong,
        absl::StrCat("the URL has ", url.size(), " bytes, more than ", kMaxUrl),
        RedactUrl(url.substr(0, 80)));
  }
  USHER_ASSIGN_OR_RETURN(const repository::UrlParts parts,
                         repository::ParseUrl(url));
  return absl::StrCat(parts.scheme, "://", parts.host, ":", parts.port);
}

absl::StatusOr<std::unique_ptr<HttpTransfer>> HttpTransfer::Create(
    const Request& request, Sink sink) {
  CURL* curl = curl_easy_init();
  if (curl == nullptr) {
    return Error(hr::kEOutofmemory, "cannot make a transfer");
  }
  std::unique_ptr<HttpTransfer> transfer(
      new HttpTransfer(request, std::move(sink), curl));
  USHER_RETURN_IF_ERROR(transfer->Configure());
  return transfer;
}

HttpTransfer::HttpTransfer(const Request& request, Sink sink, void* curl)
    : request_(request), sink_(std::move(sink)), curl_(curl) {}

HttpTransfer::~HttpTransfer() {
  curl_easy_cleanup(curl_);
  curl_slist_free_all(static_cast<curl_slist*>(headers_));
}

absl::Status HttpTransfer::Configure() {
  OptionSetter options(curl_);
  options.Set(CURLOPT_URL, request_.url.c_str());
  options.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  // Never back from TLS to plain text.
  options.Set(CURLOPT_REDIR_PROTOCOLS_STR,
              absl::StartsWithIgnoreCase(request_.url, "https:")
                  ? "https"
                  : "http,https");
  options.SetLong(CURLOPT_FOLLOWLOCATION, 1);
  options.SetLong(CURLOPT_MAXREDIRS, kMaxRedirects);
  options.SetLong(CURLOPT_SSL_VERIFYPEER, 1);
  options.SetLong(CURLOPT_SSL_VERIFYHOST, 2);
  options.SetLong(CURLOPT_NOSIGNAL, 1);
  options.SetLong(CURLOPT_FAILONERROR, 1);
  options.SetLong(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  options.SetLong(CURLOPT_CONNECTTIMEOUT_MS,
                  absl::ToInt64Milliseconds(request_.connect_timeout));
  options.SetLong(CURLOPT_LOW_SPEED_LIMIT,
                  std::max<int64_t>(request_.min_speed, 1));
  options.SetLong(
      CURLOPT_LOW_SPEED_TIME,
      std::max<int64_t>(absl::ToInt64Seconds(request_.stall_time), 1));
  options.Set(CURLOPT_USERAGENT, "usher/" USHER_VERSION);
  options.Set(CURLOPT_ERRORBUFFER, error_.data());
  options.Set(CURLOPT_WRITEFUNCTION, &HttpTransfer::OnWrite);
  options.Set(CURLOPT_WRITEDATA, this);
  if (request_.offset > 0) {
    // Not CURLOPT_RESUME_FROM_LARGE: that makes a server which sends the whole
    // file an error.
    options.Set(CURLOPT_RANGE, absl::StrCat(request_.offset, "-").c_str());
    const Validators& known = request_.validators;
    const std::string& validator =
        known.etag.empty() ? known.last_modified : known.etag;
    // Another mirror's validators say nothing; the hash decides.
    if (known.url == request_.url && !validator.empty()) {
      headers_ = curl_slist_append(
          nullptr, absl::StrCat("If-Range: ", validator).c_str());
      options.Set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(headers_));
    }
  }
  // A wish: a libcurl without HTTP/2 refuses it and takes HTTP/1.1.
  static_cast<void>(
      curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS));
  if (options.code() != CURLE_OK) {
    return Error(
        hr::kWuEDownloadFailed,
        absl::StrCat("cannot set up the download of ", RedactUrl(request_.url),
                     ": ", curl_easy_strerror(options.code())),
        RedactUrl(request_.url));
  }
  USHER_ASSIGN_OR_RETURN(const repository::ProxyChoice proxy,
                         repository::ChooseProxy(request_.proxy, request_.url));
  return repository::ApplyProxy(proxy, curl_);
}

void HttpTransfer::Resume() { curl_easy_pause(curl_, CURLPAUSE_CONT); }

std::string HttpTransfer::Header(const char* name) const {
  curl_header* header = nullptr;
  if (curl_easy_header(curl_, name, 0, CURLH_HEADER, -1, &header) !=
      CURLHE_OK) {
    return "";
  }
  return header->value;
}

void HttpTransfer::Refuse(absl::string_view reason, Remedy remedy) {
  const std::string name = RedactUrl(request_.url);
  fault_ = {Error(hr::kWuEDmIncorrectfilehash,
                  absl::StrCat("cannot download ", name, ": ", reason), name),
            remedy, absl::ZeroDuration()};
}

bool HttpTransfer::AcceptRange() {
  const std::optional<ContentRange> range =
      ParseContentRange(Header("Content-Range"));
  if (request_.offset == 0 || !range.has_value() ||
      range->first != request_.offset) {
    Refuse("the server sent a part of the file that was not asked for",
           Remedy::kRestart);
    return false;
  }
  if (range->total >= 0 && range->total != request_.size) {
    Refuse(absl::StrCat("the server's file has ", range->total,
                        " bytes instead of ", request_.size),
           Remedy::kRestart);
    return false;
  }
  position_ = request_.offset;
  return true;
}

bool HttpTransfer::Accept() {
  long status = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  if (status == 206) {
    if (!AcceptRange()) return false;
  } else if (status != 200) {
    fault_ = FaultOfHttpStatus(static_cast<int>(status), absl::ZeroDuration(),
                               request_.url);
    return false;
  }
  curl_off_t length = -1;
  curl_easy_getinfo(curl_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length >= 0 && length != missing()) {
    Refuse(absl::StrCat("the server announces ", length, " bytes instead of ",
                        missing()),
           position_ > 0 ? Remedy::kRestart : Remedy::kNone);
    return false;
  }
  Validators validators{.url = request_.url,
                        .etag = Header("ETag"),
                        .last_modified = Header("Last-Modified")};
  // A weak one does not vouch for bytes.
  if (!absl::StartsWith(validators.etag, "\"")) validators.etag.clear();
  sink_.begin(validators, request_.offset > 0 && position_ == 0);
  accepted_ = true;
  return true;
}

size_t HttpTransfer::OnWrite(char* data, size_t size, size_t count,
                             void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  const absl::string_view bytes(data, size * count);
  if (!transfer->accepted_ && !transfer->Accept()) return CURL_WRITEFUNC_ERROR;
  if (static_cast<int64_t>(bytes.size()) > transfer->missing()) {
    transfer->Refuse(
        absl::StrCat("the server sends more than the ", transfer->request_.size,
                     " bytes that the catalog names"),
        Remedy::kRestart);
    return CURL_WRITEFUNC_ERROR;
  }
  if (!transfer->sink_.write(bytes)) return CURL_WRITEFUNC_PAUSE;
  transfer->position_ += static_cast<int64_t>(bytes.size());
  return bytes.size();
}

std::optional<HttpFault> HttpTransfer::End(int code) {
  if (fault_.has_value()) return fault_;
  const auto curl_code = static_cast<CURLcode>(code);
  long status = 0;   // NOLINT(google-runtime-int): libcurl's type
  long connect = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl_, CURLINFO_HTTP_CONNECTCODE, &connect);
  if (curl_code == CURLE_HTTP_RETURNED_ERROR) {
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl_, CURLINFO_RETRY_AFTER, &retry_after);
    return FaultOfHttpStatus(static_cast<int>(status),
                             absl::Seconds(retry_after), request_.url);
  }
  // A proxy that refused the tunnel.
  if (curl_code != CURLE_OK && connect >= 400) {
    return FaultOfHttpStatus(static_cast<int>(connect), absl::ZeroDuration(),
                             request_.url);
  }
  if (curl_code != CURLE_OK) {
    return FaultOfCurlCode(code, error_.data(), request_.url);
  }
  // An answer without body never came to OnWrite.
  if (!accepted_ && !Accept()) return fault_;
  if (missing() > 0) {
    Refuse(absl::StrCat("the server ended the file ", missing(),
                        " bytes too early"),
           Remedy::kRetry);
  }
  return fault_;
}

}  // namespace usher::download
