#include "common/tuf/canonical_json.h"

#include <string>

#include "common/error.h"
#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

TEST(CanonicalJsonTest, SortsAndStripsWhiteSpace) {
  EXPECT_EQ(CanonicalJson(" {\"b\" : [1, -2, true, null], \"a\": {}, "
                          "\"B\":[] }\n")
                .value(),
            R"({"B":[],"a":{},"b":[1,-2,true,null]})");
}

TEST(CanonicalJsonTest, EscapesOnlyQuoteAndBackslash) {
  EXPECT_EQ(CanonicalJson(R"("\u0001\n\t\"\\\/\u00e9")").value(),
            "\"\x01\n\t\\\"\\\\/\xC3\xA9\"");
}

TEST(CanonicalJsonTest, SortsByCodePoint) {
  // U+FF5E comes before U+1F600, although not in UTF-16.
  EXPECT_EQ(
      CanonicalJson("{\"\xF0\x9F\x98\x80\":1,\"\xEF\xBD\x9E\":2}").value(),
      "{\"\xEF\xBD\x9E\":2,\"\xF0\x9F\x98\x80\":1}");
}

TEST(CanonicalJsonTest, TakesTheLargestInteger) {
  EXPECT_EQ(CanonicalJson("9223372036854775807").value(),
            "9223372036854775807");
}

TEST(CanonicalJsonTest, RefusesWhatHasNoCanonicalForm) {
  for (const std::string& text :
       {std::string("1.5"), std::string("1e3"), std::string("1.0"),
        std::string("9223372036854775808"),
        std::string("123456789012345678901234567890"), std::string("{\"a\":1"),
        std::string("{} {}"), std::string(""), std::string("\"\xFF\""),
        std::string(R"({"a":1,"a":1})"), std::string(R"({"a":1,"\u0061":2})"),
        std::string(33, '[') + std::string(33, ']'),
        std::string(1000000, '[')}) {
    EXPECT_EQ(HResultOf(CanonicalJson(text).status()),
              hr::kWuEMetadataSignatureVerifyFailed)
        << text.substr(0, 40);
  }
  EXPECT_TRUE(CanonicalJson(std::string(32, '[') + std::string(32, ']')).ok());
}

}  // namespace
}  // namespace usher::tuf
