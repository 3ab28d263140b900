// Downloads from servers that lie, break and stall.

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/unit/download/world.h"

namespace usher::download {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class HostileTest : public testing::Test {
 protected:
  // The bytes that the disk holds under the cache for `content_`.
  int64_t PartialBytes(World& world) {
    std::error_code error;
    const auto size =
        fs::file_size(world.cache().PartialPath(Sha256Of(content_)), error);
    return error ? 0 : static_cast<int64_t>(size);
  }

  // A fetch of `content_` from a server with `handler` fails with `expected`,
  // after `connections` connections, and leaves nothing.
  void ExpectRefused(const RawServer::Handler& handler, HResult expected,
                     int connections) {
    RawServer server(handler);
    World world(state_.path());
    const absl::Status status = world.Get(server.Url("/file"), content_);
    EXPECT_EQ(FormatHResult(HResultOf(status)), FormatHResult(expected))
        << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(server.Url("/file")));
    EXPECT_EQ(server.connections(), connections);
    EXPECT_FALSE(world.cache().Contains(Sha256Of(content_)));
    EXPECT_FALSE(world.HasPartial(content_));
    world.StopEngine();
    EXPECT_FALSE(world.HasPartial(content_));
  }

  std::string Head(absl::string_view status, absl::string_view fields) {
    return absl::StrCat("HTTP/1.1 ", status, "\r\n", fields, "\r\n");
  }

  std::string Flipped() const {
    std::string flipped = content_;
    flipped[flipped.size() / 2] ^= 1;
    return flipped;
  }

  TempFolder state_;
  const std::string content_ = Noise(300000, 77);
};

TEST_F(HostileTest, FlippedByte) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(Head("200 OK", "Content-Length: 300000\r\n") +
                        Flipped());
      },
      hr::kWuEDmIncorrectfilehash, 1);
}

TEST_F(HostileTest, FlippedByteAfterAResumeIsTriedOnceMore) {
  RawServer server([this](RawConnection& connection, const std::string& head,
                          int number) {
    EXPECT_EQ(absl::StrContains(head, "Range:"), number == 0);
    connection.Send(absl::StrContains(head, "Range:")
                        ? Head("206 Partial Content",
                               "Content-Range: bytes 100000-299999/300000\r\n"
                               "Content-Length: 200000\r\n") +
                              Flipped().substr(100000)
                        : Head("200 OK", "Content-Length: 300000\r\n") +
                              Flipped());
  });
  World world(state_.path());
  WriteText(world.cache().PartialPath(Sha256Of(content_)),
            content_.substr(0, 100000));
  EXPECT_EQ(HResultOf(world.Get(server.Url("/file"), content_)),
            hr::kWuEDmIncorrectfilehash);
  EXPECT_EQ(server.connections(), 2);
  world.StopEngine();
  EXPECT_FALSE(world.HasPartial(content_));
}

TEST_F(HostileTest, AnnouncesTooMuch) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(Head("200 OK", "Content-Length: 300001\r\n") +
                        content_ + "x");
      },
      hr::kWuEDmIncorrectfilehash, 1);
}

TEST_F(HostileTest, AnnouncesTooLittle) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(Head("200 OK", "Content-Length: 299999\r\n") +
                        content_.substr(0, 299999));
      },
      hr::kWuEDmIncorrectfilehash, 1);
}

TEST_F(HostileTest, NeverEnds) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(Head("200 OK", ""));
        while (connection.Send(content_)) {
        }
      },
      hr::kWuEDmIncorrectfilehash, 1);
}

TEST_F(HostileTest, NotAFile) {
  for (const auto& [status, expected] :
       std::vector<std::pair<std::string, HResult>>{
           {"404 Not Found", hr::kWuEPtHttpStatusNotFound},
           {"403 Forbidden", hr::kWuEPtHttpStatusForbidden},
           {"401 Unauthorized", hr::kWuEPtHttpStatusDenied},
           {"204 No Content", hr::kWuEPtHttpStatusNotMapped},
           {"304 Not Modified", hr::kWuEPtHttpStatusNotMapped}}) {
    SCOPED_TRACE(status);
    ExpectRefused(
        [this, line = status](RawConnection& connection, const std::string&,
                              int) {
          connection.Send(Head(line, "Content-Length: 0\r\n"));
        },
        expected, 1);
  }
}

