#ifndef USHER_COMMON_TOML_DOTS_H_
#define USHER_COMMON_TOML_DOTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher {

// Refuses a TOML document with more dots in a line than any person writes. The
// parser (toml++) calls itself for each part of a dotted key, and would use up
// the stack. E_INVALIDARG with file and line.
absl::Status CheckTomlDots(absl::string_view text, const std::string& file);

}  // namespace usher

#endif  // USHER_COMMON_TOML_DOTS_H_
