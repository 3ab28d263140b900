#include "service/repository/proxy.h"

#include <string>

#include "common/error.h"
#include "gtest/gtest.h"

namespace usher::repository {
namespace {

using Kind = ProxyChoice::Kind;

ProxySettings Explicit() {
  ProxySettings settings;
  settings.auto_detect = false;
  settings.address = "proxy.example:3128";
  settings.user_name = "user";
  settings.password = "secret";
  return settings;
}

Kind KindFor(const ProxySettings& settings, const std::string& url) {
  return ChooseProxy(settings, url).value().kind;
}

TEST(ProxyTest, AutoDetectIgnoresTheRest) {
  ProxySettings settings = Explicit();
  settings.auto_detect = true;
  settings.bypass_list = {"*"};
  EXPECT_EQ(ChooseProxy(settings, "http://example.com/").value(),
            ProxyChoice());
}

TEST(ProxyTest, EmptyAddressIsDirect) {
  ProxySettings settings;
  settings.auto_detect = false;
  EXPECT_EQ(KindFor(settings, "http://example.com/"), Kind::kDirect);
}

TEST(ProxyTest, GivesAddressAndCredentials) {
  const ProxyChoice choice =
      ChooseProxy(Explicit(), "https://example.com/").value();
  EXPECT_EQ(choice.kind, Kind::kProxy);
  EXPECT_EQ(choice.address, "proxy.example:3128");
  EXPECT_EQ(choice.user_name, "user");
  EXPECT_EQ(choice.password, "secret");
}

TEST(ProxyTest, BypassList) {
  ProxySettings settings = Explicit();
  settings.bypass_list = {"Example.com", "*.example.org", "192.168.*",
                          "ported.net:8080"};
  for (const char* url : {"http://example.com/", "https://EXAMPLE.COM:99/x",
                          "http://a.b.example.org/", "http://192.168.1.2/",
                          "http://ported.net:8080/"}) {
    EXPECT_EQ(KindFor(settings, url), Kind::kDirect) << url;
  }
  for (const char* url :
       {"http://a.example.com/", "http://example.org/", "http://192.169.1.2/",
        "http://ported.net/", "http://localhost/", "http://127.0.0.1/"}) {
    EXPECT_EQ(KindFor(settings, url), Kind::kProxy) << url;
  }
}

TEST(ProxyTest, BypassOnLocal) {
  ProxySettings settings = Explicit();
  settings.bypass_on_local = true;
  for (const char* url : {"http://intranet/", "http://localhost:80/",
                          "http://127.1.2.3/", "http://[::1]/"}) {
    EXPECT_EQ(KindFor(settings, url), Kind::kDirect) << url;
  }
  for (const char* url : {"http://intranet.example/", "http://10.0.0.1/",
                          "http://[2001:db8::1]/"}) {
    EXPECT_EQ(KindFor(settings, url), Kind::kProxy) << url;
  }
}

TEST(ProxyTest, RefusesBadAddresses) {
  ProxySettings settings = Explicit();
  for (const char* address :
       {"proxy", "proxy:", "proxy:0", "proxy:70000", ":3128", "ftp://proxy:1",
        "http://user:secret@proxy:1", "http://proxy:1/path"}) {
    settings.address = address;
    EXPECT_EQ(HResultOf(ChooseProxy(settings, "http://a.example/").status()),
              hr::kWuEInvalidProxyServer)
        << address;
  }
  for (const char* address :
       {"socks5h://proxy:1", "HTTP://proxy:8080", "[::1]:3128"}) {
    settings.address = address;
    EXPECT_EQ(KindFor(settings, "http://a.example/"), Kind::kProxy) << address;
  }
}

TEST(ProxyTest, NeedsAHost) {
  EXPECT_EQ(HResultOf(ChooseProxy(Explicit(), "file:///a").status()),
            hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(ChooseProxy(Explicit(), "nonsense").status()),
            hr::kEInvalidarg);
}

}  // namespace
}  // namespace usher::repository
