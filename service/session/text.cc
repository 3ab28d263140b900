#include "service/session/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/uuid.h"

namespace usher::session {
namespace {

constexpr size_t kMaxTagBytes = 64;
constexpr size_t kMaxHostBytes = 253;
constexpr uint32_t kBad = 0xFFFFFFFF;

// Takes one code point off `text`; kBad when it does not start with a
// well-formed one (no surrogates, nothing overlong, nothing past U+10FFFF).
uint32_t TakeCodePoint(absl::string_view& text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  size_t length = 0;
  uint32_t value = 0;
  uint32_t least = 0;
  if (first < 0x80) {
    length = 1;
    value = first;
  } else if (first >= 0xC2 && first < 0xE0) {
    length = 2;
    value = first & 0x1FU;
    least = 0x80;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
    value = first & 0x0FU;
    least = 0x800;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4;
    value = first & 0x07U;
    least = 0x10000;
  } else {
    return kBad;
  }
  if (text.size() < length) return kBad;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return kBad;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  if (value < least || value > 0x10FFFF ||
      (value >= 0xD800 && value <= 0xDFFF)) {
    return kBad;
  }
  text.remove_prefix(length);
  return value;
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '.' || c == '_';
}

bool IsHost(absl::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    const absl::string_view inner = host.substr(1, host.size() - 2);
    return std::all_of(inner.begin(), inner.end(), [](char c) {
      return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == ':' ||
             c == '.';
    });
  }
  return !host.empty() && host.size() <= kMaxHostBytes &&
         std::all_of(host.begin(), host.end(), IsHostCharacter);
}

}  // namespace

std::string Shorten(absl::string_view text, size_t max_bytes) {
  constexpr absl::string_view kEllipsis = "…";
  if (text.size() <= max_bytes) return std::string(text);
  size_t end = max_bytes - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return absl::StrCat(text.substr(0, end), kEllipsis);
}

absl::Status CheckText(absl::string_view text, size_t max_bytes,
                       absl::string_view field) {
  if (text.size() > max_bytes) {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(field, " has ", text.size(), " bytes; at most ",
                              max_bytes, " are allowed"),
                 field);
  }
  while (!text.empty()) {
    const uint32_t c = TakeCodePoint(text);
    if (c == kBad) {
      return Error(hr::kEInvalidarg, absl::StrCat(field, " is not UTF-8"),
                   field);
    }
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat(field, " contains a control character"), field);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLocale(absl::string_view tag, absl::string_view field) {
  const auto bad = [&] {
    return Error(hr::kEInvalidarg,
                 absl::StrCat(field,
                              " is not a BCP 47 language tag such as "
                              "\"en\" or \"pt-BR\""),
                 field);
  };
  if (tag.empty() || tag.size() > kMaxTagBytes) return bad();
  bool first = true;
  for (const absl::string_view part : absl::StrSplit(tag, '-')) {
    if (part.empty() || part.size() > 8) return bad();
    for (const char c : part) {
      const auto u = static_cast<unsigned char>(c);
      if (first ? !absl::ascii_isalpha(u) : !absl::ascii_isalnum(u)) {
        return bad();
      }
    }
    // A single letter in front introduces private or grandfathered tags, for
    // which nobody publishes texts.
    if (first && part.size() < 2) return bad();
    first = false;
  }
  return absl::OkStatus();
}

absl::Status CheckProxyAddress(absl::string_view address,
                               absl::string_view field) {
  if (address.empty()) return absl::OkStatus();
  const auto bad = [&] {
    return Error(absl::StatusCode::kInvalidArgument, hr::kWuEInvalidProxyServer,
                 absl::StrCat(field,
                              " must be \"host:port\" or "
                              "\"scheme://host:port\" without a path "
                              "or user name"),
                 field);
  };
  const size_t scheme_end = address.find("://");
  if (scheme_end != absl::string_view::npos) {
    constexpr std::array<absl::string_view, 6> kSchemes = {
        "http", "https", "socks4", "socks4a", "socks5", "socks5h"};
    const std::string scheme =
        absl::AsciiStrToLower(address.substr(0, scheme_end));
    if (std::find(kSchemes.begin(), kSchemes.end(), scheme) == kSchemes.end()) {
      return bad();
    }
    address.remove_prefix(scheme_end + 3);
  }
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return bad();
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 ||
      port > 65535 || !IsHost(address.substr(0, colon))) {
    return bad();
  }
  return absl::OkStatus();
}

absl::Status CheckBypassEntry(absl::string_view entry,
                              absl::string_view field) {
  absl::string_view host = entry;
  absl::ConsumePrefix(&host, "*.");
  // Plain IPv6 addresses stand without brackets here.
  if (IsHost(host) || IsHost(absl::StrCat("[", host, "]"))) {
    return absl::OkStatus();
  }
  return Error(hr::kEInvalidarg,
               absl::StrCat(field,
                            " entries must be host names, addresses or "
                            "\"*.domain\""),
               field);
}

absl::Status CheckOptionalUuid(absl::string_view text,
                               absl::string_view field) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> canonical = CanonicalUuid(text);
  if (canonical.ok() && *canonical == text) return absl::OkStatus();
  return Error(hr::kEInvalidarg,
               absl::StrCat(field, " must be a UUID in lower case"), field);
}

}  // namespace usher::session
