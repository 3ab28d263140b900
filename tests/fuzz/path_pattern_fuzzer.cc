// Path patterns, beside the C library's idea of them.

#include <fnmatch.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_split.h"
#include "common/tuf/path_pattern.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace usher;  // NOLINT(google-build-using-namespace)
  const absl::string_view text = fuzz::Text(data, size);
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('\n', 1));
  const bool matches = tuf::MatchesPathPattern(parts.first, parts.second);
  fuzz::Require(tuf::MatchesPathPattern(parts.second, parts.second) ||
                parts.second.find('[') != absl::string_view::npos);
  // Where both mean the same: no sets, no NUL, plain characters. Short ones,
  // since fnmatch() may take very long.
  const auto plain = [](char c) {
    return c > ' ' && c < '\x7f' && c != '[' && c != '\\';
  };
  if (text.size() <= 40 &&
      std::all_of(parts.first.begin(), parts.first.end(), plain) &&
      std::all_of(parts.second.begin(), parts.second.end(), plain)) {
    fuzz::Require(matches == (fnmatch(std::string(parts.first).c_str(),
                                      std::string(parts.second).c_str(),
                                      FNM_PATHNAME | FNM_NOESCAPE) == 0));
  }
  return 0;
}
