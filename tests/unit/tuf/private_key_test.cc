#include "common/tuf/private_key.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <string>

#include "absl/strings/escaping.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PrivateKeyTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PrivateKeyTest, SignsWhatItsPublicKeyVerifies) {
  const PrivateKey key = PrivateKey::Generate(GetParam()).value();
  EXPECT_EQ(key.public_key().scheme, GetParam());
  EXPECT_EQ(key.key_id(), KeyId(key.public_key()));
  const std::string signature = key.Sign("message").value();
  EXPECT_TRUE(VerifySignature(key.public_key(), "message", signature).ok());
  EXPECT_EQ(HResultOf(VerifySignature(key.public_key(), "massage", signature)),
            hr::kWuEMetadataBadSignature);
  std::string flipped = signature;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_FALSE(VerifySignature(key.public_key(), "message", flipped).ok());
  EXPECT_FALSE(VerifySignature(key.public_key(), "message", "").ok());
  const PrivateKey other = PrivateKey::Generate(GetParam()).value();
  EXPECT_FALSE(VerifySignature(other.public_key(), "message", signature).ok());
}

TEST_P(PrivateKeyTest, ComesBackFromPlainPem) {
  const PrivateKey key = PrivateKey::Generate(GetParam()).value();
  const std::string pem = key.ToPem().value();
  EXPECT_THAT(pem, StartsWith("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(PrivateKey::FromPem(pem).value().key_id(), key.key_id());
}

TEST_P(PrivateKeyTest, ComesBackFromEncryptedPemWithItsPassphraseOnly) {
  const PrivateKey key = PrivateKey::Generate(GetParam()).value();
  const std::string pem = key.ToPem("correct horse").value();
  EXPECT_THAT(pem, StartsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  EXPECT_EQ(PrivateKey::FromPem(pem, "correct horse").value().key_id(),
            key.key_id());
  const absl::Status none = PrivateKey::FromPem(pem).status();
  EXPECT_EQ(HResultOf(none), hr::kEInvalidarg);
  EXPECT_THAT(std::string(none.message()), HasSubstr("encrypted"));
  const absl::Status wrong = PrivateKey::FromPem(pem, "battery").status();
  EXPECT_EQ(HResultOf(wrong), hr::kEInvalidarg);
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("passphrase"));
}

// The bytes inside a PEM text.
std::string Der(const std::string& pem) {
  std::string body = pem.substr(pem.find('\n'));
  body.resize(body.find("-----END"));
  std::string der;
  EXPECT_TRUE(absl::Base64Unescape(body, &der));
  return der;
}

TEST_P(PrivateKeyTest, ComesBackFromDer) {
  const PrivateKey key = PrivateKey::Generate(GetParam()).value();
  EXPECT_EQ(PrivateKey::FromDer(Der(key.ToPem().value())).value().key_id(),
            key.key_id());
  const std::string sealed = Der(key.ToPem("correct horse").value());
  EXPECT_EQ(PrivateKey::FromDer(sealed, "correct horse").value().key_id(),
            key.key_id());
  EXPECT_THAT(std::string(PrivateKey::FromDer(sealed).status().message()),
              HasSubstr("it is encrypted"));
  EXPECT_THAT(
      std::string(PrivateKey::FromDer(sealed, "battery").status().message()),
      HasSubstr("does not open it"));
  EXPECT_FALSE(PrivateKey::FromDer(sealed.substr(0, 40), "x").ok());
}

INSTANTIATE_TEST_SUITE_P(Schemes, PrivateKeyTest,
                         ::testing::Values("ed25519", "ecdsa-sha2-nistp256",
                                           "rsassa-pss-sha256"),
                         [](const auto& scheme) {
                           return std::string(scheme.param, 2) +
                                  std::to_string(scheme.index);
                         });

TEST(PrivateKeyErrorTest, RefusesWhatIsNoKey) {
  const absl::Status garbage = PrivateKey::FromPem("garbage").status();
  EXPECT_EQ(HResultOf(garbage), hr::kEInvalidarg);
  EXPECT_THAT(std::string(garbage.message()), Not(HasSubstr("passphrase")));
  EXPECT_FALSE(PrivateKey::FromPem(std::string(1 << 20, 'x')).ok());
  EXPECT_EQ(HResultOf(PrivateKey::FromDer("garbage").status()),
            hr::kEInvalidarg);
  EXPECT_FALSE(PrivateKey::FromDer(std::string(1 << 20, '0')).ok());
  EXPECT_EQ(HResultOf(PrivateKey::FromOpenSsl(nullptr).status()),
            hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(PrivateKey::Generate("md5").status()), hr::kEInvalidarg);
}

TEST(PrivateKeyErrorTest, RefusesOtherCurves) {
  EVP_PKEY* key = EVP_EC_gen("P-384");
  ASSERT_NE(key, nullptr);
  BIO* bio = BIO_new(BIO_s_mem());
  ASSERT_EQ(
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr),
      1);
  const char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  const absl::Status status =
      PrivateKey::FromPem(absl::string_view(data, static_cast<size_t>(size)))
          .status();
  BIO_free(bio);
  EVP_PKEY_free(key);
  EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
  EXPECT_THAT(std::string(status.message()), HasSubstr("P-256"));
}

}  // namespace
}  // namespace usher::tuf
