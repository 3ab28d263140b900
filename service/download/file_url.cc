#include "service/download/file_url.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::download {
namespace {

constexpr absl::string_view kScheme = "file:";

absl::Status Bad(absl::string_view url, absl::string_view reason) {
  return Error(hr::kWuEBadFileUrl,
               absl::StrCat("the URL ", url, " ", reason,
                            "; it must look like file:///folder/file"),
               url);
}

}  // namespace

bool IsFileUrl(absl::string_view url) {
  return absl::StartsWithIgnoreCase(url, kScheme);
}

absl::StatusOr<std::filesystem::path> PathFromFileUrl(absl::string_view url) {
  if (!IsFileUrl(url)) return Bad(url, "is not a file: URL");
  absl::string_view rest = url.substr(kScheme.size());
  if (absl::ConsumePrefix(&rest, "//") &&
      absl::StartsWithIgnoreCase(rest, "localhost/")) {
    rest.remove_prefix(absl::string_view("localhost").size());
  }
  if (!absl::StartsWith(rest, "/")) {
    return Bad(url, "names another host or is not absolute");
  }
  std::string text;
  text.reserve(rest.size());
  while (!rest.empty()) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '?' || c == '#') return Bad(url, "has a query or a fragment");
    if (c == '%') {
      uint32_t value = 0;
      if (rest.size() < 2 || !absl::ascii_isxdigit(rest[0]) ||
          !absl::ascii_isxdigit(rest[1]) ||
          !absl::SimpleHexAtoi(rest.substr(0, 2), &value) || value == 0) {
        return Bad(url, "has a wrong % escape");
      }
      c = static_cast<char>(value);
      rest.remove_prefix(2);
    }
    text.push_back(c);
  }
  // "/C:/folder" where paths have drives.
  const std::filesystem::path without_slash =
      PathFromUtf8(absl::string_view(text).substr(1));
  if (without_slash.has_root_name()) return without_slash;
  return PathFromUtf8(text);
}

}  // namespace usher::download
