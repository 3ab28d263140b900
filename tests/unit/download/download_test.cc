// Downloads from servers that behave.

#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "tests/unit/download/world.h"

namespace usher::download {
namespace {

using ::testing::HasSubstr;

std::string Ok(size_t length, absl::string_view more = "") {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", length, "\r\n",
                      more, "\r\n");
}

class DownloadTest : public testing::Test {
 protected:
  TempFolder state_;
  TempFolder site_;
};

TEST_F(DownloadTest, FetchesVerifiesAndCaches) {
  const std::string content = Noise(size_t{3} * 1024 * 1024 + 17, 1);
  WriteText(site_.path() / "file", content);
  const Nginx nginx(site_.path());
  World world(state_.path());
  const std::shared_ptr<Recorder> recorder =
      world.Fetch(nginx.Url("/file"), content);
  const absl::Status status = recorder->Wait();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(world.Cached(content), content);
  EXPECT_FALSE(world.HasPartial(content));
  const std::vector<int64_t> progress = recorder->progress();
  ASSERT_FALSE(progress.empty());
  EXPECT_EQ(progress.back(), static_cast<int64_t>(content.size()));
  EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
}

TEST_F(DownloadTest, WhatIsCachedNeedsNoServer) {
  const std::string content = Noise(1000, 2);
  WriteText(site_.path() / "file", content);
  World world(state_.path());
  std::string url;
  {
    const Nginx nginx(site_.path());
    url = nginx.Url("/file");
    ASSERT_TRUE(world.Get(url, content).ok());
  }
  EXPECT_TRUE(world.Get(url, content).ok());
}

TEST_F(DownloadTest, FetchesAnEmptyFile) {
  World world(state_.path());
  ASSERT_TRUE(world.Get("http://127.0.0.1:1/empty", "").ok());
  EXPECT_TRUE(world.cache().Contains(Sha256Of("")));
}

TEST_F(DownloadTest, FetchesManyAtOnce) {
  std::vector<std::string> contents;
  for (unsigned i = 0; i < 40; ++i) {
    contents.push_back(Noise(20000 + i, i));
    WriteText(site_.path() / absl::StrCat(i), contents.back());
  }
  const Nginx nginx(site_.path());
  World world(state_.path());
  std::vector<std::shared_ptr<Recorder>> recorders;
  for (unsigned i = 0; i < 40; ++i) {
    recorders.push_back(
        world.Fetch(nginx.Url(absl::StrCat("/", i)), contents[i]));
  }
  for (unsigned i = 0; i < 40; ++i) {
    EXPECT_TRUE(recorders[i]->Wait().ok());
    EXPECT_TRUE(world.cache().Contains(Sha256Of(contents[i])));
  }
}

TEST_F(DownloadTest, CopiesAFileUrl) {
  const std::string content = Noise(size_t{10} * 1024 * 1024 + 5, 3);
  WriteText(site_.path() / "a file", content);
  World world(state_.path());
  const absl::Status status = world.Get(
      absl::StrCat("file://", site_.path().string(), "/a%20file"), content);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(world.Cached(content), content);
}

TEST_F(DownloadTest, FileUrlFaultsAreNamed) {
  World world(state_.path());
  WriteText(site_.path() / "file", "other");
  const std::string base = absl::StrCat("file://", site_.path().string());
  EXPECT_EQ(HResultOf(world.Get(base + "/absent", "right")),
            hr::kErrorFileNotFound);
  EXPECT_EQ(HResultOf(world.Get(base + "/file", "right")),
            hr::kWuEDmIncorrectfilehash);
  EXPECT_EQ(HResultOf(world.Get(base + "/file", "longer")),
            hr::kWuEDmIncorrectfilehash);
  EXPECT_EQ(HResultOf(world.Get(base, "right")), hr::kWuEInvalidFile);
  EXPECT_EQ(HResultOf(world.Get("file://elsewhere/x", "right")),
            hr::kWuEBadFileUrl);
  EXPECT_FALSE(world.HasPartial("right"));
}

TEST_F(DownloadTest, ResumesAfterTheEngineWasStopped) {
  const std::string content = Noise(size_t{4} * 1024 * 1024, 4);
  const size_t half = content.size() / 2;
  RawServer server(
      [&](RawConnection& connection, const std::string&, int number) {
        if (number == 0) {
          connection.Send(Ok(content.size(), "ETag: \"v1\"\r\n") +
                          content.substr(0, half));
          connection.WaitForClose();
          return;
        }
        connection.Send(absl::StrCat(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ", half, "-",
            content.size() - 1, "/", content.size(), "\r\nContent-Length: ",
            content.size() - half, "\r\n\r\n", content.substr(half)));
      });
  {
    World world(state_.path());
    const std::shared_ptr<Recorder> recorder =
        world.Fetch(server.Url("/file"), content);
    ASSERT_TRUE(recorder->WaitForBytes(static_cast<int64_t>(half)));
    world.StopEngine();
    EXPECT_EQ(HResultOf(recorder->Wait()), hr::kWuEServiceStop);
    EXPECT_TRUE(world.HasPartial(content));
  }
  World world(state_.path());
  const std::shared_ptr<Recorder> recorder =
      world.Fetch(server.Url("/file"), content);
  const absl::Status status = recorder->Wait();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(world.Cached(content), content);
  EXPECT_FALSE(world.HasPartial(content));
  ASSERT_EQ(server.connections(), 2);
  EXPECT_THAT(server.Heads()[1],
              HasSubstr(absl::StrCat("Range: bytes=", half, "-\r\n")));
  EXPECT_THAT(server.Heads()[1], HasSubstr("If-Range: \"v1\"\r\n"));
  EXPECT_GE(recorder->progress().front(), static_cast<int64_t>(half));
}

TEST_F(DownloadTest, ResumesFromAnotherServer) {
  const std::string content = Noise(size_t{2} * 1024 * 1024, 5);
  WriteText(site_.path() / "file", content);
  const Nginx nginx(site_.path());
  World world(state_.path());
  WriteText(world.cache().PartialPath(Sha256Of(content)),
            content.substr(0, 1500000));
  ASSERT_TRUE(world.Get(nginx.Url("/file"), content).ok());
  EXPECT_EQ(world.Cached(content), content);
  EXPECT_EQ(nginx.AccessLog(), "GET /file 206\n");
}

TEST_F(DownloadTest, CompletePartialNeedsNoServer) {
  const std::string content = Noise(100000, 6);
  World world(state_.path());
  WriteText(world.cache().PartialPath(Sha256Of(content)), content);
  ASSERT_TRUE(world.Get("http://127.0.0.1:1/file", content).ok());
  EXPECT_EQ(world.Cached(content), content);
}

TEST_F(DownloadTest, StalePartialIsReplaced) {
  const std::string content = Noise(200000, 7);
  WriteText(site_.path() / "file", content);
  const Nginx nginx(site_.path());
  World world(state_.path());
  for (const size_t length : {100000, 200000, 300000}) {
    SCOPED_TRACE(length);
    WriteText(world.cache().PartialPath(Sha256Of(content)), Noise(length, 8));
    ASSERT_TRUE(world.Get(nginx.Url("/file"), content).ok());
    EXPECT_EQ(world.Cached(content), content);
    ASSERT_TRUE(world.cache().Remove(Sha256Of(content)).ok());
  }
}

TEST_F(DownloadTest, SharersAreCancelledOneByOne) {
  const std::string content = Noise(400000, 9);
  absl::Notification go_on;
  RawServer server([&](RawConnection& connection, const std::string&, int) {
    connection.Send(Ok(content.size()) + content.substr(0, 200000));
    go_on.WaitForNotification();
    connection.Send(content.substr(200000));
  });
  World world(state_.path());
  CancellationToken cancel_first;
  const auto first = world.Fetch(server.Url("/a"), content, cancel_first);
  const auto second = world.Fetch(server.Url("/b"), content);
  ASSERT_TRUE(first->WaitForBytes(200000));
  cancel_first.Cancel();
  EXPECT_EQ(HResultOf(first->Wait()), hr::kWuECallCancelled);
  go_on.Notify();
  EXPECT_TRUE(second->Wait().ok());
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(world.Cached(content), content);
}

TEST_F(DownloadTest, CancelledFetchStopsAndGoesOnLater) {
  const std::string content = Noise(400000, 10);
  RawServer server(
      [&](RawConnection& connection, const std::string& head, int) {
        if (absl::StrContains(head, "Range: bytes=200000-")) {
          connection.Send(absl::StrCat(
              "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes "
              "200000-399999/400000\r\nContent-Length: 200000\r\n\r\n",
              content.substr(200000)));
          return;
        }
        connection.Send(Ok(content.size()) + content.substr(0, 200000));
        connection.WaitForClose();
      });
  World world(state_.path());
  CancellationToken cancel;
  const auto first = world.Fetch(server.Url("/a"), content, cancel);
  ASSERT_TRUE(first->WaitForBytes(200000));
  cancel.Cancel();
  // Comes while the first is being put away.
  const auto second = world.Fetch(server.Url("/a"), content);
  EXPECT_EQ(HResultOf(first->Wait()), hr::kWuECallCancelled);
  EXPECT_TRUE(second->Wait().ok());
  EXPECT_EQ(world.Cached(content), content);
}

TEST_F(DownloadTest, CancelledBeforehandNeverStarts) {
  World world(state_.path());
  CancellationToken cancel;
  cancel.Cancel();
  EXPECT_EQ(HResultOf(world.Fetch("http://127.0.0.1:1/x", "x", cancel)->Wait()),
            hr::kWuECallCancelled);
}

TEST_F(DownloadTest, SharerWithAnotherSourceGoesOn) {
  const std::string content = Noise(5000, 11);
  WriteText(site_.path() / "file", content);
  const Nginx nginx(site_.path());
  absl::Notification both;
  RawServer server([&](RawConnection& connection, const std::string&, int) {
    both.WaitForNotification();
    connection.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  World world(state_.path());
  const auto first = world.Fetch(server.Url("/file"), content);
  const auto second = world.Fetch(nginx.Url("/file"), content);
  both.Notify();
  EXPECT_EQ(HResultOf(first->Wait()), hr::kWuEPtHttpStatusNotFound);
  EXPECT_TRUE(second->Wait().ok());
}

TEST_F(DownloadTest, HigherPriorityGoesFirst) {
  absl::Notification queued;
  RawServer server(
      [&](RawConnection& connection, const std::string& head, int) {
        queued.WaitForNotification();
        connection.Send(
            absl::StrCat(Ok(1, "Connection: close\r\n"), head.substr(5, 1)));
      });
  DownloadEngine::Options options = World::QuickOptions();
  options.max_transfers = 1;
  World world(state_.path(), options);
  std::vector<std::shared_ptr<Recorder>> recorders;
  recorders.push_back(world.Fetch(server.Url("/f"), "f"));
  // The first has the only place when the others come.
  while (server.connections() == 0) absl::SleepFor(absl::Milliseconds(1));
  recorders.push_back(world.Fetch(server.Url("/l"), "l", {}, 1));
  recorders.push_back(world.Fetch(server.Url("/n"), "n", {}, 2));
  recorders.push_back(world.Fetch(server.Url("/e"), "e", {}, 4));
  recorders.push_back(world.Fetch(server.Url("/h"), "h", {}, 3));
  queued.Notify();
  for (const auto& recorder : recorders) EXPECT_TRUE(recorder->Wait().ok());
  std::string order;
  for (const std::string& head : server.Heads()) order += head[5];
  EXPECT_EQ(order, "fehnl");
}

TEST_F(DownloadTest, HoldsToTheLimitForAHost) {
  absl::Mutex mutex;
  int now = 0;
  int most = 0;
  RawServer server(
      [&](RawConnection& connection, const std::string& head, int number) {
        {
          absl::MutexLock lock(&mutex);
          most = std::max(most, ++now);
          // The first two leave only when both are there.
          if (number < 2) {
            const auto both = [&most] { return most >= 2; };
            mutex.AwaitWithTimeout(absl::Condition(&both), absl::Seconds(10));
          }
          --now;
        }
        connection.Send(
            absl::StrCat(Ok(1, "Connection: close\r\n"), head.substr(5, 1)));
      });
  DownloadEngine::Options options = World::QuickOptions();
  options.max_connections_per_host = 2;
  World world(state_.path(), options);
  std::vector<std::shared_ptr<Recorder>> recorders;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    recorders.push_back(world.Fetch(server.Url(absl::StrCat("/", name)), name));
  }
  for (const auto& recorder : recorders) EXPECT_TRUE(recorder->Wait().ok());
  EXPECT_EQ(most, 2);
}

TEST_F(DownloadTest, FollowsRedirects) {
  WriteText(site_.path() / "file", "content");
  const Nginx nginx(site_.path());
  RawServer server([&](RawConnection& connection, const std::string&, int) {
    connection.Send(
        absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", nginx.Url("/file"),
                     "\r\nContent-Length: 0\r\n\r\n"));
  });
  World world(state_.path());
  const absl::Status status = world.Get(server.Url("/x"), "content");
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(DownloadTest, GoesThroughAProxy) {
  WriteText(site_.path() / "file", "through a proxy");
  const Nginx nginx(site_.path());
  TempFolder work;
  const int port = FreePort();
  WriteText(work.path() / "conf",
            absl::StrCat("Port ", port,
                         "\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n"
                         "BasicAuth someone secret\nLogLevel Connect\nLogFile "
                         "\"",
                         (work.path() / "log").string(), "\"\n"));
  const ChildProcess proxy(
      {"tinyproxy", "-d", "-c", (work.path() / "conf").string()});
  ASSERT_TRUE(WaitForPort(port));
  World world(state_.path());
  FileRequest request = RequestFor(nginx.Url("/file"), "through a proxy");
  request.proxy.address = absl::StrCat("http://127.0.0.1:", port);
  auto refused = std::make_shared<Recorder>();
  world.engine().Fetch(request, refused, {});
  EXPECT_EQ(HResultOf(refused->Wait()), hr::kWuEPtHttpStatusProxyAuthReq);
  EXPECT_EQ(nginx.AccessLog(), "");
  request.proxy.user_name = "someone";
  request.proxy.password = "secret";
  auto let_in = std::make_shared<Recorder>();
  world.engine().Fetch(request, let_in, {});
  const absl::Status status = let_in->Wait();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(nginx.AccessLog(), "GET /file 200\n");
  EXPECT_THAT(ReadText(work.path() / "log"), HasSubstr("GET"));
}

TEST_F(DownloadTest, BadProxyIsNamed) {
  World world(state_.path());
  FileRequest request = RequestFor("http://127.0.0.1:1/file", "x");
  request.proxy.address = "ftp://127.0.0.1:1";
  auto recorder = std::make_shared<Recorder>();
  world.engine().Fetch(request, recorder, {});
  EXPECT_EQ(HResultOf(recorder->Wait()), hr::kWuEInvalidProxyServer);
}

TEST_F(DownloadTest, StopAnswersEverybody) {
  RawServer server([](RawConnection& connection, const std::string&, int) {
    connection.WaitForClose();
  });
  std::vector<std::shared_ptr<Recorder>> recorders;
  {
    World world(state_.path());
    for (int i = 0; i < 20; ++i) {
      recorders.push_back(
          world.Fetch(server.Url(absl::StrCat("/", i)), absl::StrCat(i)));
    }
  }
  for (const auto& recorder : recorders) {
    EXPECT_EQ(HResultOf(recorder->Wait()), hr::kWuEServiceStop);
  }
}

}  // namespace
}  // namespace usher::download
