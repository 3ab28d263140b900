#include "service/repository/url.h"

#include <filesystem>
#include <string>

#include "common/error.h"
#include "common/file_io.h"
#include "gtest/gtest.h"
#include "tests/unit/common/temp_folder.h"

namespace usher::repository {
namespace {

TEST(UrlTest, TakesUrlsApart) {
  const UrlParts parts = ParseUrl("HTTPS://Example.COM/a?b").value();
  EXPECT_EQ(parts.scheme, "https");
  EXPECT_EQ(parts.host, "example.com");
  EXPECT_EQ(parts.port, 443);
  EXPECT_EQ(ParseUrl("http://[::1]:8080/").value().host, "::1");
  EXPECT_EQ(ParseUrl("http://[::1]:8080/").value().port, 8080);
  EXPECT_EQ(ParseUrl("file:///a/b").value().scheme, "file");
}

TEST(UrlTest, RefusesWhatIsNotUsable) {
  for (const std::string& url :
       {std::string(), std::string("example.com"), std::string("/a/b"),
        std::string("ftp://example.com/"), std::string("http://"),
        std::string("http://user:password@example.com/"),
        "http://example.com/" + std::string(5000, 'a')}) {
    EXPECT_EQ(HResultOf(ParseUrl(url).status()), hr::kEInvalidarg) << url;
  }
}

TEST(UrlTest, JoinsAndEncodes) {
  EXPECT_EQ(JoinUrl("http://h/r", "metadata"), "http://h/r/metadata");
  EXPECT_EQ(JoinUrl("http://h/r/", "a b/c%?#\xC3\xA9"),
            "http://h/r/a%20b/c%25%3F%23%C3%A9");
}

TEST(UrlTest, FileUrlsNameTheirPathAgain) {
  const TempFolder folder;
  const std::filesystem::path odd =
      folder.path() / PathFromUtf8("a b%20#\xC3\xA4");
  ASSERT_TRUE(MakeDirectories(odd).ok());
  ASSERT_TRUE(WriteFileAtomically(odd / "x", "content").ok());
  const std::string url = FileUrl(odd);
  EXPECT_EQ(url.find(' '), std::string::npos);
  const auto found = FileBelow(url, JoinUrl(url, "x"));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(ReadFile(*found, 100).value_or(""), "content");
}

}  // namespace
}  // namespace usher::repository
