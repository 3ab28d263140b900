#include "common/catalog/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/uuid.h"

namespace usher::catalog {
namespace {

constexpr size_t kMaxProduct = 128;
constexpr size_t kMaxChannel = 64;
constexpr size_t kMaxName = 255;
constexpr size_t kMaxLocation = 2048;

bool IsDots(absl::string_view text) { return text == "." || text == ".."; }

bool OnlyProductCharacters(absl::string_view text, absl::string_view more) {
  return !text.empty() && text.size() <= kMaxProduct && !IsDots(text) &&
         std::all_of(text.begin(), text.end(), [more](char c) {
           return absl::ascii_isalnum(c) ||
                  absl::string_view("._+-").find(c) !=
                      absl::string_view::npos ||
                  more.find(c) != absl::string_view::npos;
         });
}

bool IsWebUrl(absl::string_view text) {
  return absl::StartsWithIgnoreCase(text, "http://") ||
         absl::StartsWithIgnoreCase(text, "https://");
}

}  // namespace

bool HasControlCharacters(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(c); });
}

bool IsProductName(absl::string_view text) {
  return OnlyProductCharacters(text, "");
}

bool IsProductVersion(absl::string_view text) {
  return OnlyProductCharacters(text, "~:");
}

bool IsChannelName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxChannel &&
         absl::ascii_isalnum(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) ||
                  absl::string_view("._-").find(c) != absl::string_view::npos;
         });
}

bool IsProductCode(absl::string_view text) {
  return absl::ConsumePrefix(&text, "{") && absl::ConsumeSuffix(&text, "}") &&
         CanonicalUuid(text).ok();
}

bool IsPayloadName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxName && !IsDots(text) &&
         !HasControlCharacters(text) && text.back() != '.' &&
         text.back() != ' ' &&
         text.find_first_of("/\\<>:\"|?*") == absl::string_view::npos;
}

bool IsPayloadLocation(absl::string_view text) {
  if (text.empty() || text.size() > kMaxLocation ||
      HasControlCharacters(text) || absl::StrContains(text, '\\')) {
    return false;
  }
  if (IsWebUrl(text)) {
    const size_t host = text.find("//") + 2;
    // Credentials in a catalog would be everybody's.
    return host < text.size() && text[host] != '/' &&
           text.substr(host, text.find('/', host) - host).find('@') ==
               absl::string_view::npos &&
           !absl::StrContains(text, ' ');
  }
  for (absl::string_view part : absl::StrSplit(text, '/')) {
    if (part.empty() || IsDots(part)) return false;
  }
  return true;
}

std::string PayloadUrl(absl::string_view base_url, absl::string_view location) {
  if (IsWebUrl(location)) return std::string{location};
  absl::ConsumeSuffix(&base_url, "/");
  std::string url = absl::StrCat(base_url, "/targets/");
  for (const char c : location) {
    if (absl::ascii_isalnum(c) ||
        absl::string_view("-._~/").find(c) != absl::string_view::npos) {
      url.push_back(c);
    } else {
      absl::StrAppendFormat(&url, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return url;
}

}  // namespace usher::catalog
