#include "common/tuf/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/sha256.h"
#include "common/tuf/evp.h"

namespace usher::tuf {
namespace {

absl::Status BadKey(absl::string_view reason) {
  return Error(hr::kWuEMetadataBadSignature,
               absl::StrCat("unusable key: ", reason));
}

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool IsHex(absl::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") ==
         absl::string_view::npos;
}

absl::StatusOr<EvpPtr<EVP_PKEY>> DecodeEd25519(const std::string& hex) {
  constexpr size_t kDigits = 64;
  if (hex.size() != kDigits || !IsHex(hex)) {
    return BadKey("an ed25519 key is 64 hexadecimal digits");
  }
  const std::string raw = absl::HexStringToBytes(hex);
  EvpPtr<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                   Bytes(raw), raw.size()));
  if (key == nullptr) return BadKey(TakeOpenSslError());
  return key;
}

absl::StatusOr<EvpPtr<EVP_PKEY>> DecodeEcPoint(const std::string& hex) {
  constexpr size_t kDigits = 130;
  if (hex.size() != kDigits || !IsHex(hex) || !absl::StartsWith(hex, "04")) {
    return BadKey("an ECDSA key is PEM or an uncompressed P-256 point");
  }
  std::string point = absl::HexStringToBytes(hex);
  std::string group = "prime256v1";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(),
                                       group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size()),
      OSSL_PARAM_construct_end()};
  const EvpPtr<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) !=
          1) {
    return BadKey(TakeOpenSslError());
  }
  return EvpPtr<EVP_PKEY>(key);
}

absl::StatusOr<EvpPtr<EVP_PKEY>> DecodePem(const std::string& pem) {
  const EvpPtr<BIO> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return BadKey(TakeOpenSslError());
  EvpPtr<EVP_PKEY> key(
      PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return BadKey(TakeOpenSslError());
  return key;
}

bool IsRsa(const Key& key) {
  return key.type == "rsa" &&
         (key.scheme == kRsaPss || key.scheme == kRsaPkcs1);
}

// The key, of the kind that its scheme says.
absl::StatusOr<EvpPtr<EVP_PKEY>> Decode(const Key& key) {
  absl::StatusOr<EvpPtr<EVP_PKEY>> decoded = BadKey(
      absl::StrCat("type \"", absl::Utf8SafeCEscape(key.type), "\", scheme \"",
                   absl::Utf8SafeCEscape(key.scheme), "\" is not supported"));
  if (key.scheme == kEd25519 && key.type == "ed25519") {
    decoded = DecodeEd25519(key.public_key);
  } else if (key.scheme == kEcdsaP256 &&
             (key.type == "ecdsa" || key.type == kEcdsaP256)) {
    decoded = absl::StartsWith(key.public_key, "-----")
                  ? DecodePem(key.public_key)
                  : DecodeEcPoint(key.public_key);
  } else if (IsRsa(key)) {
    decoded = DecodePem(key.public_key);
  }
  if (!decoded.ok()) return decoded;
  const absl::StatusOr<absl::string_view> scheme = SchemeOf(decoded->get());
  if (!scheme.ok()) return BadKey(scheme.status().message());
  if (*scheme != (IsRsa(key) ? kRsaPss : key.scheme)) {
    return BadKey("it is of another kind than said");
  }
  return decoded;
}

struct BignumDeleter {
  void operator()(BIGNUM* number) const { BN_free(number); }
};

absl::StatusOr<std::string> NumberParam(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
    return BadKey(TakeOpenSslError());
  }
  const std::unique_ptr<BIGNUM, BignumDeleter> number(raw);
  std::string bytes(static_cast<size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2bin(raw, reinterpret_cast<unsigned char*>(bytes.data()));
  return absl::BytesToHexString(bytes);
}

}  // namespace

absl::StatusOr<Key> PublicKeyFromPem(absl::string_view pem) {
  constexpr size_t kMaxPemBytes = size_t{16} * 1024;
  if (pem.size() > kMaxPemBytes) {
    return Error(hr::kEInvalidarg, "the PEM text is too long");
  }
  const absl::StatusOr<EvpPtr<EVP_PKEY>> key = DecodePem(std::string(pem));
  if (!key.ok()) {
    return Error(hr::kEInvalidarg, absl::StrCat("not a public key in PEM: ",
                                                key.status().message()));
  }
  return PublicKeyOf(key->get());
}

absl::Status VerifySignature(const Key& key, absl::string_view message,
                             absl::string_view signature) {
  USHER_ASSIGN_OR_RETURN(const EvpPtr<EVP_PKEY> evp, Decode(key));
  const EvpPtr<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;  // owned by `context`
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &key_context, DigestOf(key.scheme),
                           nullptr, evp.get()) != 1 ||
      // Others salt with the digest's length or as much as fits.
      !SetPadding(key.scheme, RSA_PSS_SALTLEN_AUTO, key_context) ||
      EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                       Bytes(message), message.size()) != 1) {
    ERR_clear_error();
    return Error(hr::kWuEMetadataBadSignature,
                 "the signature is not this key's over this content");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> KeyFingerprint(const Key& key) {
  USHER_ASSIGN_OR_RETURN(const EvpPtr<EVP_PKEY> evp, Decode(key));
  if (key.scheme == kEd25519) {
    return ToHex(Sha256Of(
        absl::StrCat("ed25519:", absl::HexStringToBytes(key.public_key))));
  }
  const bool rsa = IsRsa(key);
  USHER_ASSIGN_OR_RETURN(
      const std::string first,
      NumberParam(evp.get(),
                  rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X));
  USHER_ASSIGN_OR_RETURN(
      const std::string second,
      NumberParam(evp.get(),
                  rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y));
  return ToHex(
      Sha256Of(absl::StrCat(rsa ? "rsa:" : "p256:", first, ":", second)));
}

}  // namespace usher::tuf
