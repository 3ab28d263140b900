#include "common/windows_names.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/uuid.h"

namespace usher {
namespace {

constexpr size_t kMaxText = 1024;
constexpr size_t kMaxKeyComponent = 255;
constexpr size_t kMaxProperty = 72;
constexpr size_t kMaxVersionParts = 4;
constexpr size_t kMaxVersionDigits = 5;

bool IsShortText(absl::string_view text) {
  return text.size() <= kMaxText &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

}  // namespace

bool IsRegistryKey(absl::string_view text) {
  if (!IsShortText(text) || (!absl::ConsumePrefix(&text, "HKLM\\") &&
                             !absl::ConsumePrefix(&text, "HKCU\\"))) {
    return false;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '\\');
  return std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return !part.empty() && part.size() <= kMaxKeyComponent;
  });
}

bool IsRegistryValueName(absl::string_view text) { return IsShortText(text); }

std::string CanonicalMsiCode(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "{") || !absl::ConsumeSuffix(&text, "}")) {
    return "";
  }
  const auto uuid = CanonicalUuid(text);
  return uuid.ok() ? absl::StrCat("{", absl::AsciiStrToUpper(*uuid), "}") : "";
}

bool IsMsiProperty(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxProperty &&
         (absl::ascii_isupper(static_cast<unsigned char>(text[0])) ||
          text[0] == '_') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isupper(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                  c == '_' || c == '.';
         });
}

bool IsMsiPropertyValue(absl::string_view text) {
  return IsShortText(text) && !absl::StrContains(text, '"');
}

bool IsWindowsVersion(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  return parts.size() <= kMaxVersionParts &&
         std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           return !part.empty() && part.size() <= kMaxVersionDigits &&
                  std::all_of(part.begin(), part.end(), [](char c) {
                    return absl::ascii_isdigit(static_cast<unsigned char>(c));
                  });
         });
}

}  // namespace usher
