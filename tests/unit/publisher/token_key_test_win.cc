#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/error.h"
#include "publisher/pkcs11_uri.h"
#include "publisher/token_key.h"

namespace usher::publisher {
namespace {

TEST(TokenKeyTest, IsRefusedWithTheWayOut) {
  const auto uri = ParsePkcs11Uri("pkcs11:token=a;object=b?pin-value=9876");
  ASSERT_TRUE(uri.ok()) << uri.status();
  const absl::Status status = LoadTokenKey(*uri, "9876").status();
  EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
  EXPECT_EQ(status.message(),
            "pkcs11:token=a;object=b;type=private: keys in a token are not "
            "supported on Windows; use a key file, or sign on Linux");
}

}  // namespace
}  // namespace usher::publisher
