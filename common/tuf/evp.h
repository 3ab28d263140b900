#ifndef USHER_COMMON_TUF_EVP_H_
#define USHER_COMMON_TUF_EVP_H_

// OpenSSL's keys, for this layer's sources only.

#include <openssl/bio.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tuf/key.h"

namespace usher::tuf {

struct EvpDeleter {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <typename T>
using EvpPtr = std::unique_ptr<T, EvpDeleter>;

// The reason of the oldest error in OpenSSL's queue of this thread, which is
// emptied; "unknown error" for an empty queue.
std::string TakeOpenSslError();

// The scheme that a key of this kind signs with (kEd25519, kEcdsaP256,
// kRsaPss), or E_INVALIDARG for a kind, curve or size that is not supported.
absl::StatusOr<absl::string_view> SchemeOf(EVP_PKEY* key);

// The digest and padding for `scheme` on a context that has just been
// initialised for signing or verifying.
const EVP_MD* DigestOf(absl::string_view scheme);
bool SetPadding(absl::string_view scheme, int salt_length,
                EVP_PKEY_CTX* context);

// Everything that BIO holds.
std::string BioText(BIO* bio);

// The public half in the encoding that Usher publishes.
absl::StatusOr<Key> PublicKeyOf(EVP_PKEY* key);

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_EVP_H_
