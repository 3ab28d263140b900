#ifndef USHER_PUBLISHER_TOKEN_KEY_H_
#define USHER_PUBLISHER_TOKEN_KEY_H_

// Keys that stay in a token: a smart card, a hardware security module, SoftHSM.
// Platform twins: token_key_posix.cc, token_key_win.cc.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tuf/private_key.h"
#include "publisher/pkcs11_uri.h"

namespace usher::publisher {

// The key that `uri` names: ECDSA P-256 or RSA; its private half stays in the
// token, which is released with the last copy of the last key. `pin` may be
// empty for a token that asks for none or has its own keys for it; never
// prompts. All keys of a process come through one module; those that want the
// PIN for each signature get that of the key that was loaded last. Not
// thread-safe.
//
// E_INVALIDARG with the way out: what to install, a wrong PIN, no such key, a
// module that does not load.
absl::StatusOr<tuf::PrivateKey> LoadTokenKey(const Pkcs11Uri& uri,
                                             absl::string_view pin);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_TOKEN_KEY_H_
