#include "common/tuf/private_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/tuf/evp.h"

namespace usher::tuf {
namespace {

// What OWASP asks of PBKDF2 with HMAC-SHA-256; about 0.2 seconds.
constexpr int kPbkdf2Rounds = 600000;
constexpr unsigned int kRsaBits = 3072;
constexpr size_t kMaxKeyBytes = size_t{64} * 1024;

absl::Status BadKey(absl::string_view reason) {
  return Error(hr::kEInvalidarg, absl::StrCat("private key: ", reason));
}

struct PassphraseRequest {
  absl::string_view passphrase;
  bool asked = false;
};

// OpenSSL would ask at the terminal if it had no callback.
int GivePassphrase(char* buffer, int size, int /*writing*/, void* user) {
  auto* request = static_cast<PassphraseRequest*>(user);
  request->asked = true;
  if (request->passphrase.empty() ||
      request->passphrase.size() > static_cast<size_t>(size)) {
    return -1;
  }
  std::memcpy(buffer, request->passphrase.data(), request->passphrase.size());
  return static_cast<int>(request->passphrase.size());
}

// Why a key could not be read; takes OpenSSL's errors.
absl::Status Unread(const PassphraseRequest& request) {
  const std::string reason = TakeOpenSslError();
  if (!request.asked) return BadKey(absl::StrCat("not readable: ", reason));
  if (request.passphrase.empty()) {
    return BadKey("it is encrypted; give its passphrase");
  }
  return BadKey("the passphrase does not open it");
}

struct Pkcs8Deleter {
  void operator()(PKCS8_PRIV_KEY_INFO* info) const {
    PKCS8_PRIV_KEY_INFO_free(info);
  }
  void operator()(X509_SIG* sealed) const { X509_SIG_free(sealed); }
};

bool WriteEncrypted(EVP_PKEY* key, absl::string_view passphrase, BIO* bio) {
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, Pkcs8Deleter> info(
      EVP_PKEY2PKCS8(key));
  if (info == nullptr) return false;
  // -1: PBES2 with PBKDF2. No salt given: a random one of that length.
  constexpr int kSaltBytes = 16;
  const std::unique_ptr<X509_SIG, Pkcs8Deleter> sealed(
      PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase.data(),
                    static_cast<int>(passphrase.size()), nullptr, kSaltBytes,
                    kPbkdf2Rounds, info.get()));
  return sealed != nullptr && PEM_write_bio_PKCS8(bio, sealed.get()) == 1;
}

bool WritePlain(EVP_PKEY* key, BIO* bio) {
  return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr,
                                       nullptr) == 1;
}

}  // namespace

PrivateKey::PrivateKey(std::shared_ptr<evp_pkey_st> key, Key public_key)
    : key_(std::move(key)),
      public_key_(std::move(public_key)),
      key_id_(KeyId(public_key_)) {}

absl::StatusOr<PrivateKey> PrivateKey::FromOpenSsl(
    std::shared_ptr<evp_pkey_st> key) {
  if (key == nullptr) return BadKey(TakeOpenSslError());
  absl::StatusOr<Key> public_key = PublicKeyOf(key.get());
  if (!public_key.ok()) return Annotate(public_key.status(), "private key");
  return PrivateKey(std::move(key), *std::move(public_key));
}

absl::StatusOr<PrivateKey> PrivateKey::Generate(absl::string_view scheme) {
  EVP_PKEY* key = nullptr;
  if (scheme == kEd25519) {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else if (scheme == kEcdsaP256) {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  } else if (scheme == kRsaPss) {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{kRsaBits});
  } else {
    return BadKey(absl::StrCat("no scheme \"", scheme, "\"; there are ",
                               kEd25519, ", ", kEcdsaP256, " and ", kRsaPss));
  }
  return FromOpenSsl(std::shared_ptr<EVP_PKEY>(key, EvpDeleter()));
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(absl::string_view pem,
                                               absl::string_view passphrase) {
  if (pem.size() > kMaxKeyBytes) return BadKey("the PEM text is too long");
  const EvpPtr<BIO> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return BadKey(TakeOpenSslError());
  PassphraseRequest request{passphrase};
  EVP_PKEY* key =
      PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassphrase, &request);
  if (key == nullptr) return Unread(request);
  return FromOpenSsl(std::shared_ptr<EVP_PKEY>(key, EvpDeleter()));
}

absl::StatusOr<PrivateKey> PrivateKey::FromDer(absl::string_view der,
                                               absl::string_view passphrase) {
  if (der.size() > kMaxKeyBytes) return BadKey("the DER bytes are too many");
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const auto size =
      static_cast<long>(der.size());  // NOLINT(google-runtime-int)
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &bytes, size);
  if (key == nullptr) {
    ERR_clear_error();
    const EvpPtr<BIO> bio(
        BIO_new_mem_buf(der.data(), static_cast<int>(der.size())));
    if (bio == nullptr) return BadKey(TakeOpenSslError());
    PassphraseRequest request{passphrase};
    key = d2i_PKCS8PrivateKey_bio(bio.get(), nullptr, GivePassphrase, &request);
    if (key == nullptr) return Unread(request);
  }
  return FromOpenSsl(std::shared_ptr<EVP_PKEY>(key, EvpDeleter()));
}

absl::StatusOr<std::string> PrivateKey::ToPem(
    absl::string_view passphrase) const {
  // Private keys go to memory that is cleared when it is freed.
  const EvpPtr<BIO> bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr ||
      !(passphrase.empty()
            ? WritePlain(key_.get(), bio.get())
            : WriteEncrypted(key_.get(), passphrase, bio.get()))) {
    return BadKey(TakeOpenSslError());
  }
  return BioText(bio.get());
}

absl::StatusOr<std::string> PrivateKey::PublicPem() const {
  const EvpPtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_PUBKEY(bio.get(), key_.get()) != 1) {
    return BadKey(TakeOpenSslError());
  }
  return BioText(bio.get());
}

absl::StatusOr<std::string> PrivateKey::Sign(absl::string_view message) const {
  const EvpPtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  size_t size = 0;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &key_context,
                         DigestOf(public_key_.scheme), nullptr,
                         key_.get()) != 1 ||
      !SetPadding(public_key_.scheme, RSA_PSS_SALTLEN_DIGEST, key_context) ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) !=
          1) {
    return BadKey(TakeOpenSslError());
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(),
                     reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, message.size()) != 1) {
    return BadKey(TakeOpenSslError());
  }
  signature.resize(size);
  return signature;
}

}  // namespace usher::tuf
