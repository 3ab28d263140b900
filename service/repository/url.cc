#include "service/repository/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/url_path.h"

namespace usher::repository {
namespace {

constexpr absl::string_view kFileScheme = "file://";

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

absl::Status BadUrl(absl::string_view url, absl::string_view reason) {
  constexpr size_t kShownBytes = 200;
  return Error(hr::kEInvalidarg,
               absl::StrCat("not a usable URL (", reason, "): ",
                            absl::Utf8SafeCEscape(url.substr(0, kShownBytes))));
}

std::string Part(CURLU* url, CURLUPart what, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return "";
  std::string part = text;
  curl_free(text);
  return part;
}

absl::StatusOr<std::string> DecodePathPart(absl::string_view part) {
  std::string out;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '%') {
      out.push_back(part[i]);
      continue;
    }
    const absl::string_view digits = part.substr(i + 1, 2);
    if (digits.size() != 2 ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(digits[0])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(digits[1]))) {
      return BadUrl(part, "incomplete %XX");
    }
    out.append(absl::HexStringToBytes(digits));
    i += 2;
  }
  return out;
}

// The path of a file: URL, decoded part by part.
absl::StatusOr<std::filesystem::path> PathOf(absl::string_view url) {
  absl::string_view rest = url;
  if (!absl::StartsWithIgnoreCase(rest, kFileScheme)) {
    return BadUrl(url, "not a file: URL");
  }
  rest.remove_prefix(kFileScheme.size());
  if (absl::StartsWithIgnoreCase(rest, "localhost/")) {
    rest.remove_prefix(absl::string_view("localhost").size());
  }
  if (!absl::StartsWith(rest, "/") ||
      rest.find_first_of("?#") != absl::string_view::npos) {
    return BadUrl(url, "a file: URL is file:///FOLDER");
  }
  std::vector<std::string> parts;
  for (const absl::string_view part :
       absl::StrSplit(rest.substr(1), '/', absl::SkipEmpty())) {
    USHER_ASSIGN_OR_RETURN(std::string decoded, DecodePathPart(part));
    if (decoded == "." || decoded == ".." ||
        decoded.find_first_of("/\\\0", 0, 3) != std::string::npos) {
      return Error(hr::kEAccessdenied,
                   absl::StrCat("the URL leads out of its folder: ",
                                absl::Utf8SafeCEscape(url)));
    }
    parts.push_back(std::move(decoded));
  }
  const std::string joined = absl::StrJoin(parts, "/");
  // "/C:/folder" names a drive where there are drives.
  const bool drive = joined.size() > 1 && joined[1] == ':';
  return PathFromUtf8(drive ? joined : absl::StrCat("/", joined));
}

bool IsBelow(const std::filesystem::path& base,
             const std::filesystem::path& path) {
  return std::mismatch(base.begin(), base.end(), path.begin(), path.end())
             .first == base.end();
}

}  // namespace

absl::StatusOr<UrlParts> ParseUrl(absl::string_view url) {
  constexpr size_t kMaxBytes = 4096;
  if (url.size() > kMaxBytes) return BadUrl(url, "too long");
  const std::string text{url};
  const std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
  if (parsed == nullptr ||
      curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return BadUrl(url, "not absolute or malformed");
  }
  UrlParts parts;
  parts.scheme = absl::AsciiStrToLower(Part(parsed.get(), CURLUPART_SCHEME));
  if (parts.scheme == "file") return parts;
  if (parts.scheme != "http" && parts.scheme != "https") {
    return BadUrl(url, "the scheme must be http, https or file");
  }
  if (!Part(parsed.get(), CURLUPART_USER).empty() ||
      !Part(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return BadUrl("", "it must not carry a user name or password");
  }
  parts.host = absl::AsciiStrToLower(Part(parsed.get(), CURLUPART_HOST));
  if (absl::StartsWith(parts.host, "[")) {
    parts.host =
        std::string(absl::StripSuffix(absl::StripPrefix(parts.host, "["), "]"));
  }
  if (parts.host.empty() ||
      !absl::SimpleAtoi(Part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT),
                        &parts.port)) {
    return BadUrl(url, "no host");
  }
  return parts;
}

std::string JoinUrl(absl::string_view base, absl::string_view path) {
  return absl::StrCat(absl::StripSuffix(base, "/"), "/", EncodeUrlPath(path));
}

std::string FileUrl(const std::filesystem::path& path) {
  std::string url(kFileScheme);
  // "C:" where there are drives.
  if (path.has_root_name()) {
    absl::StrAppend(&url, "/", PathToUtf8(path.root_name()));
  }
  for (const std::filesystem::path& part : path.relative_path()) {
    absl::StrAppend(&url, "/", EncodeUrlPath(PathToUtf8(part)));
  }
  return url;
}

absl::StatusOr<std::filesystem::path> FileBelow(absl::string_view base,
                                                absl::string_view url) {
  USHER_ASSIGN_OR_RETURN(const std::filesystem::path folder, PathOf(base));
  USHER_ASSIGN_OR_RETURN(const std::filesystem::path file, PathOf(url));
  std::error_code error;
  const std::filesystem::path real_folder =
      std::filesystem::canonical(folder, error);
  if (error) {
    return SystemError(error.default_error_condition().value(), "open",
                       PathToUtf8(folder));
  }
  const std::filesystem::path real_file =
      std::filesystem::canonical(file, error);
  if (error) {
    return SystemError(error.default_error_condition().value(), "open",
                       PathToUtf8(file));
  }
  if (!IsBelow(real_folder, real_file)) {
    return Error(hr::kEAccessdenied,
                 absl::StrCat(PathToUtf8(file),
                              " lies outside of the repository's folder ",
                              PathToUtf8(folder)),
                 PathToUtf8(file));
  }
  return real_file;
}

}  // namespace usher::repository
