#include "common/tuf/key.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "common/error.h"
#include "common/tuf/canonical_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

using ::testing::HasSubstr;

// Made with securesystemslib 0.26: a document, keys, and signatures over the
// document's canonical form.
constexpr char kDocument[] =
    R"({"_type": "x", "z": [1, true, null], "\u00e9": "a\"\\\n\u0001",)"
    R"( "a": {"n": -5}})";
constexpr char kEcdsaKey[] =
    R"({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval":)"
    R"( {"public": "-----BEGIN PUBLIC KEY-----\n)"
    R"(MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8nsygv1gLTZClClBsOeYR0tvSDCt\n)"
    R"(oOAcTwFB4nYpQ2t7ENMDV0q00POiV5tVTYwToOxkW2f50k+K72YU+9M4nA==\n)"
    R"(-----END PUBLIC KEY-----\n"}})";
constexpr char kEcdsaKeyId[] =
    "20d78b6f1e9e19fa8a75b22ae80267ef675b2493b74c3838030bd89bd35d91cd";
constexpr char kEcdsaSignature[] =
    "304502203c3ea326883221fac69d2331d2b51c10de2f443ff82759b7c78436479f7e368f02"
    "2100c6c57c40d2ab727dacfcc17869c10fa9d340e6bdc0bbfe7ebc34c3ec80cf2b77";
// The same key's point, as Sigstore and others write it.
constexpr char kEcdsaPoint[] =
    "04f27b3282fd602d3642942941b0e798474b6f4830ada0e01c4f0141e27629436b7b10d303"
    "574ab4d0f3a2579b554d8c13a0ec645b67f9d24f8aef6614fbd3389c";
constexpr char kRsaKey[] =
    R"({"keytype": "rsa", "scheme": "rsassa-pss-sha256", "keyval": {"public":)"
    R"( "-----BEGIN PUBLIC KEY-----\n)"
    R"(MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAwgtHO5vzy4niZE5cUgt4\n)"
    R"(HtxWJKiRc6KMjTpaPx5Em65+uU6D78QUWrs5jgd303mDMXl6IdCHWJYi/7TlSZCF\n)"
    R"(8agvuqQsTn5gNOR97EgqVqudW7eJ5OJDa7tcIReGTVL86VJ49X2ztNRvcbgtWP9G\n)"
    R"(GkSxX/NYXRRqKEK6+C420panpWCSXyPQpJsAVEI8drT3CTmZwmx0XmKcvve00k4t\n)"
    R"(5OZ+KDgE6GnkDyPE6fw0AHyk46GMezDpWlgtbShDxIS/SYoIrTHVVOD2ImSZLGs9\n)"
    R"(af7pF3w/VA8R0cx/YLPmzdAYeDC8h/hQVTDz7ji5voQ8jt98Sl+8BqIqkGerdQTQ\n)"
    R"(4YoIrUoD0eElOraeJfdklyVh5RrNekla+kN40T0K5AjN0GNKjNLaT2YZJYcAeXQ6\n)"
    R"(SsrSPNU6OjZvXajEh1oCs8vwfMiAGBRrDqyqro1k21epY36r59m3pL8mqid/+oMJ\n)"
    R"(y3megUqWMk8YNymc35lrNdwrs7O0EZamkIewMktQ+WVXAgMBAAE=\n)"
    R"(-----END PUBLIC KEY-----"}})";
constexpr char kRsaKeyId[] =
    "b6144d41737897921180e7f0a2ce2e0a9b22699279c4750a7ec74826880ad07b";
constexpr char kRsaSignature[] =
    "13fcdf34eae0d570a6844a9706e9d31bba1771237b97b47dc4620bef2efd45e48eeb4dd6e0"
    "b46e266fe24fa5cfcb734fedd97f96423d8da71cc998de9e80358c7ed1623ea1dee00ea61a"
    "d08a384fa959db802de600a7715134eac11f932789f07f5c0aa4cea865c6fd9dba671637c7"
    "704344e281cb5afe6972af22efad8678ff588374a2e6668bd95d6f77abe3e023fbfcc19c6f"
    "93bdc6719405c93b31d3a3ab4dd7349f9637f8e55579668d24a001f417dae04ebbe5e1194b"
    "bb29ec2bae81c93ac2acf6d983cf5e720ddb5d18036796bf7294d4d462eb612b5851cd26c5"
    "f2afedc7cb43180176a4d1fd5166cf988bba6c61551cd90f3457accf1fdaf398f936ce78b0"
    "a396bb7ba7363f5e13df72a65b2635f1e6abb4b7e77f3b4e5c7472f0f67a439e39ca36514e"
    "616ef86fcdc3813a84e1d4a18bd603d0951f20134c0341edffd37fc4622b5196fde72f22c2"
    "235bfa7831693fb289e9a5bde0cba4eddeb0fceeacd1bb2d08883800238573ffcba2e1c5d5"
    "5721a1618bd93f06af95a1ec2c2c";

std::string Document() { return CanonicalJson(kDocument).value(); }

TEST(KeyTest, VerifiesWhatTheReferenceSigned) {
  EXPECT_TRUE(VerifySignature(ParseKey(kEcdsaKey).value(), Document(),
                              absl::HexStringToBytes(kEcdsaSignature))
                  .ok());
  EXPECT_TRUE(VerifySignature(ParseKey(kRsaKey).value(), Document(),
                              absl::HexStringToBytes(kRsaSignature))
                  .ok());
}

