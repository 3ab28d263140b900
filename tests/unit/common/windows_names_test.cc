#include "common/windows_names.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace usher {
namespace {

TEST(WindowsNamesTest, RegistryKeys) {
  EXPECT_TRUE(IsRegistryKey("HKLM\\SOFTWARE\\Example"));
  EXPECT_TRUE(IsRegistryKey("HKCU\\a"));
  for (const std::string& bad : std::initializer_list<std::string>{
           std::string(""), std::string("HKLM"), std::string("HKLM\\"),
           std::string("HKCR\\x"), std::string("hklm\\x"),
           std::string("HKLM\\a\\\\b"), std::string("HKLM\\a\\"),
           std::string("HKLM\\a\nb"), std::string("HKLM\\a\0b", 8),
           "HKLM\\" + std::string(256, 'a'),
           "HKLM\\" + std::string(1100, 'a')}) {
    EXPECT_FALSE(IsRegistryKey(bad)) << bad;
  }
  EXPECT_TRUE(IsRegistryValueName(""));
  EXPECT_FALSE(IsRegistryValueName("a\nb"));
}

TEST(WindowsNamesTest, MsiCodes) {
  EXPECT_EQ(CanonicalMsiCode("{aabbccdd-0000-4000-8000-00000000000f}"),
            "{AABBCCDD-0000-4000-8000-00000000000F}");
  for (const char* bad : {"", "{}", "aabbccdd-0000-4000-8000-00000000000f",
                          "{aabbccdd-0000-4000-8000-00000000000f", "{aabbccdd}",
                          "{aabbccdd-0000-4000-8000-00000000000g}"}) {
    EXPECT_EQ(CanonicalMsiCode(bad), "") << bad;
  }
}

TEST(WindowsNamesTest, MsiProperties) {
  EXPECT_TRUE(IsMsiProperty("INSTALLDIR"));
  EXPECT_TRUE(IsMsiProperty("_A.1"));
  for (const char* bad : {"", "installdir", "1A", "A B", "A=B", "A\"", "Ä"}) {
    EXPECT_FALSE(IsMsiProperty(bad)) << bad;
  }
  EXPECT_TRUE(IsMsiPropertyValue("C:\\Program Files\\x /y=z"));
  EXPECT_TRUE(IsMsiPropertyValue(""));
  EXPECT_FALSE(IsMsiPropertyValue("a\" REBOOT=Force"));
  EXPECT_FALSE(IsMsiPropertyValue("a\nb"));
  EXPECT_FALSE(IsMsiPropertyValue(std::string(1025, 'a')));
}

TEST(WindowsNamesTest, Versions) {
  for (const char* good : {"1", "10.0", "10.0.19045", "1.2.3.65535"}) {
    EXPECT_TRUE(IsWindowsVersion(good)) << good;
  }
  for (const char* bad :
       {"", "1.", ".1", "1..2", "1.2.3.4.5", "1.a", "123456", "-1", "1 "}) {
    EXPECT_FALSE(IsWindowsVersion(bad)) << bad;
  }
}

}  // namespace
}  // namespace usher
