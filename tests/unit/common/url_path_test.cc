#include "common/url_path.h"

#include "gtest/gtest.h"

namespace usher {
namespace {

TEST(UrlPathTest, EncodesWhatAUrlWouldReadOtherwise) {
  EXPECT_EQ(EncodeUrlPath("targets/A-z_0.9~.usc"), "targets/A-z_0.9~.usc");
  EXPECT_EQ(EncodeUrlPath("a b/#?%/100%41"), "a%20b/%23%3F%25/100%2541");
  EXPECT_EQ(EncodeUrlPath("\xC3\xBC:@\\"), "%C3%BC%3A%40%5C");
  EXPECT_EQ(EncodeUrlPath(""), "");
}

}  // namespace
}  // namespace usher
