#include "service/repository/url.h"

#include <string>

#include "common/error.h"
#include "gtest/gtest.h"

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

}  // namespace
}  // namespace usher::repository
