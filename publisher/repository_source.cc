#include "publisher/repository_source.h"

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/update_checks.h"

namespace usher::publisher {
namespace {

class FolderSource : public RepositorySource {
 public:
  explicit FolderSource(std::filesystem::path folder)
      : folder_(std::move(folder)) {}

  absl::StatusOr<std::string> Read(absl::string_view name,
                                   uint64_t max_bytes) override {
    return ReadFile(folder_ / PathFromUtf8(name), max_bytes);
  }

  absl::optional<std::filesystem::path> folder() const override {
    return folder_;
  }

 private:
  std::filesystem::path folder_;
};

class HttpSource : public RepositorySource {
 public:
  explicit HttpSource(std::string base)
      : base_(std::move(base)), curl_(curl_easy_init()) {}

  absl::StatusOr<std::string> Read(absl::string_view name,
                                   uint64_t max_bytes) override {
    const std::string url = absl::StrCat(base_, "/", name);
    Body body{"", max_bytes, false};
    CURL* curl = curl_.get();
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 15L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &HttpSource::Append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    const CURLcode result = curl_easy_perform(curl);
    if (body.too_large) {
      return Error(hr::kWuEInvalidFile,
                   absl::StrCat(url, " is larger than the limit of ", max_bytes,
                                " bytes"),
                   url);
    }
    if (result != CURLE_OK) {
      return Error(
          hr::kWuENoConnection,
          absl::StrCat("cannot fetch ", url, ": ", curl_easy_strerror(result)),
          url);
    }
    long status = 0;  // NOLINT(google-runtime-int): curl's type
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299) {
      return Error(HResultFromHttpStatus(static_cast<int>(status)),
                   absl::StrCat("cannot fetch ", url, ": HTTP status ", status),
                   url);
    }
    return std::move(body.content);
  }

  absl::optional<std::filesystem::path> folder() const override {
    return absl::nullopt;
  }

 private:
  struct Body {
    std::string content;
    uint64_t limit;
    bool too_large;
  };

  static size_t Append(char* bytes, size_t size, size_t count, void* user) {
    auto* body = static_cast<Body*>(user);
    if (size * count > body->limit - body->content.size()) {
      body->too_large = true;
      return 0;
    }
    body->content.append(bytes, size * count);
    return size * count;
  }

  struct Free {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };

  std::string base_;
  std::unique_ptr<CURL, Free> curl_;
};

}  // namespace

std::unique_ptr<RepositorySource> OpenRepositorySource(
    absl::string_view location) {
  if (IsHttpUrl(location)) {
    return std::make_unique<HttpSource>(
        std::string(absl::StripSuffix(location, "/")));
  }
  std::filesystem::path folder = PathFromUtf8(location);
  std::error_code error;
  if (std::filesystem::is_directory(folder / "public" / "metadata", error)) {
    folder /= "public";
  }
  return std::make_unique<FolderSource>(std::move(folder));
}

}  // namespace usher::publisher