TEST(KeyTest, KeyIdsAreThoseOfTheReference) {
  EXPECT_EQ(KeyId(ParseKey(kEcdsaKey).value()), kEcdsaKeyId);
  EXPECT_EQ(KeyId(ParseKey(kRsaKey).value()), kRsaKeyId);
}

TEST(KeyTest, VerifiesEd25519OfRfc8032) {
  // RFC 8032, section 7.1, test 2.
  const Key key{
      "ed25519", "ed25519",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"};
  const std::string signature = absl::HexStringToBytes(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(VerifySignature(key, "\x72", signature).ok());
  EXPECT_FALSE(VerifySignature(key, "\x73", signature).ok());
}

TEST(KeyTest, OneEcdsaKeyInEveryEncodingIsOneKey) {
  const Key pem = ParseKey(kEcdsaKey).value();
  const Key point{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", kEcdsaPoint};
  EXPECT_TRUE(VerifySignature(point, Document(),
                              absl::HexStringToBytes(kEcdsaSignature))
                  .ok());
  EXPECT_EQ(KeyFingerprint(pem).value(), KeyFingerprint(point).value());
  EXPECT_NE(KeyId(pem), KeyId(point));
  EXPECT_NE(KeyFingerprint(pem).value(),
            KeyFingerprint(ParseKey(kRsaKey).value()).value());
}

TEST(KeyTest, UnknownMembersSurvive) {
  const std::string json =
      R"({"keytype":"ed25519","scheme":"ed25519","x-note":"a\nb",)"
      R"("keyval":{"public":"00","private":""}})";
  const Key key = ParseKey(json).value();
  EXPECT_EQ(CanonicalJson(KeyToJson(key)).value(), CanonicalJson(json).value());
}

TEST(KeyTest, UnknownKindsAreKeptAndVerifyNothing) {
  const Key key =
      ParseKey(R"({"keytype":"new","scheme":"newer","keyval":{"public":"?"}})")
          .value();
  const absl::Status status = VerifySignature(key, "a", "b");
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataBadSignature);
  EXPECT_THAT(std::string(status.message()), HasSubstr("not supported"));
  EXPECT_FALSE(KeyFingerprint(key).ok());
}

// As in repositories of Sigstore: identities instead of a public key.
TEST(KeyTest, UnknownKindsNeedNoPublicKey) {
  for (const char* json :
       {R"({"keytype":"sigstore-oidc","scheme":"Fulcio","x":1,"keyval":)"
        R"({"identity":"a@example.com","issuer":"https://example.com"}})",
        R"({"keytype":"new","scheme":"newer","keyval":{}})",
        R"({"keytype":"new","scheme":"newer","keyval":{"public":[1]}})"}) {
    const Key key = ParseKey(json).value();
    EXPECT_EQ(key.public_key, "");
    EXPECT_EQ(CanonicalJson(KeyToJson(key)).value(),
              CanonicalJson(json).value());
    EXPECT_EQ(HResultOf(VerifySignature(key, "a", "b")),
              hr::kWuEMetadataBadSignature);
    EXPECT_FALSE(KeyFingerprint(key).ok());
  }
  // Two identities are two keys.
  const auto id = [](const std::string& who) {
    return KeyId(ParseKey(R"({"keytype":"new","scheme":"s","keyval":{"who":")" +
                          who + R"("}})")
                     .value());
  };
  EXPECT_NE(id("a"), id("b"));
}

TEST(KeyTest, RefusesBadKeyMaterial) {
  const std::string point = kEcdsaPoint;
  const Key rsa = ParseKey(kRsaKey).value();
  const std::string off_curve =
      absl::StrReplaceAll(point, {{"04f27b", "04f27c"}});
  for (const Key& key :
       {Key{"ed25519", "ed25519", "00"},
        Key{"ed25519", "ed25519", std::string(64, 'x')},
        Key{"ecdsa", "ecdsa-sha2-nistp256", point.substr(2)},
        Key{"ecdsa", "ecdsa-sha2-nistp256", off_curve},
        Key{"ecdsa", "ecdsa-sha2-nistp256", "-----BEGIN PUBLIC KEY-----\n"},
        Key{"ecdsa", "ecdsa-sha2-nistp256", rsa.public_key},
        Key{"rsa", "rsassa-pss-sha256", ""},
        Key{"rsa", "rsassa-pss-sha256",
            ParseKey(kEcdsaKey).value().public_key}}) {
    EXPECT_EQ(HResultOf(KeyFingerprint(key).status()),
              hr::kWuEMetadataBadSignature)
        << key.public_key;
    EXPECT_FALSE(VerifySignature(key, Document(),
                                 absl::HexStringToBytes(kEcdsaSignature))
                     .ok());
  }
}

TEST(KeyTest, RefusesMalformedObjects) {
  for (const char* json :
       {"[]", "{}", R"({"keytype":1,"scheme":"a","keyval":{"public":"a"}})",
        R"({"keytype":"a","scheme":"a","keyval":"a"})",
        R"({"keytype":"ed25519","scheme":"a","keyval":{}})",
        R"({"keytype":"rsa","scheme":"a","keyval":{"public":1}})"}) {
    EXPECT_EQ(HResultOf(ParseKey(json).status()),
              hr::kWuEMetadataSignatureVerifyFailed)
        << json;
  }
}

}  // namespace
}  // namespace usher::tuf
