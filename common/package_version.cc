#include "common/package_version.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace usher {
namespace {

struct Parts {
  absl::string_view epoch;
  absl::string_view upstream;
  absl::string_view revision;
};

Parts Split(absl::string_view version) {
  Parts parts;
  const size_t colon = version.find(':');
  if (colon != absl::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const size_t dash = version.rfind('-');
  parts.upstream = version.substr(0, dash);
  if (dash != absl::string_view::npos) {
    parts.revision = version.substr(dash + 1);
  }
  return parts;
}

// Weight of a character in the non-digit parts: '~' before the end, the end
// before letters, letters before the rest.
int Weight(absl::string_view text, size_t i) {
  if (i >= text.size() || absl::ascii_isdigit(text[i])) return 0;
  if (text[i] == '~') return -1;
  const auto c = static_cast<unsigned char>(text[i]);
  return absl::ascii_isalpha(c) ? c : c + 256;
}

absl::string_view TakeDigits(absl::string_view& text) {
  size_t end = 0;
  while (end < text.size() && absl::ascii_isdigit(text[end])) ++end;
  absl::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

// Of any length, leading zeros removed.
int CompareDigits(absl::string_view a, absl::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int ComparePart(absl::string_view a, absl::string_view b) {
  while (!a.empty() || !b.empty()) {
    size_t i = 0;
    while ((i < a.size() && !absl::ascii_isdigit(a[i])) ||
           (i < b.size() && !absl::ascii_isdigit(b[i]))) {
      const int difference = Weight(a, i) - Weight(b, i);
      if (difference != 0) return difference;
      ++i;
    }
    a.remove_prefix(std::min(i, a.size()));
    b.remove_prefix(std::min(i, b.size()));
    const int difference = CompareDigits(TakeDigits(a), TakeDigits(b));
    if (difference != 0) return difference;
  }
  return 0;
}

absl::string_view TakeUntilDot(absl::string_view& text) {
  const size_t dot = text.find('.');
  const absl::string_view part = text.substr(0, dot);
  text.remove_prefix(dot == absl::string_view::npos ? text.size() : dot + 1);
  return part;
}

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

int CompareDebianVersions(absl::string_view a, absl::string_view b) {
  const Parts left = Split(a);
  const Parts right = Split(b);
  if (const int order = ComparePart(left.epoch, right.epoch); order != 0) {
    return order;
  }
  if (const int order = ComparePart(left.upstream, right.upstream);
      order != 0) {
    return order;
  }
  return ComparePart(left.revision, right.revision);
}

int CompareDottedVersions(absl::string_view a, absl::string_view b) {
  while (!a.empty() || !b.empty()) {
    absl::string_view left = TakeUntilDot(a);
    absl::string_view right = TakeUntilDot(b);
    int order;
    if (AllDigits(left) && AllDigits(right)) {
      order = CompareDigits(TakeDigits(left), TakeDigits(right));
    } else {
      order = left.compare(right);
    }
    if (order != 0) return order;
  }
  return 0;
}

bool IsDebianVersion(absl::string_view text) {
  if (text.empty() || text.size() > 256) return false;
  const Parts parts = Split(text);
  if (!AllDigits(parts.epoch) || parts.upstream.empty() ||
      text.front() == ':') {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '+' || c == '-' ||
           c == '~' || c == ':';
  });
}

bool IsDebianPackageName(absl::string_view text) {
  if (text.size() < 2 || text.size() > 256) return false;
  if (!absl::ascii_islower(text.front()) &&
      !absl::ascii_isdigit(text.front())) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '+' ||
           c == '-' || c == '.';
  });
}

}  // namespace usher
