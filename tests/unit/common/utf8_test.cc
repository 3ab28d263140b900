#include "common/utf8.h"

#include <string>

#include "common/error.h"
#include "gtest/gtest.h"

namespace usher {
namespace {

TEST(Utf8Test, WhatIsValidStays) {
  for (const char* text :
       {"", "plain", "ß", "日本語", "😀", "\x7f", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(ValidUtf8(text), text);
    EXPECT_TRUE(IsValidUtf8(text));
  }
  EXPECT_EQ(ValidUtf8(absl::string_view("a\0b", 3)), std::string("a\0b", 3));
}

TEST(Utf8Test, WhatIsNotBecomesTheReplacementCharacter) {
  EXPECT_EQ(ValidUtf8("f\x81r"), "f\uFFFDr");
  EXPECT_EQ(ValidUtf8("\xff\xfe"), "\uFFFD\uFFFD");
  EXPECT_EQ(ValidUtf8("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(ValidUtf8("\xE0\x80\xAF"), "\uFFFD\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(ValidUtf8("\xF4\x90\x80\x80").size(), 12U);        // too large
  EXPECT_EQ(ValidUtf8("\xE6\x97"), "\uFFFD\uFFFD");            // cut short
  EXPECT_EQ(ValidUtf8("\xE6\x97x"), "\uFFFD\uFFFDx");
}

TEST(Utf8Test, TailsBeginWithACharacter) {
  EXPECT_EQ(Utf8Tail("日本語", 9), "日本語");
  EXPECT_EQ(Utf8Tail("日本語", 8), "本語");
  EXPECT_EQ(Utf8Tail("日本語", 6), "本語");
  EXPECT_EQ(Utf8Tail("日本語", 1), "");
  EXPECT_EQ(Utf8Tail("abc", 2), "bc");
  // Not text at all: at least something is left.
  EXPECT_EQ(Utf8Tail(std::string(10, '\x80'), 5).size(), 2U);
}

TEST(Utf8Test, ErrorsAreAlwaysText) {
  const absl::Status status =
      Error(hr::kEInvalidarg, "it said \xff", "/tmp/\xfe");
  EXPECT_EQ(status.message(), "it said \uFFFD");
  EXPECT_EQ(SubjectOf(status), "/tmp/\uFFFD");
  EXPECT_EQ(Annotate(status, "\xfd").message(), "\uFFFD: it said \uFFFD");
  EXPECT_EQ(AdviceOf(WithAdvice(status, "try \xfc")), "try \uFFFD");
}

}  // namespace
}  // namespace usher
