#ifndef USHER_SERVICE_SESSION_TEXT_H_
#define USHER_SERVICE_SESSION_TEXT_H_

// Text that callers send or get. Each check returns E_INVALIDARG (or the code
// it names) with `field` as subject.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace usher::session {

// `text`, or as much of it as `max_bytes` hold, to a character's border, and an
// ellipsis.
std::string Shorten(absl::string_view text, size_t max_bytes);

// What a ClientApplicationID may have.
inline constexpr size_t kMaxApplicationIdBytes = 256;

// UTF-8 without control characters, at most `max_bytes`.
absl::Status CheckText(absl::string_view text, size_t max_bytes,
                       absl::string_view field);

// A BCP 47 language tag by its form, at most 64 bytes: "en", "pt-BR",
// "zh-Hant-TW".
absl::Status CheckLocale(absl::string_view tag, absl::string_view field);

// "host:port" or "scheme://host:port" with http, https, socks4, socks4a,
// socks5 or socks5h; empty for none. WU_E_INVALID_PROXY_SERVER.
absl::Status CheckProxyAddress(absl::string_view address,
                               absl::string_view field);

// An entry of a proxy's bypass list: a host name, an IP address, or
// "*.domain".
absl::Status CheckBypassEntry(absl::string_view entry, absl::string_view field);

// A canonical UUID or empty.
absl::Status CheckOptionalUuid(absl::string_view text, absl::string_view field);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_TEXT_H_
