// What a session does when its connection breaks again and again, and what it
// brings along when it attaches anew.

#include <string>

#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/session_fixture.h"
#include "usher/usher.h"

namespace usher {
namespace {

using ::testing::HasSubstr;

class ReconnectTest : public testing::SessionFixture {
 protected:
  static WebProxy Proxy() {
    WebProxy proxy;
    proxy.auto_detect = false;
    proxy.address = "proxy:3128";
    proxy.user_name = "me";
    proxy.password = "secret";
    return proxy;
  }

  // The service is started again and has kept sessions but no password.
  void Restart() {
    service_.Stop();
    service_.ForgetProxyPassword();
    service_.Start();
  }
};

TEST_F(ReconnectTest, SearchThatAlwaysBreaksIsGivenUp) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  service_.BreakSearches(/*after_first_update=*/true);
  const absl::Status status = searcher.Search("").status();
  EXPECT_EQ(HResultOf(status), hr::kWuENoService);
  EXPECT_THAT(std::string(status.message()), HasSubstr("3 times"));
  EXPECT_EQ(service_.search_count(), 3);
}

TEST_F(ReconnectTest, SearchEachThatAlwaysBreaksIsGivenUp) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  service_.BreakSearches(/*after_first_update=*/false);
  const auto any = [](const Update&) { return true; };
  EXPECT_EQ(HResultOf(searcher.SearchEach("", any).status()),
            hr::kWuENoService);
  EXPECT_EQ(service_.search_count(), 3);
}

TEST_F(ReconnectTest, SearchEachDoesNotRepeatWhatItHandedOn) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  service_.BreakSearches(/*after_first_update=*/true);
  int seen = 0;
  const auto count = [&seen](const Update&) {
    ++seen;
    return true;
  };
  EXPECT_EQ(HResultOf(searcher.SearchEach("", count).status()),
            hr::kWuENoService);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(service_.search_count(), 1);
}

TEST_F(ReconnectTest, EndSearchThatAlwaysBreaksIsGivenUp) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  const SearchJob job = *searcher.BeginSearch("", {});
  service_.Complete(job.Name());
  service_.BreakSearches(/*after_first_update=*/true);
  EXPECT_EQ(HResultOf(searcher.EndSearch(job).status()), hr::kWuENoService);
  EXPECT_EQ(service_.search_count(), 3);
}

TEST_F(ReconnectTest, PasswordOfTheProxyIsSentAgain) {
  UpdateSession session = Open();
  ASSERT_TRUE(session.SetWebProxy(Proxy()).ok());
  EXPECT_EQ(service_.session().web_proxy().password(), "secret");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(service_.WaitForWatchers(1, 0));
    Restart();
    ASSERT_TRUE(session.ListSessions().ok());
    EXPECT_EQ(service_.session().web_proxy().password(), "secret");
    EXPECT_EQ(service_.session().web_proxy().address(), "proxy:3128");
  }
}

TEST_F(ReconnectTest, PasswordIsForOurProxyOnly) {
  UpdateSession session = Open();
  ASSERT_TRUE(session.SetWebProxy(Proxy()).ok());
  ASSERT_TRUE(service_.WaitForWatchers(1, 0));
  v1::WebProxy other;
  other.set_address("elsewhere:3128");
  service_.SetProxy(other);
  for (int i = 0; i < 2; ++i) {
    Restart();
    ASSERT_TRUE(session.ListSessions().ok());
    ASSERT_TRUE(service_.WaitForWatchers(1, 0));
    EXPECT_EQ(service_.session().web_proxy().address(), "elsewhere:3128");
    EXPECT_EQ(service_.session().web_proxy().password(), "");
  }
}

TEST_F(ReconnectTest, FirstOpenLeavesTheProxyOfOthersAlone) {
  UpdateSession first = Open();
  ASSERT_TRUE(first.SetWebProxy(Proxy()).ok());
  const UpdateSession second = Open();
  EXPECT_TRUE(second.Attached());
  EXPECT_EQ(second.GetWebProxy().address, "proxy:3128");
  EXPECT_EQ(service_.session().web_proxy().password(), "secret");
}

TEST_F(ReconnectTest, ServiceThatClosesTheConnectionMayBeFull) {
  service_.RefuseConnections();
  const absl::Status status = UpdateSession::Open(Options()).status();
  EXPECT_EQ(HResultOf(status), hr::kWuENoService);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("limits.connections_per_user"));
}

}  // namespace
}  // namespace usher
