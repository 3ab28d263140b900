#include "common/toml_dots.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"

namespace usher {

absl::Status CheckTomlDots(absl::string_view text, const std::string& file) {
  constexpr int64_t kMaxDots = 2000;
  int64_t line = 0;
  for (const absl::string_view part : absl::StrSplit(text, '\n')) {
    ++line;
    if (std::count(part.begin(), part.end(), '.') > kMaxDots) {
      return Error(hr::kEInvalidarg,
                   absl::StrCat(file, ":", line, ":1: a line with more than ",
                                kMaxDots, " dots"),
                   file);
    }
  }
  return absl::OkStatus();
}

}  // namespace usher
