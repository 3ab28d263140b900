#ifndef USHER_COMMON_TUF_KEY_H_
#define USHER_COMMON_TUF_KEY_H_

// Public keys as TUF metadata carries them.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::tuf {

// The signature schemes that are understood.
inline constexpr absl::string_view kEd25519 = "ed25519";
inline constexpr absl::string_view kEcdsaP256 = "ecdsa-sha2-nistp256";
inline constexpr absl::string_view kRsaPss = "rsassa-pss-sha256";
// Not one of the specification's, and never written here; repositories made
// with other tools sign with it.
inline constexpr absl::string_view kRsaPkcs1 = "rsa-pkcs1v15-sha256";

// A value. A key of an unknown type or scheme is kept and verifies nothing, so
// that newer repositories can be read (specification, section 4.2).
struct Key {
  std::string type;    // "ed25519", "ecdsa", "ecdsa-sha2-nistp256", "rsa"
  std::string scheme;  // one of the above
  // ed25519: 64 hexadecimal digits. ECDSA: PEM (SubjectPublicKeyInfo), or the
  // uncompressed point as hexadecimal digits. RSA: PEM.
  std::string public_key;
  // Members that this version does not know, as a JSON object; "" for none.
  std::string unknown_fields;
  // The same for members of "keyval"; of an unknown type these are all.
  std::string unknown_keyval_fields;
};

// The key's JSON object, as it stands in metadata.
std::string KeyToJson(const Key& key);

// Reads one key object. WU_E_METADATA_SIGNATURE_VERIFY_FAILED when malformed.
absl::StatusOr<Key> ParseKey(absl::string_view text);

// Reads a public key as other tools write it: PEM, SubjectPublicKeyInfo.
// E_INVALIDARG for anything else and for kinds that are not supported.
absl::StatusOr<Key> PublicKeyFromPem(absl::string_view pem);

// SHA-256 of the canonical JSON of {keytype, scheme, keyval}, in lower-case
// hexadecimal digits: the id that a publisher gives its key. Clients accept
// any id that the delegating metadata uses.
std::string KeyId(const Key& key);

// Verifies the raw `signature` over `message`. OK only when it is right;
// otherwise WU_E_METADATA_BAD_SIGNATURE with the reason.
absl::Status VerifySignature(const Key& key, absl::string_view message,
                             absl::string_view signature);

// What the key is, whatever its encoding, type name or id: a hash of the
// numbers that make it up. Two entries for one key have one fingerprint, so
// that it counts once towards a threshold. Fails for a key that is not
// understood or not well formed.
absl::StatusOr<std::string> KeyFingerprint(const Key& key);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_KEY_H_
