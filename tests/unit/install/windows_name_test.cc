#include "service/install/windows_name.h"

#include <gtest/gtest.h>

#include <string>

namespace usher::install {
namespace {

TEST(WindowsNameTest, TakesOrdinaryNames) {
  for (const char* name :
       {"a", "setup.exe", ".hidden", "größe 漢字", "con-fig", "com", "com10",
        "nullable.txt", "1.0~rc1", "a b", "consoles"}) {
    EXPECT_TRUE(IsWindowsFileName(name)) << name;
  }
}

TEST(WindowsNameTest, RefusesWhatMeansSomethingElse) {
  for (const char* name :
       {"", "a:b", "a\\b", "a/b", "a<", "a>", "a|", "a?", "a*", "a\"", "a.",
        "a ", ".", "..", "tab\there", "del\x7f"}) {
    EXPECT_FALSE(IsWindowsFileName(name)) << name;
  }
  EXPECT_FALSE(IsWindowsFileName(std::string(256, 'a')));
}

TEST(WindowsNameTest, RefusesDevices) {
  for (const char* name :
       {"CON", "nul", "NUL.txt", "aux.tar.gz", "com1", "COM9.x", "LPT0",
        "com\u00b2", "con .txt", "CONOUT$"}) {
    EXPECT_FALSE(IsWindowsFileName(name)) << name;
  }
}

}  // namespace
}  // namespace usher::install