TEST_F(HostileTest, PartThatWasNotAskedFor) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(Head("206 Partial Content",
                             "Content-Range: bytes 0-299999/300000\r\n"
                             "Content-Length: 300000\r\n") +
                        content_);
      },
      hr::kWuEDmIncorrectfilehash, 1);
}

TEST_F(HostileTest, RedirectsForEver) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        const std::string answer =
            Head("302 Found", "Location: /again\r\nContent-Length: 0\r\n");
        while (connection.Send(answer) && !connection.ReadHead().empty()) {
        }
      },
      hr::kWuEPtExceededMaxServerTrips, 1);
}

TEST_F(HostileTest, RedirectsToAFile) {
  WriteText(state_.path() / "secret", content_);
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(
            Head("302 Found", absl::StrCat("Location: file://",
                                           (state_.path() / "secret").string(),
                                           "\r\nContent-Length: 0\r\n")));
      },
      hr::kWuEDownloadFailed, 1);
}

TEST_F(HostileTest, SpeaksNonsense) {
  ExpectRefused([](RawConnection& connection, const std::string&,
                   int) { connection.Send("SSH-2.0-OpenSSH_9.2\r\n"); },
                hr::kWuEDownloadFailed, 1);
}

TEST_F(HostileTest, ServerErrorsPass) {
  RawServer server([this](RawConnection& connection, const std::string&,
                          int number) {
    const std::vector<std::string> lines = {
        "503 Unavailable", "429 Too Many Requests", "408 Request Timeout"};
    connection.Send(
        number < 3 ? Head(lines[static_cast<size_t>(number)],
                          "Content-Length: 0\r\nConnection: close\r\n")
                   : Head("200 OK", "Content-Length: 300000\r\n") + content_);
  });
  World world(state_.path());
  EXPECT_TRUE(world.Get(server.Url("/file"), content_).ok());
  EXPECT_EQ(server.connections(), 4);
}

TEST_F(HostileTest, ServerErrorsAreNotTriedForEver) {
  ExpectRefused(
      [this](RawConnection& connection, const std::string&, int) {
        connection.Send(Head("500 Internal Server Error",
                             "Content-Length: 0\r\nConnection: close\r\n"));
      },
      hr::kWuEPtHttpStatusServerError, 4);
}

// The same first part again and again is no progress, however much it is.
TEST_F(HostileTest, TheSamePartIsNotFetchedForEver) {
  const std::string content = Noise(3 << 20, 79);
  RawServer server([&](RawConnection& connection, const std::string&, int) {
    connection.Send(Head("200 OK", absl::StrCat("Content-Length: ",
                                                content.size(), "\r\n")) +
                    content.substr(0, content.size() / 2));
  });
  World world(state_.path());
  EXPECT_EQ(HResultOf(world.Get(server.Url("/file"), content)),
            hr::kWuEDownloadFailed);
  // The first counts, as it brought something; then four in a row do not.
  EXPECT_EQ(server.connections(), 4);
}

TEST_F(HostileTest, NobodyListens) {
  World world(state_.path());
  EXPECT_EQ(
      HResultOf(world.Get(
          absl::StrCat("http://127.0.0.1:", FreePort(), "/file"), content_)),
      hr::kWuEPtEndpointUnreachable);
}

