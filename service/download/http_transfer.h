#ifndef USHER_SERVICE_DOWNLOAD_HTTP_TRANSFER_H_
#define USHER_SERVICE_DOWNLOAD_HTTP_TRANSFER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/download/http_fault.h"
#include "service/download/partial_file.h"
#include "service/repository/repository.h"

namespace usher::download {

// One request for a file or the rest of it: a libcurl easy handle for a multi
// handle. Lives on one thread.
class HttpTransfer {
 public:
  struct Request {
    std::string url;
    repository::ProxySettings proxy;
    int64_t size = 0;    // of the whole file
    int64_t offset = 0;  // bytes that we have
    // Where those came from.
    Validators validators;
    int64_t min_speed = 0;
    absl::Duration stall_time;
    absl::Duration connect_timeout;
  };

  struct Sink {
    // The server has agreed; bytes follow. `restart`: from the file's
    // beginning, although the rest was asked for.
    std::function<void(const Validators& validators, bool restart)> begin;
    // Never more bytes in all than are missing. False: not now; the bytes come
    // again after Resume.
    std::function<bool(absl::string_view)> write;
  };

  static absl::StatusOr<std::unique_ptr<HttpTransfer>> Create(
      const Request& request, Sink sink);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // The CURL*.
  void* handle() const { return curl_; }
  void Resume();
  // Judges the transfer at its end (`code`: a CURLcode): nothing when all bytes
  // came.
  std::optional<HttpFault> End(int code);

 private:
  HttpTransfer(const Request& request, Sink sink, void* curl);
  absl::Status Configure();
  static size_t OnWrite(char* data, size_t size, size_t count, void* self);
  // Looks at the answer's head once; false when the body is not wanted.
  bool Accept();
  bool AcceptRange();
  void Refuse(absl::string_view reason, Remedy remedy);
  std::string Header(const char* name) const;
  int64_t missing() const { return request_.size - position_; }

  const Request request_;
  const Sink sink_;
  void* const curl_;
  void* headers_ = nullptr;  // curl_slist
  std::array<char, 256> error_{};
  bool accepted_ = false;
  int64_t position_ = 0;
  std::optional<HttpFault> fault_;
};

// "scheme://host:port" of an http: or https: URL, in lower case. E_INVALIDARG
// for what is none or carries credentials, WU_E_URL_TOO_LONG above 8 KiB.
absl::StatusOr<std::string> HostOfUrl(absl::string_view url);

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_HTTP_TRANSFER_H_
