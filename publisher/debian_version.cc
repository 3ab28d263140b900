#include "publisher/debian_version.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace usher::publisher {
namespace {

// Rank of a character in the non-digit part: '~' before the end, the end
// before letters, letters before everything else.
int Rank(absl::string_view text, size_t i) {
  if (i >= text.size() || absl::ascii_isdigit(text[i])) return 0;
  if (text[i] == '~') return -1;
  const auto c = static_cast<unsigned char>(text[i]);
  return absl::ascii_isalpha(c) ? c : c + 256;
}

absl::string_view TakeDigits(absl::string_view text, size_t& i) {
  const size_t start = i;
  while (i < text.size() && absl::ascii_isdigit(text[i])) ++i;
  absl::string_view digits = text.substr(start, i - start);
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

int CompareDigits(absl::string_view a, absl::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

// Upstream version or revision.
int ComparePart(absl::string_view a, absl::string_view b) {
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !absl::ascii_isdigit(a[i])) ||
           (j < b.size() && !absl::ascii_isdigit(b[j]))) {
      const int difference = Rank(a, i) - Rank(b, j);
      if (difference != 0) return difference;
      ++i;
      ++j;
    }
    const absl::string_view left = TakeDigits(a, i);
    const absl::string_view right = TakeDigits(b, j);
    if (const int order = CompareDigits(left, right); order != 0) return order;
  }
  return 0;
}

struct Parts {
  absl::string_view epoch;
  absl::string_view upstream;
  absl::string_view revision;
};

Parts Split(absl::string_view version) {
  Parts parts;
  if (const size_t colon = version.find(':');
      colon != absl::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  if (const size_t dash = version.rfind('-'); dash != absl::string_view::npos) {
    parts.revision = version.substr(dash + 1);
    version = version.substr(0, dash);
  }
  parts.upstream = version;
  return parts;
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

bool IsDebianVersion(absl::string_view text) {
  const size_t colon = text.find(':');
  const absl::string_view after =
      colon == absl::string_view::npos ? text : text.substr(colon + 1);
  if (after.empty() || !absl::ascii_isdigit(after.front())) return false;
  if (colon != absl::string_view::npos &&
      (colon == 0 ||
       !std::all_of(text.begin(), text.begin() + colon, absl::ascii_isdigit))) {
    return false;
  }
  return std::all_of(after.begin(), after.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '+' || c == '-' ||
           c == '~' || c == ':';
  });
}

}  // namespace usher::publisher
