#include "service/platform/process_command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/error.h"

namespace usher::platform {
namespace {

std::string Line(const std::vector<std::string>& argv) {
  const auto line = CommandLine(argv);
  return line.ok() ? *line : std::string(line.status().message());
}

HResult Refusal(const std::vector<std::string>& argv) {
  return HResultOf(CommandLine(argv).status());
}

TEST(CommandLineTest, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(Line({"C:\\a.exe", "plain", "/x", "a\\b\\"}),
            "\"C:\\a.exe\" plain /x a\\b\\");
  EXPECT_EQ(Line({"C:\\Program Files\\a.exe", "two words", ""}),
            "\"C:\\Program Files\\a.exe\" \"two words\" \"\"");
}

// The rules of CommandLineToArgvW.
TEST(CommandLineTest, DoublesBackslashesBeforeAQuote) {
  EXPECT_EQ(Line({"p", "a\"b"}), "\"p\" \"a\\\"b\"");
  EXPECT_EQ(Line({"p", "a\\\"b"}), "\"p\" \"a\\\\\\\"b\"");
  EXPECT_EQ(Line({"p", "end with \\"}), "\"p\" \"end with \\\\\"");
  EXPECT_EQ(Line({"p", "in \\the middle"}), "\"p\" \"in \\the middle\"");
}

// As msiexec wants it.
TEST(CommandLineTest, QuotesOnlyThePartAfterAPropertyName) {
  EXPECT_EQ(Line({"p", "DIR=C:\\a b", "EMPTY=", "x y=z", "A=b"}),
            "\"p\" DIR=\"C:\\a b\" EMPTY=\"\" \"x y=z\" A=b");
}

TEST(CommandLineTest, KeepsWhatAShellWouldExpand) {
  EXPECT_EQ(Line({"p", "%PATH%", "&calc", "ü"}), "\"p\" %PATH% &calc ü");
}

TEST(CommandLineTest, RefusesWhatCannotBeQuoted) {
  EXPECT_EQ(Refusal({}), hr::kEInvalidarg);
  EXPECT_EQ(Refusal({"a\"b"}), hr::kEInvalidarg);
  EXPECT_EQ(Refusal({"p", std::string("a\0b", 3)}), hr::kEInvalidarg);
}

TEST(CommandLineTest, BatchFilesTakeOnlySafeArguments) {
  EXPECT_EQ(Line({"C:\\x (1)\\setup.cmd", "/quiet", "a b"}),
            "\"C:\\x (1)\\setup.cmd\" \"/quiet\" \"a b\"");
  for (const std::string bad :
       {"a&calc", "%PATH%", "\"&calc&\"", "a|b", "a>b", "a^b", "!x!", "a\nb"}) {
    EXPECT_EQ(Refusal({"C:\\setup.bat", bad}), hr::kEInvalidarg) << bad;
    EXPECT_EQ(Refusal({"C:\\setup.CMD", bad}), hr::kEInvalidarg) << bad;
  }
  EXPECT_EQ(Refusal({"C:\\100%\\setup.bat"}), hr::kEInvalidarg);
}

TEST(CommandLineTest, KnowsBatchFiles) {
  EXPECT_TRUE(IsBatchFile("C:\\a.Cmd"));
  EXPECT_TRUE(IsBatchFile("C:\\a.bat. . "));
  EXPECT_FALSE(IsBatchFile("C:\\a.bat.exe"));
  EXPECT_FALSE(IsBatchFile("cmd"));
}

}  // namespace
}  // namespace usher::platform
