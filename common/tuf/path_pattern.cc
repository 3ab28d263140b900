#include "common/tuf/path_pattern.h"

#include <cstddef>

#include "absl/strings/string_view.h"

namespace usher::tuf {
namespace {

// The set that begins at pattern[0] == '[': its length in the pattern, and
// whether it has `c`. Length 0: there is no ']', so it is no set.
struct SetMatch {
  size_t length = 0;
  bool matches = false;
};

SetMatch MatchSet(absl::string_view pattern, char c) {
  size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '!';
  if (negated) ++at;
  const auto byte = static_cast<unsigned char>(c);
  bool found = false;
  // A ']' in the first place is a member.
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) {
      return {at + 1, c != '/' && found != negated};
    }
    const auto low = static_cast<unsigned char>(pattern[at]);
    auto high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' &&
        pattern[at + 2] != ']') {
      high = static_cast<unsigned char>(pattern[at + 2]);
      at += 3;
    } else {
      ++at;
    }
    if (low <= byte && byte <= high) found = true;
  }
  return {};
}

// How much of the pattern's beginning, which is no '*', describes `c`; 0: it
// does not.
size_t MatchOne(absl::string_view pattern, char c) {
  switch (pattern[0]) {
    case '?':
      return c == '/' ? 0 : 1;
    case '[': {
      const SetMatch set = MatchSet(pattern, c);
      if (set.length > 0) return set.matches ? set.length : 0;
      break;
    }
    default:
      break;
  }
  return pattern[0] == c ? 1 : 0;
}

}  // namespace

bool MatchesPathPattern(absl::string_view pattern, absl::string_view path) {
  size_t p = 0;
  size_t c = 0;
  // Where to go on after the last '*' when what follows does not fit: that
  // star takes one character more. An earlier one need never be asked again.
  size_t star = absl::string_view::npos;
  size_t taken = 0;
  while (c < path.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = c;
      continue;
    }
    const size_t matched =
        p < pattern.size() ? MatchOne(pattern.substr(p), path[c]) : 0;
    if (matched > 0) {
      p += matched;
      ++c;
      continue;
    }
    if (star == absl::string_view::npos || path[taken] == '/') return false;
    p = star + 1;
    c = ++taken;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace usher::tuf
