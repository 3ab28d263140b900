#include "service/install/msi_log.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/file_io.h"

namespace usher::install {
namespace {

constexpr size_t kMaxExcerpt = 400;
constexpr size_t kMaxErrorLines = 3;
constexpr size_t kLastLines = 3;
constexpr std::streamoff kTail = std::streamoff{512} * 1024;
constexpr absl::string_view kMark16 = "\xff\xfe";
constexpr absl::string_view kMark8 = "\xef\xbb\xbf";

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr uint32_t kFirst[] = {0, 0xc0, 0xe0, 0xf0};
  out.push_back(static_cast<char>(kFirst[more] | (c >> (6 * more))));
  for (int i = more - 1; i >= 0; --i) {
    out.push_back(static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3f)));
  }
}

// Little-endian UTF-16; a lone surrogate becomes U+FFFD.
std::string FromUtf16(absl::string_view bytes) {
  std::string text;
  uint32_t high = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const uint32_t unit = static_cast<unsigned char>(bytes[i]) |
                          static_cast<unsigned char>(bytes[i + 1]) << 8;
    if (unit >= 0xdc00 && unit < 0xe000 && high != 0) {
      AppendUtf8(text, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
      high = 0;
      continue;
    }
    if (high != 0) AppendUtf8(text, 0xfffd);
    high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
    if (high == 0) {
      AppendUtf8(text, unit >= 0xdc00 && unit < 0xe000 ? 0xfffd : unit);
    }
  }
  return text;
}

// "Error 1904." and what custom actions and the product itself report.
bool IsAboutAnError(absl::string_view line) {
  const size_t error = line.find("Error ");
  if (error != absl::string_view::npos && line.size() > error + 9 &&
      std::all_of(line.begin() + static_cast<ptrdiff_t>(error) + 6,
                  line.begin() + static_cast<ptrdiff_t>(error) + 10,
                  [](char c) { return absl::ascii_isdigit(c); })) {
    return true;
  }
  return absl::StrContains(line, "returned actual error code") ||
         (absl::StrContains(line, "Product: ") &&
          absl::StrContains(line, " -- "));
}

}  // namespace

std::string MsiLogExcerpt(absl::string_view log) {
  std::string converted;
  if (absl::StartsWith(log, kMark16)) {
    converted = FromUtf16(log.substr(kMark16.size()));
    log = converted;
  } else if (absl::StartsWith(log, kMark8)) {
    log.remove_prefix(kMark8.size());
  }
  std::vector<absl::string_view> errors;
  std::vector<absl::string_view> lines;
  for (absl::string_view line : absl::StrSplit(log, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    lines.push_back(line);
    if (IsAboutAnError(line) &&
        std::find(errors.begin(), errors.end(), line) == errors.end()) {
      errors.push_back(line);
    }
  }
  std::vector<absl::string_view>& chosen = errors.empty() ? lines : errors;
  const size_t wanted = errors.empty() ? kLastLines : kMaxErrorLines;
  if (chosen.size() > wanted) {
    chosen.erase(chosen.begin(), chosen.end() - static_cast<ptrdiff_t>(wanted));
  }
  std::string text = absl::StrJoin(chosen, " | ");
  if (text.size() <= kMaxExcerpt) return text;
  size_t start = text.size() - kMaxExcerpt;
  // Not in the middle of a character.
  while (start < text.size() &&
         (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) {
    ++start;
  }
  return text.substr(start);
}

std::string MsiLogFileExcerpt(const std::filesystem::path& path) {
  std::ifstream in(AnyLength(path), std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  std::string mark(kMark16.size(), '\0');
  in.seekg(0);
  in.read(mark.data(), static_cast<std::streamsize>(mark.size()));
  in.clear();
  // An even number of bytes, so that UTF-16 is not cut in the middle.
  const std::streamoff start = size > kTail ? (size - kTail) & ~1 : 0;
  std::string tail(static_cast<size_t>(size - start), '\0');
  in.seekg(start);
  in.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  tail.resize(static_cast<size_t>(in.gcount()));
  if (start > 0 && mark == kMark16) tail.insert(0, mark);
  return MsiLogExcerpt(tail);
}

}  // namespace usher::install
