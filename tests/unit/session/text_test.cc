#include "service/session/text.h"

#include <string>

#include "gtest/gtest.h"
#include "service/session/history_api.h"

namespace usher::session {
namespace {

TEST(TextTest, TextMustBeUtf8WithoutControlCharacters) {
  EXPECT_TRUE(CheckText("Kasse №1 — déjà vu 🙂", 256, "f").ok());
  for (const std::string& bad :
       {std::string("\xC0\x80"), std::string("\xED\xA0\x80"),
        std::string("\xF4\x90\x80\x80"), std::string("\xE2\x82"),
        std::string("a\x7F"), std::string("\xC2\x85"), std::string(1, '\0')}) {
    EXPECT_FALSE(CheckText(bad, 256, "f").ok());
  }
  EXPECT_TRUE(CheckText("abc", 3, "f").ok());
  EXPECT_FALSE(CheckText("abcd", 3, "f").ok());
}

TEST(TextTest, Locales) {
  for (const char* good : {"en", "pt-BR", "zh-Hant-TW", "de-1996", "ast"}) {
    EXPECT_TRUE(CheckLocale(good, "f").ok()) << good;
  }
  for (const char* bad : {"", "e", "en_US", "en-", "-en", "en--US",
                          "toolonglanguage", "1en", "en-toolongpart"}) {
    EXPECT_FALSE(CheckLocale(bad, "f").ok()) << bad;
  }
}

TEST(TextTest, ProxyAddresses) {
  for (const char* good : {"", "proxy:3128", "http://proxy.example.org:80",
                           "socks5h://10.0.0.1:1080", "[::1]:3128"}) {
    EXPECT_TRUE(CheckProxyAddress(good, "f").ok()) << good;
  }
  for (const char* bad :
       {"proxy", "proxy:0", "proxy:70000", "ftp://proxy:1", "http://:80",
        "http://user@proxy:80", "http://proxy:80/path", "a b:1", ":1"}) {
    EXPECT_FALSE(CheckProxyAddress(bad, "f").ok()) << bad;
  }
}

TEST(TextTest, BypassEntries) {
  for (const char* good : {"localhost", "*.example.com", "10.0.0.1", "::1"}) {
    EXPECT_TRUE(CheckBypassEntry(good, "f").ok()) << good;
  }
  for (const char* bad : {"", "*", "a b", "*.", "x/y"}) {
    EXPECT_FALSE(CheckBypassEntry(bad, "f").ok()) << bad;
  }
}

TEST(TextTest, HistoryCriteria) {  // UAMG-208, 209
  const std::string id = "22222222-2222-4222-8222-000000000001";
  EXPECT_EQ(*ParseHistoryCriteria(" "), "");
  EXPECT_EQ(*ParseHistoryCriteria("updateid = '" + id + "'"), id);
  for (const std::string& bad :
       {std::string("Title='x'"), "UpdateID!='" + id + "'",
        std::string("UpdateID='x'"), "UpdateID='" + id + "' or 1",
        "UpdateID=" + id}) {
    EXPECT_FALSE(ParseHistoryCriteria(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace usher::session