TEST_F(HostileTest, BrokenConnectionGoesOnWhereItBroke) {
  RawServer server(
      [this](RawConnection& connection, const std::string&, int number) {
        if (number == 0) {
          connection.Send(Head("200 OK", "Content-Length: 300000\r\n") +
                          content_.substr(0, 100000));
          return;
        }
        connection.Send(Head("206 Partial Content",
                             "Content-Range: bytes 100000-299999/*\r\n"
                             "Content-Length: 200000\r\n") +
                        content_.substr(100000));
      });
  World world(state_.path());
  const absl::Status status = world.Get(server.Url("/file"), content_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(world.Cached(content_), content_);
  EXPECT_THAT(server.Heads()[1], HasSubstr("Range: bytes=100000-\r\n"));
}

TEST_F(HostileTest, WholeFileInsteadOfARange) {
  RawServer server([this](RawConnection& connection, const std::string& head,
                          int) {
    EXPECT_THAT(head, HasSubstr("Range: bytes=100000-\r\n"));
    connection.Send(Head("200 OK", "Content-Length: 300000\r\n") + content_);
  });
  World world(state_.path());
  WriteText(world.cache().PartialPath(Sha256Of(content_)), Noise(100000, 78));
  const absl::Status status = world.Get(server.Url("/file"), content_);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(world.Cached(content_), content_);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HostileTest, WrongRangesAreGivenUpForTheWholeFile) {
  for (const char* head : {"416 Range Not Satisfiable\r\nContent-Length: 0",
                           "206 Partial Content\r\nContent-Length: 200000\r\n"
                           "Content-Range: bytes 1-200000/300000",
                           "206 Partial Content\r\nContent-Length: 200000\r\n"
                           "Content-Range: bytes 100000-299999/300001",
                           "206 Partial Content\r\nContent-Length: 200000",
                           "206 Partial Content\r\nContent-Length: 7\r\n"
                           "Content-Range: bytes 100000-299999/300000"}) {
    SCOPED_TRACE(head);
    RawServer server(
        [&](RawConnection& connection, const std::string& request, int) {
          connection.Send(absl::StrContains(request, "Range:")
                              ? absl::StrCat(Head(head, ""), content_)
                              : Head("200 OK", "Content-Length: 300000\r\n") +
                                    content_);
        });
    World world(state_.path());
    WriteText(world.cache().PartialPath(Sha256Of(content_)),
              content_.substr(0, 100000));
    const absl::Status status = world.Get(server.Url("/file"), content_);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(server.connections(), 2);
    ASSERT_TRUE(world.cache().Remove(Sha256Of(content_)).ok());
  }
}

TEST_F(HostileTest, EndsEarlyWithoutSayingSo) {
  RawServer server([this](RawConnection& connection, const std::string&, int) {
    connection.Send(Head("200 OK", "Connection: close\r\n") +
                    content_.substr(0, 100000));
  });
  World world(state_.path());
  const absl::Status status = world.Get(server.Url("/file"), content_);
  EXPECT_EQ(HResultOf(status), hr::kWuEDmIncorrectfilehash) << status;
  EXPECT_EQ(server.connections(), 4);
  EXPECT_LE(PartialBytes(world), 100000);
}

TEST_F(HostileTest, Stalls) {
  RawServer server([this](RawConnection& connection, const std::string&,
                          int number) {
    if (number == 0) {
      connection.Send(Head("200 OK", "Content-Length: 300000\r\n") + "x");
      connection.WaitForClose();
      return;
    }
    connection.Send(Head("200 OK", "Content-Length: 300000\r\n") + content_);
  });
  World world(state_.path());
  const absl::Status status = world.Get(server.Url("/file"), content_);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HostileTest, UntrustedCertificate) {
  TempFolder site;
  WriteText(site.path() / "file", content_);
  const std::string folder = site.path().string();
  ASSERT_EQ(
      ChildProcess({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    folder + "/key", "-out", folder + "/cert", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"})
          .Wait(),
      0);
  const int port = FreePort();
  const ChildProcess server({"openssl", "s_server", "-quiet", "-WWW", "-accept",
                             absl::StrCat("127.0.0.1:", port), "-cert",
                             folder + "/cert", "-key", folder + "/key"});
  ASSERT_TRUE(WaitForPort(port));
  World world(state_.path());
  const absl::Status status =
      world.Get(absl::StrCat("https://127.0.0.1:", port, "/file"), content_);
  EXPECT_EQ(HResultOf(status), hr::kWuEDownloadFailed);
  EXPECT_THAT(std::string(status.message()), HasSubstr("certificate"));
}

TEST_F(HostileTest, RefusesUrlsThatItCannotServe) {
  World world(state_.path());
  for (const auto& [url, expected] :
       std::vector<std::pair<std::string, HResult>>{
           {"ftp://127.0.0.1/file", hr::kEInvalidarg},
           {"http://", hr::kEInvalidarg},
           {"http://h/\r\nX: y", hr::kEInvalidarg},
           {"", hr::kEInvalidarg},
           {"/etc/passwd", hr::kEInvalidarg},
           {"http://h/" + std::string(9000, 'x'), hr::kWuEUrlTooLong}}) {
    EXPECT_EQ(HResultOf(world.Get(url, content_)), expected) << url;
  }
}

TEST_F(HostileTest, NeverNamesCredentials) {
  World world(state_.path());
  const absl::Status status = world.Get(
      absl::StrCat("http://me:hidden@127.0.0.1:", FreePort(), "/file"),
      content_);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace usher::download
