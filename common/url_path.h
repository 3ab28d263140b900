#ifndef USHER_COMMON_URL_PATH_H_
#define USHER_COMMON_URL_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace usher {

// A relative path as it stands in a URL: all but '/' and what RFC 3986 calls
// unreserved is percent-encoded, byte by byte.
std::string EncodeUrlPath(absl::string_view path);

}  // namespace usher

#endif  // USHER_COMMON_URL_PATH_H_
