#ifndef USHER_COMMON_CATALOG_NAMES_H_
#define USHER_COMMON_CATALOG_NAMES_H_

// Which names a catalog may contain: they become file names and URLs.

#include <string>

#include "absl/strings/string_view.h"

namespace usher::catalog {

bool HasControlCharacters(absl::string_view text);

// catalog.proto, ArchiveHandler.product: letters, digits, '.', '_', '+', '-'.
bool IsProductName(absl::string_view text);
// ArchiveHandler.version: the same with '~' and ':'.
bool IsProductVersion(absl::string_view text);

// ChannelRule.channels: lower-case letters, digits, '.', '_', '-', a letter or
// digit first, at most 64 bytes.
bool IsChannelName(absl::string_view text);

// "{UUID}".
bool IsProductCode(absl::string_view text);

// A plain file name on every system.
bool IsPayloadName(absl::string_view text);

// A path below targets/ without "." and "..", or an absolute http(s) URL.
bool IsPayloadLocation(absl::string_view text);

// The URL of a checked location in the repository at `base_url`.
std::string PayloadUrl(absl::string_view base_url, absl::string_view location);

}  // namespace usher::catalog

#endif  // USHER_COMMON_CATALOG_NAMES_H_
