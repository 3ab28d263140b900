#include "service/install/msi_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/file_io.h"
#include "tests/unit/install/temp_dir.h"

namespace usher::install {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kLog[] =
    "=== Verbose logging started ===\r\n"
    "MSI (s) (10:20) [10:00:00]: Product: Example -- Error 1904. Module "
    "C:\\x.dll failed to register.\r\n"
    "CustomAction Act returned actual error code 1603\r\n"
    "Property(S): UpgradeCode = {…}\r\n"
    "=== Logging stopped ===\r\n";

std::string Utf16(const std::u16string& text) {
  std::string bytes = "\xff\xfe";
  for (const char16_t unit : text) {
    bytes.push_back(static_cast<char>(unit & 0xff));
    bytes.push_back(static_cast<char>(unit >> 8));
  }
  return bytes;
}

TEST(MsiLogTest, PicksTheLinesAboutErrors) {
  const std::string excerpt = MsiLogExcerpt(kLog);
  EXPECT_THAT(excerpt, HasSubstr("Error 1904. Module C:\\x.dll"));
  EXPECT_THAT(excerpt, HasSubstr("returned actual error code 1603"));
  EXPECT_THAT(excerpt, Not(HasSubstr("Property(S)")));
}

TEST(MsiLogTest, TakesTheEndIfThereIsNoError) {
  EXPECT_EQ(MsiLogExcerpt("one\n\ntwo\r\nthree\nfour\n"), "two | three | four");
  EXPECT_EQ(MsiLogExcerpt("Error 12 is no such code\n"),
            "Error 12 is no such code");
  EXPECT_EQ(MsiLogExcerpt(""), "");
  EXPECT_EQ(MsiLogExcerpt("\xef\xbb\xbfmarked"), "marked");
}

TEST(MsiLogTest, ReadsUtf16) {
  EXPECT_EQ(MsiLogExcerpt(Utf16(u"a\n\u00fcber \u6f22 \U0001F600\n")),
            "a | über 漢 😀");
  // Cut and lone halves are replaced, not trusted.
  EXPECT_EQ(MsiLogExcerpt(Utf16(u"a\xd83d"
                                u"b\xde00") +
                          "x"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(MsiLogTest, IsBoundedAndWholeCharacters) {
  std::string line;
  for (int i = 0; i < 400; ++i) line += "ü";
  const std::string excerpt = MsiLogExcerpt(line);
  EXPECT_LE(excerpt.size(), 400u);
  EXPECT_EQ(static_cast<unsigned char>(excerpt[0]), 0xc3);
}

TEST(MsiLogTest, ReadsTheEndOfAFile) {
  const test::TempDir dir;
  EXPECT_EQ(MsiLogFileExcerpt(dir.path() / "absent"), "");
  std::u16string text;
  for (int i = 0; i < 60000; ++i) text += u"a long line of log\n";
  text += u"Error 2753. The end\n";
  ASSERT_TRUE(WriteFileAtomically(dir.path() / "log", Utf16(text)).ok());
  EXPECT_EQ(MsiLogFileExcerpt(dir.path() / "log"), "Error 2753. The end");
}

}  // namespace
}  // namespace usher::install
