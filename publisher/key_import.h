#ifndef USHER_PUBLISHER_KEY_IMPORT_H_
#define USHER_PUBLISHER_KEY_IMPORT_H_

// Private keys that were made with other tools.

#include <filesystem>

#include "absl/status/statusor.h"
#include "common/tuf/private_key.h"
#include "publisher/key_ring.h"

namespace usher::publisher {

// Reads a private key in PEM or DER: PKCS#8 (plain or encrypted), PKCS#1 or
// SEC1; or in the JSON of TUF's reference implementation. `passphrases` is
// asked only for an encrypted one. The key has been seen to sign what its
// public half verifies. E_INVALIDARG names the file, what it is instead, and
// how to convert it; ERROR_FILE_NOT_FOUND.
absl::StatusOr<tuf::PrivateKey> ReadForeignKey(
    const std::filesystem::path& path, PassphraseSource& passphrases);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_KEY_IMPORT_H_
