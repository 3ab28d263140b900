#include "publisher/repository_source.h"

#include <curl/curl.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ios>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/url_path.h"
#include "publisher/platform.h"
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

  absl::StatusOr<FileFacts> Copy(absl::string_view name, int64_t size,
                                 const std::filesystem::path& to) override {
    auto facts = CopyAndHash(folder_ / PathFromUtf8(name), to, size);
    if (!facts.ok()) static_cast<void>(RemoveTree(to));
    return facts;
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
    std::string content;
    USHER_RETURN_IF_ERROR(Fetch(name, max_bytes, [&](absl::string_view bytes) {
      content.append(bytes.data(), bytes.size());
      return true;
    }));
    return content;
  }

  absl::StatusOr<FileFacts> Copy(absl::string_view name, int64_t size,
                                 const std::filesystem::path& to) override {
    errno = 0;
    std::ofstream out(to, std::ios::binary | std::ios::trunc);
    FileFacts facts;
    Sha256 hash;
    absl::Status status;
    if (out.is_open()) {
      status = Fetch(
          name, static_cast<uint64_t>(size), [&](absl::string_view bytes) {
            hash.Update(bytes);
            facts.size += static_cast<int64_t>(bytes.size());
            out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            return out.good();
          });
      out.close();
    }
    if (!out) {
      status = SystemError(errno != 0 ? errno : EIO, "write", PathToUtf8(to));
    }
    if (status.ok()) status = SyncFile(to);
    if (!status.ok()) {
      static_cast<void>(RemoveTree(to));
      return status;
    }
    facts.sha256 = hash.Finish();
    return facts;
  }

  absl::optional<std::filesystem::path> folder() const override {
    return absl::nullopt;
  }

 private:
  using Sink = std::function<bool(absl::string_view)>;
  struct Body {
    const Sink& sink;
    uint64_t left;
    bool too_large = false;
  };

  absl::Status Fetch(absl::string_view name, uint64_t max_bytes,
                     const Sink& sink) {
    // Metadata's names are encoded already, where they need to be; targets'
    // may have anything in them.
    const std::string url =
        absl::StrCat(base_, "/",
                     absl::StartsWith(name, "targets/") ? EncodeUrlPath(name)
                                                        : std::string(name));
    Body body{sink, max_bytes};
    CURL* curl = curl_.get();
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(
        curl, CURLOPT_REDIR_PROTOCOLS_STR,
        absl::StartsWithIgnoreCase(base_, "https:") ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
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
    if (result == CURLE_HTTP_RETURNED_ERROR) {
      long status = 0;  // NOLINT(google-runtime-int): curl's type
      curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
      return Error(HResultFromHttpStatus(static_cast<int>(status)),
                   absl::StrCat("cannot fetch ", url, ": HTTP status ", status),
                   url);
    }
    if (result != CURLE_OK) {
      return Error(
          hr::kWuENoConnection,
          absl::StrCat("cannot fetch ", url, ": ", curl_easy_strerror(result)),
          url);
    }
    return absl::OkStatus();
  }

  static size_t Append(char* bytes, size_t size, size_t count, void* user) {
    auto* body = static_cast<Body*>(user);
    if (size * count > body->left) {
      body->too_large = true;
      return 0;
    }
    body->left -= size * count;
    return body->sink(absl::string_view(bytes, size * count)) ? size * count
                                                              : 0;
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
