#include "publisher/pkcs11_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/error.h"

namespace usher::publisher {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Pkcs11UriTest, IsRecognisedByItsScheme) {
  EXPECT_TRUE(IsPkcs11Uri("pkcs11:token=a;object=b"));
  EXPECT_TRUE(IsPkcs11Uri("pkcs11:"));
  EXPECT_FALSE(IsPkcs11Uri("keys/pkcs11:token"));
  EXPECT_FALSE(IsPkcs11Uri("PKCS11.pem"));
  EXPECT_FALSE(IsPkcs11Uri("-----BEGIN PRIVATE KEY-----"));
  EXPECT_FALSE(IsPkcs11Uri(""));
}

TEST(Pkcs11UriTest, IsTakenApart) {
  const auto uri = ParsePkcs11Uri(
      "pkcs11:token=Signing%20keys;id=%01%ab;type=private"
      "?pin-source=file:/etc/pin&module-path=/usr/lib/m.so");
  ASSERT_TRUE(uri.ok()) << uri.status();
  EXPECT_EQ(uri->name, "pkcs11:token=Signing%20keys;id=%01%ab;type=private");
  EXPECT_EQ(uri->token, "Signing keys");
  EXPECT_EQ(uri->serial, "");
  EXPECT_EQ(uri->pin_source, "file:/etc/pin");
  EXPECT_EQ(uri->pin_value, "");
  EXPECT_EQ(uri->module_path, "/usr/lib/m.so");
}

TEST(Pkcs11UriTest, NamesThePrivateKeyAndNoSecret) {
  const auto uri =
      ParsePkcs11Uri("pkcs11:serial=12;object=root?pin-value=12%3034");
  ASSERT_TRUE(uri.ok()) << uri.status();
  EXPECT_EQ(uri->name, "pkcs11:serial=12;object=root;type=private");
  EXPECT_EQ(uri->serial, "12");
  EXPECT_EQ(uri->pin_value, "12034");
}

struct Bad {
  const char* uri;
  const char* said;
};

class BadPkcs11UriTest : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPkcs11UriTest, IsRefusedWithTheReason) {
  const absl::Status status = ParsePkcs11Uri(GetParam().uri).status();
  EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().said));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("9876")));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPkcs11UriTest,
    ::testing::Values(
        Bad{"token=a;object=b", "begin with"}, Bad{"pkcs11:", "names no token"},
        Bad{"pkcs11:object=b", "names no token"},
        Bad{"pkcs11:token=a?pin-value=9876", "names no key"},
        Bad{"pkcs11:token=a;object=b;type=cert", "type=private"},
        Bad{"pkcs11:token=a;token=b;object=c", "token twice"},
        Bad{"pkcs11:token=a;object=", "empty object"},
        Bad{"pkcs11:token=a;object=b;", "attribute"},
        Bad{"pkcs11:token=a;object=b;slot-id=1", "slot-id"},
        Bad{"pkcs11:token=a;object=b;pin-value=9876", "pin-value"},
        Bad{"pkcs11:token=a;object=b?pin-value=9876&pin-source=f", "both"},
        Bad{"pkcs11:token=a;object=b?pin-value=9876%", "hexadecimal"},
        Bad{"pkcs11:token=a;object=b%0", "hexadecimal"},
        Bad{"pkcs11:token=a;object=b%0g", "hexadecimal"},
        Bad{"pkcs11:token=a b;object=c", "%XX"},
        Bad{"pkcs11:token=a;object=c%00d", "zero byte"}));

TEST(Pkcs11UriTest, HasALimit) {
  EXPECT_FALSE(
      ParsePkcs11Uri("pkcs11:token=a;object=" + std::string(5000, 'x')).ok());
}

}  // namespace
}  // namespace usher::publisher
