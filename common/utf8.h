#ifndef USHER_COMMON_UTF8_H_
#define USHER_COMMON_UTF8_H_

// Text that comes from elsewhere (programs, file names) may be in any encoding;
// Protocol Buffers and JSON take only UTF-8.

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace usher {

// `text` with U+FFFD for each byte that is not part of valid UTF-8 (RFC 3629:
// no surrogates, no overlong forms).
std::string ValidUtf8(absl::string_view text);

// Whether all of it is.
bool IsValidUtf8(absl::string_view text);

// The last `max_bytes` of `text`, or somewhat less: not from within a
// character.
absl::string_view Utf8Tail(absl::string_view text, size_t max_bytes);

}  // namespace usher

#endif  // USHER_COMMON_UTF8_H_
