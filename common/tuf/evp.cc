#include "common/tuf/evp.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher::tuf {
namespace {

// Shorter RSA keys are broken, longer ones only cost the verifier time.
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;

bool IsP256(EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t size = 0;
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
                                        group.data(), group.size(),
                                        &size) == 1 &&
         absl::string_view(group.data(), size) == "prime256v1";
}

}  // namespace

std::string TakeOpenSslError() {
  const unsigned long code = ERR_get_error();  // NOLINT(google-runtime-int)
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

absl::StatusOr<absl::string_view> SchemeOf(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
      return kEd25519;
    case EVP_PKEY_EC:
      if (IsP256(key)) return kEcdsaP256;
      return Error(hr::kEInvalidarg, "the key is not on the curve P-256");
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits >= kMinRsaBits && bits <= kMaxRsaBits) return kRsaPss;
      return Error(hr::kEInvalidarg,
                   absl::StrCat("the RSA key has ", bits, " bits, not from ",
                                kMinRsaBits, " to ", kMaxRsaBits));
    }
    default:
      return Error(hr::kEInvalidarg, "the key is not ed25519, ECDSA or RSA");
  }
}

const EVP_MD* DigestOf(absl::string_view scheme) {
  return scheme == kEd25519 ? nullptr : EVP_sha256();
}

bool SetPadding(absl::string_view scheme, int salt_length,
                EVP_PKEY_CTX* context) {
  if (scheme != kRsaPss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_length) == 1;
}

std::string BioText(BIO* bio) {
  const char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<Key> PublicKeyOf(EVP_PKEY* key) {
  USHER_ASSIGN_OR_RETURN(const absl::string_view scheme, SchemeOf(key));
  Key result;
  result.scheme = std::string{scheme};
  if (scheme == kEd25519) {
    result.type = "ed25519";
    std::array<unsigned char, 32> raw{};
    size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1 ||
        size != raw.size()) {
      return Error(hr::kEInvalidarg, TakeOpenSslError());
    }
    result.public_key = absl::BytesToHexString(
        absl::string_view(reinterpret_cast<char*>(raw.data()), raw.size()));
    return result;
  }
  result.type = scheme == kRsaPss ? "rsa" : "ecdsa";
  const EvpPtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_PUBKEY(bio.get(), key) != 1) {
    return Error(hr::kEInvalidarg, TakeOpenSslError());
  }
  result.public_key = BioText(bio.get());
  return result;
}

}  // namespace usher::tuf
