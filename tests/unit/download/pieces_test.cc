// The small parts.

#include <set>

#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "gtest/gtest.h"
#include "service/download/file_url.h"
#include "service/download/http_fault.h"
#include "service/download/http_transfer.h"
#include "service/download/worker_pool.h"

namespace usher::download {
namespace {

TEST(FileUrlTest, NamesPaths) {
  EXPECT_EQ(PathFromFileUrl("file:///a/b").value(), "/a/b");
  EXPECT_EQ(PathFromFileUrl("FILE://LocalHost/a%20b%2f").value(), "/a b/");
  EXPECT_EQ(PathFromFileUrl("file:/a").value(), "/a");
}

TEST(FileUrlTest, RefusesTheRest) {
  for (const char* url :
       {"http://a/b", "file://host/a", "file:a", "file://", "file:///a%",
        "file:///a%0", "file:///a%zz", "file:///a%00", "file:///a?b",
        "file:///a#b", "file:///%+1", ""}) {
    EXPECT_EQ(HResultOf(PathFromFileUrl(url).status()), hr::kWuEBadFileUrl)
        << url;
  }
}

TEST(HttpFaultTest, RetriesWhatPasses) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(FaultOfHttpStatus(status, absl::ZeroDuration(), "u").remedy,
              Remedy::kRetry)
        << status;
  }
  for (const int status : {204, 301, 400, 401, 403, 404, 407, 410}) {
    EXPECT_EQ(FaultOfHttpStatus(status, absl::ZeroDuration(), "u").remedy,
              Remedy::kNone)
        << status;
  }
}

TEST(HttpFaultTest, HonoursRetryAfterWithinReason) {
  EXPECT_EQ(FaultOfHttpStatus(503, absl::Seconds(7), "u").pause,
            absl::Seconds(7));
  EXPECT_EQ(FaultOfHttpStatus(503, absl::Hours(99), "u").pause,
            absl::Minutes(5));
  EXPECT_EQ(FaultOfHttpStatus(503, -absl::Hours(99), "u").pause,
            absl::ZeroDuration());
}

TEST(HttpFaultTest, PausesGrowAndSpread) {
  std::set<absl::Duration> pauses;
  for (int i = 0; i < 50; ++i) {
    const absl::Duration third = RetryPause(3, absl::Seconds(1));
    EXPECT_GE(third, absl::Seconds(2));
    EXPECT_LE(third, absl::Seconds(4));
    pauses.insert(third);
  }
  EXPECT_GT(pauses.size(), 10U);
  EXPECT_LE(RetryPause(1000, absl::Seconds(1)), absl::Minutes(1));
}

TEST(HttpFaultTest, HidesCredentials) {
  EXPECT_EQ(RedactUrl("https://me:secret@host/a@b"), "https://host/a@b");
  EXPECT_EQ(RedactUrl("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(RedactUrl("file:///a@b"), "file:///a@b");
  EXPECT_EQ(RedactUrl("x"), "x");
}

TEST(HostOfUrlTest, SeparatesHosts) {
  EXPECT_EQ(HostOfUrl("HTTP://Example.COM/x").value(), "http://example.com:80");
  EXPECT_EQ(HostOfUrl("https://example.com:8443/").value(),
            "https://example.com:8443");
  EXPECT_EQ(HResultOf(HostOfUrl("http://me:secret@h/").status()),
            hr::kEInvalidarg);
}

TEST(StrandTest, KeepsOrderAndLetsOthersIn) {
  std::vector<int> order;
  absl::Notification begin;
  {
    WorkerPool pool(3);
    auto strand = std::make_shared<Strand>(pool);
    strand->Post([&] {
      begin.WaitForNotification();
      order.push_back(0);
      strand->PostNext([&] { order.push_back(1); });
    });
    for (int i = 2; i < 100; ++i) {
      strand->Post([&order, i] { order.push_back(i); });
    }
    begin.Notify();
    absl::Notification end;
    strand->Post([&] { end.Notify(); });
    end.WaitForNotification();
  }
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

}  // namespace
}  // namespace usher::download
