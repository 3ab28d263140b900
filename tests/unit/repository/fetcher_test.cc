#include "service/repository/fetcher.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "common/missing_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/repository/test_server.h"
#include "tests/unit/repository/test_site.h"

namespace usher::repository {
namespace {

using ::testing::HasSubstr;

class FetcherTest : public ::testing::Test {
 protected:
  FetcherTest() : server_(folder_.path()) {
    WriteText(folder_ / "a b%.txt", "content");
    options_.proxy.auto_detect = false;
  }

  absl::Status Fetch(const std::string& url, int64_t max_bytes = 1000) {
    if (fetcher_ == nullptr) fetcher_ = Fetcher::Create(options_);
    received_.clear();
    return fetcher_->Fetch(
        url, max_bytes,
        [this](absl::string_view data) {
          received_.append(data.data(), data.size());
          return absl::OkStatus();
        },
        cancel_);
  }

  TempFolder folder_;
  TestServer server_;
  Fetcher::Options options_;
  std::unique_ptr<Fetcher> fetcher_;
  CancellationToken cancel_;
  std::string received_;
};

TEST_F(FetcherTest, ReadsAFile) {
  ASSERT_TRUE(Fetch(server_.url() + "/a%20b%25.txt", 7).ok());
  EXPECT_EQ(received_, "content");
}

TEST_F(FetcherTest, HoldsTheLimit) {
  EXPECT_EQ(HResultOf(Fetch(server_.url() + "/a%20b%25.txt", 6)),
            hr::kWuEInvalidFile);
  EXPECT_EQ(received_, "");
}

TEST_F(FetcherTest, FollowsRedirectsWithinReason) {
  ASSERT_TRUE(Fetch(server_.url() + "/moved/a%20b%25.txt").ok());
  EXPECT_EQ(received_, "content");
  EXPECT_EQ(HResultOf(Fetch(server_.url() + "/loop")),
            hr::kWuEPtExceededMaxServerTrips);
  options_.base_url = "file:///etc";
  fetcher_ = nullptr;
  const absl::Status status = Fetch(server_.url() + "/to-file");
  EXPECT_EQ(HResultOf(status), hr::kWuEPtExceededMaxServerTrips);
  EXPECT_EQ(received_, "");
}

TEST_F(FetcherTest, NamesTheHttpStatus) {
  const absl::Status missing = Fetch(server_.url() + "/none");
  EXPECT_EQ(HResultOf(missing), hr::kWuEPtHttpStatusNotFound);
  EXPECT_THAT(std::string(missing.message()),
              HasSubstr(server_.url() + "/none"));
  EXPECT_TRUE(IsMissingFile(missing));
  EXPECT_TRUE(IsMissingFile(Fetch(server_.url() + "/forbidden")));
  EXPECT_TRUE(IsMissingFile(Fetch(server_.url() + "/gone")));
  const absl::Status broken = Fetch(server_.url() + "/broken");
  EXPECT_EQ(HResultOf(broken), hr::kWuEPtHttpStatusServerError);
  EXPECT_FALSE(IsMissingFile(broken));
  EXPECT_EQ(received_, "") << "an error page is not content";
}

TEST_F(FetcherTest, GivesUpOnAStalledServer) {
  options_.stall_time = absl::Seconds(1);
  WriteText(folder_ / "large", std::string(100000, 'x'));
  EXPECT_EQ(HResultOf(Fetch(server_.url() + "/slow/large", 1 << 20)),
            hr::kWuETimeOut);
}

TEST_F(FetcherTest, GivesUpAtTheDeadline) {
  WriteText(folder_ / "large", std::string(100000, 'x'));
  options_.deadline = absl::Now() + absl::Seconds(1);
  const absl::Status status = Fetch(server_.url() + "/slow/large", 1 << 20);
  EXPECT_EQ(HResultOf(status), hr::kWuETimeOut);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the server is too slow"));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(FetcherTest, CancelEndsATransferAtOnce) {
  WriteText(folder_ / "large", std::string(100000, 'x'));
  absl::Notification started;
  std::thread canceller([&] {
    started.WaitForNotification();
    cancel_.Cancel();
  });
  const auto fetcher = Fetcher::Create(options_);
  const absl::Status status = fetcher->Fetch(
      server_.url() + "/slow/large", 1 << 20,
      [&started](absl::string_view) {
        if (!started.HasBeenNotified()) started.Notify();
        return absl::OkStatus();
      },
      cancel_);
  if (!started.HasBeenNotified()) started.Notify();
  canceller.join();
  EXPECT_EQ(HResultOf(status), hr::kWuECallCancelled);
}

TEST_F(FetcherTest, SinkEndsATransfer) {
  const auto fetcher = Fetcher::Create(options_);
  EXPECT_EQ(HResultOf(fetcher->Fetch(
                server_.url() + "/a%20b%25.txt", 100,
                [](absl::string_view) {
                  return Error(hr::kErrorDiskFull, "disk full");
                },
                cancel_)),
            hr::kErrorDiskFull);
}

TEST_F(FetcherTest, NoServerIsAnError) {
  // Port 1 of the loopback address: nothing listens there.
  EXPECT_EQ(HResultOf(Fetch("http://127.0.0.1:1/a")),
            hr::kWuEPtEndpointUnreachable);
  EXPECT_EQ(HResultOf(Fetch("http://name.invalid/a")),
            hr::kWuEPtWinhttpNameNotResolved);
  EXPECT_EQ(HResultOf(Fetch("ftp://127.0.0.1/a")), hr::kEInvalidarg);
}

TEST_F(FetcherTest, UsesTheProxy) {
  // The test server answers a proxied request by its path, whatever the host.
  options_.proxy.address = server_.url();
  options_.proxy.bypass_list = {"127.0.0.1"};
  ASSERT_TRUE(Fetch("http://repository.invalid/a%20b%25.txt").ok());
  EXPECT_EQ(received_, "content");
  options_.proxy.address = "http://127.0.0.1:1";
  fetcher_ = nullptr;
  EXPECT_FALSE(Fetch("http://repository.invalid/a").ok());
  EXPECT_TRUE(Fetch(server_.url() + "/a%20b%25.txt").ok()) << "bypassed";
}

TEST_F(FetcherTest, FilesAreReadBelowTheBaseOnly) {
  WriteText(folder_ / "base/dir/file", "inside");
  WriteText(folder_ / "secret", "outside");
  std::filesystem::create_symlink(folder_ / "secret", folder_ / "base/link");
  const std::string parent = "file://" + folder_.path().string();
  options_.base_url = parent + "/base/";
  ASSERT_TRUE(Fetch(parent + "/base/dir/file").ok());
  EXPECT_EQ(received_, "inside");
  EXPECT_EQ(HResultOf(Fetch(parent + "/base/dir/file", 5)),
            hr::kWuEInvalidFile);
  EXPECT_TRUE(IsMissingFile(Fetch(parent + "/base/none")));
  EXPECT_EQ(HResultOf(Fetch(parent + "/base/dir")), hr::kWuEInvalidFile);
  for (const char* path : {"/secret", "/base/link", "/base/%2e%2e/secret",
                           "/base/..%2Fsecret", "/base/dir/..%5C..%5Csecret"}) {
    EXPECT_EQ(HResultOf(Fetch(parent + path)), hr::kEAccessdenied) << path;
    EXPECT_EQ(received_, "");
  }
}

}  // namespace
}  // namespace usher::repository
