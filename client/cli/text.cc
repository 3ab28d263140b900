#include "client/cli/text.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace usher::cli {
namespace {

constexpr uint32_t kInvalid = 0xFFFFFFFF;

// Reads the code point at `at` and moves on; kInvalid for a byte that starts
// no well-formed sequence.
uint32_t NextCodePoint(absl::string_view text, size_t& at) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u;
  };
  const uint32_t first = byte(at);
  const size_t length = first < 0x80             ? 1
                        : (first & 0xE0) == 0xC0 ? 2
                        : (first & 0xF0) == 0xE0 ? 3
                        : (first & 0xF8) == 0xF0 ? 4
                                                 : 0;
  if (length == 1) {
    ++at;
    return first;
  }
  uint32_t value = length == 0 ? 0 : first & (0x7Fu >> length);
  bool good = length != 0;
  for (size_t i = 1; i < length && good; ++i) {
    good = (byte(at + i) & 0xC0) == 0x80;
    value = (value << 6) | (byte(at + i) & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (!good || value < kLeast[length] || value > 0x10FFFF ||
      (value >= 0xD800 && value < 0xE000)) {
    ++at;
    return kInvalid;
  }
  at += length;
  return value;
}

bool IsControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) ||  // C0, DEL, C1
         (c >= 0x202A && c <= 0x202E) ||         // bidirectional overrides
         (c >= 0x2066 && c <= 0x2069) ||         // and isolates
         c == 0x200E || c == 0x200F || c == 0x061C || c == 0x2028 ||
         c == 0x2029 || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F);
}

int WidthOf(uint32_t c) {
  if ((c >= 0x0300 && c < 0x0370) || c == 0x200B || c == 0x200C ||
      c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F)) {
    return 0;
  }
  const bool wide =
      (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
      (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
      (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
      (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
  return wide ? 2 : 1;
}

}  // namespace

std::string Clean(absl::string_view text, LineBreaks breaks) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const uint32_t c = NextCodePoint(text, at);
    if (c == kInvalid) {
      clean.push_back('?');
    } else if (c == '\n') {
      clean.push_back(breaks == LineBreaks::kKeep ? '\n' : ' ');
    } else if (c == '\t') {
      clean.push_back(' ');
    } else if (!IsControl(c)) {
      absl::StrAppend(&clean, text.substr(start, at - start));
    }
  }
  return clean;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  for (size_t at = 0; at < text.size();) {
    width += WidthOf(NextCodePoint(text, at));
  }
  return width;
}

std::string Shorten(absl::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width < 1) return "";
  int used = 0;
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    used += WidthOf(NextCodePoint(text, at));
    if (used > width - 1) break;
    end = at;
  }
  return absl::StrCat(text.substr(0, end), "…");
}

std::string Pad(absl::string_view text, int width) {
  std::string padded = Shorten(text, width);
  padded.append(static_cast<size_t>(std::max(0, width - DisplayWidth(padded))),
                ' ');
  return padded;
}

std::string FormatBytes(int64_t bytes) {
  constexpr absl::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 0) bytes = 0;
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // 999.6 would print as "1000": change the unit where rounding would.
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return value < 9.95 ? absl::StrFormat("%.1f %s", value, kUnits[unit])
                      : absl::StrFormat("%.0f %s", value, kUnits[unit]);
}

std::string HumanDuration(absl::Duration duration) {
  const int64_t seconds = std::max<int64_t>(
      0, absl::ToInt64Seconds(duration + absl::Milliseconds(500)));
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600) {
    return absl::StrCat(seconds / 60, " min ", seconds % 60, " s");
  }
  return absl::StrCat(seconds / 3600, " h ", seconds % 3600 / 60, " min");
}

std::string FormatLocalTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time, absl::LocalTimeZone());
}

std::string FormatUtc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

bool LooksLikeUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-'
             : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

std::string Counted(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace usher::cli
