#ifndef USHER_SERVICE_REPOSITORY_URL_H_
#define USHER_SERVICE_REPOSITORY_URL_H_

// The few things done with URLs.

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::repository {

// A URL taken apart. The host is in lower case and without brackets.
struct UrlParts {
  std::string scheme;  // lower case
  std::string host;    // "" for file:
  int port = 0;        // the scheme's own one when the URL names none
};

// E_INVALIDARG for what is not an absolute http:, https: or file: URL, or
// carries a user name or password.
absl::StatusOr<UrlParts> ParseUrl(absl::string_view url);

// `base` and `path`, with one '/' between; each part of `path` is
// percent-encoded.
std::string JoinUrl(absl::string_view base, absl::string_view path);

// The file: URL of an absolute path.
std::string FileUrl(const std::filesystem::path& path);

// The file that a file: URL names, which must lie below the folder that the
// file: URL `base` names: "..", an encoded '/' and links that lead out are
// refused with E_ACCESSDENIED. ERROR_FILE_NOT_FOUND when there is none.
absl::StatusOr<std::filesystem::path> FileBelow(absl::string_view base,
                                                absl::string_view url);

}  // namespace usher::repository

#endif  // USHER_SERVICE_REPOSITORY_URL_H_
