#ifndef USHER_PUBLISHER_PKCS11_URI_H_
#define USHER_PUBLISHER_PKCS11_URI_H_

// The name of a key in a token: a PKCS#11 URI (RFC 7512).

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::publisher {

// A value. Texts are as in the URI with %XX replaced.
struct Pkcs11Uri {
  // The key's path: what follows "pkcs11:", as it was written, without the
  // query; it names no secret. Always with "type=private".
  std::string name;
  std::string token;   // label; may be empty if `serial` is not
  std::string serial;  // may be empty if `token` is not
  std::string pin_value;
  std::string pin_source;   // a file
  std::string module_path;  // empty: what the machine is configured to use
};

// Whether `text` is meant to be one: it begins with "pkcs11:".
bool IsPkcs11Uri(absl::string_view text);

// Reads one. It must say which token (token or serial) and which key (object
// or id); attributes that cannot be honoured are refused, not ignored.
// E_INVALIDARG; messages do not repeat the PIN.
absl::StatusOr<Pkcs11Uri> ParsePkcs11Uri(absl::string_view text);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PKCS11_URI_H_
