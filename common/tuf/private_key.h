#ifndef USHER_COMMON_TUF_PRIVATE_KEY_H_
#define USHER_COMMON_TUF_PRIVATE_KEY_H_

// Signing keys.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tuf/key.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace usher::tuf {

// Immutable; copies share the key, whose memory is cleared with the last one.
// Thread-safe.
class PrivateKey {
 public:
  // `scheme` is kEd25519, kEcdsaP256 or kRsaPss (3072 bits).
  static absl::StatusOr<PrivateKey> Generate(absl::string_view scheme);

  // Reads a PEM private key: PKCS#8 (plain or encrypted) or a traditional
  // form. `passphrase` is used only for an encrypted one; never prompts.
  // E_INVALIDARG when it cannot be read, with the reason.
  static absl::StatusOr<PrivateKey> FromPem(absl::string_view pem,
                                            absl::string_view passphrase = "");

  // The same for DER: PKCS#8 (plain or encrypted), PKCS#1 or SEC1.
  static absl::StatusOr<PrivateKey> FromDer(absl::string_view der,
                                            absl::string_view passphrase = "");

  // Takes a key of OpenSSL's, also one whose private half stays in a token, and
  // its deleter. E_INVALIDARG for a kind that is not supported.
  static absl::StatusOr<PrivateKey> FromOpenSsl(
      std::shared_ptr<evp_pkey_st> key);

  // PKCS#8 in PEM. With a passphrase encrypted by AES-256-CBC under PBKDF2
  // (HMAC-SHA-256, 600,000 rounds); without, in plain: the caller protects it.
  // E_INVALIDARG for a key that does not leave its token.
  absl::StatusOr<std::string> ToPem(absl::string_view passphrase = "") const;

  // The public half in PEM (SubjectPublicKeyInfo), for handing to others.
  absl::StatusOr<std::string> PublicPem() const;

  const Key& public_key() const { return public_key_; }
  const std::string& key_id() const { return key_id_; }

  // The raw signature over `message`: 64 bytes (ed25519), DER (ECDSA) or as
  // long as the modulus (RSA-PSS, salt as long as the digest).
  absl::StatusOr<std::string> Sign(absl::string_view message) const;

 private:
  PrivateKey(std::shared_ptr<evp_pkey_st> key, Key public_key);

  std::shared_ptr<evp_pkey_st> key_;
  Key public_key_;
  std::string key_id_;
};

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_PRIVATE_KEY_H_
