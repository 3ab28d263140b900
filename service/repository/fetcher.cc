#include "service/repository/fetcher.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/repository/http_client.h"
#include "service/repository/url.h"

namespace usher::repository {
namespace {

absl::Status ReadInto(const std::filesystem::path& path, int64_t max_bytes,
                      const FetchSink& sink, const CancellationToken& cancel) {
  const std::string name = PathToUtf8(path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " is not a regular file"), name);
  }
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return Error(hr::kEAccessdenied, absl::StrCat("cannot open ", name), name);
  }
  std::array<char, size_t{64} * 1024> buffer;
  int64_t received = 0;
  while (!cancel.cancelled()) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const int64_t count = file.gcount();
    if (count > max_bytes - received) {
      return Error(hr::kWuEInvalidFile,
                   absl::StrCat(name, " is larger than the limit of ",
                                max_bytes, " bytes"),
                   name);
    }
    received += count;
    if (count > 0) {
      USHER_RETURN_IF_ERROR(
          sink(absl::string_view(buffer.data(), static_cast<size_t>(count))));
    }
    if (file.eof()) return absl::OkStatus();
    if (!file.good()) {
      return Error(hr::kWuEUnexpected, absl::StrCat("cannot read ", name),
                   name);
    }
  }
  return Error(hr::kWuECallCancelled, "cancelled");
}

class FetcherImpl final : public Fetcher {
 public:
  explicit FetcherImpl(const Options& options)
      : base_url_(options.base_url), http_(options) {}

  absl::Status Fetch(absl::string_view url, int64_t max_bytes,
                     const FetchSink& sink,
                     const CancellationToken& cancel) override {
    USHER_ASSIGN_OR_RETURN(const UrlParts parts, ParseUrl(url));
    if (cancel.cancelled()) return Error(hr::kWuECallCancelled, "cancelled");
    if (parts.scheme != "file") {
      return http_.Fetch(url, max_bytes, sink, cancel);
    }
    USHER_ASSIGN_OR_RETURN(const std::filesystem::path path,
                           FileBelow(base_url_, url));
    return ReadInto(path, max_bytes, sink, cancel);
  }

 private:
  const std::string base_url_;
  HttpClient http_;
};

}  // namespace

std::unique_ptr<Fetcher> Fetcher::Create(const Options& options) {
  return std::make_unique<FetcherImpl>(options);
}

bool WasNotAnswered(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         HResultOf(status) == hr::kWuECallCancelled;
}

}  // namespace usher::repository
