// Power cuts and full disks.

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/download/world.h"

namespace usher::download {
namespace {

namespace fs = std::filesystem;

// The command line of a process that fetches `content` from `url` into
// `folder`; its exit status is 0 or 1.
std::vector<std::string> FetchCommand(const fs::path& folder,
                                      const std::string& url,
                                      const std::string& content) {
  return {USHER_DOWNLOAD_CHILD, folder.string(), url, ToHex(Sha256Of(content)),
          absl::StrCat(content.size())};
}

class PowerCutTest : public testing::TestWithParam<const char*> {};

TEST_P(PowerCutTest, LosesNoFinishedWork) {
#ifndef USHER_FAULT_POINTS
  GTEST_SKIP() << "built without fault points";
#endif
  TempFolder state;
  TempFolder site;
  const std::string content = Noise(size_t{2} * 1024 * 1024, 20);
  WriteText(site.path() / "file", content);
  const Nginx nginx(site.path());
  ChildProcess child(FetchCommand(state.path(), nginx.Url("/file"), content),
                     {absl::StrCat("USHER_FAULT=", GetParam())});
  EXPECT_EQ(child.Wait(), -SIGKILL);
  ASSERT_EQ(nginx.AccessLog(), "GET /file 200\n");
  World world(state.path());
  EXPECT_FALSE(world.cache().Contains(Sha256Of(content)));
  EXPECT_EQ(world.cache().TotalBytes(), 0);
  ASSERT_TRUE(world.Get(nginx.Url("/file"), content).ok());
  EXPECT_EQ(world.Cached(content), content);
  EXPECT_FALSE(world.HasPartial(content));
  // The bytes were on disk; nothing was fetched again.
  EXPECT_EQ(nginx.AccessLog(), "GET /file 200\n");
}

INSTANTIATE_TEST_SUITE_P(EveryStep, PowerCutTest,
                         testing::Values("download.before_commit",
                                         "download.after_rename",
                                         "cache.before_index"));

TEST(FullDiskTest, FileSizeLimitIsAFullDisk) {
  TempFolder state;
  TempFolder site;
  const std::string content = Noise(size_t{3} * 1024 * 1024, 21);
  WriteText(site.path() / "file", content);
  const Nginx nginx(site.path());
  std::string command = "trap '' XFSZ; ulimit -f 2048; exec";
  for (const std::string& word :
       FetchCommand(state.path(), nginx.Url("/file"), content)) {
    absl::StrAppend(&command, " '", word, "'");
  }
  // The child's exit status for ERROR_DISK_FULL.
  EXPECT_EQ(ChildProcess({"sh", "-c", command}).Wait(), 3);
  World world(state.path());
  EXPECT_FALSE(world.HasPartial(content));
}

class SmallDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=4m") != 0) {
      GTEST_SKIP() << "a small file system cannot be mounted without root; "
                      "the full-disk cases are not tested here";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (!mounted_) return;
    EXPECT_EQ(umount2(folder_.path().c_str(), MNT_DETACH), 0);
  }

  TempFolder folder_;
  bool mounted_ = false;
};

TEST_F(SmallDiskTest, RefusesWhatCannotFit) {
  RawServer server([](RawConnection&, const std::string&, int) {});
  World world(folder_.path());
  const std::string content = Noise(size_t{5} * 1024 * 1024, 22);
  EXPECT_EQ(HResultOf(world.Get(server.Url("/file"), content)),
            hr::kErrorDiskFull);
  EXPECT_EQ(server.connections(), 0);
  world.StopEngine();
  EXPECT_FALSE(world.HasPartial(content));
}

TEST_F(SmallDiskTest, NoticesADiskThatFillsUp) {
  const std::string content = Noise(size_t{2} * 1024 * 1024, 23);
  RawServer server([&](RawConnection& connection, const std::string&, int) {
    connection.Send(
        absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", content.size(),
                     "\r\n\r\n", content.substr(0, 500000)));
    WriteText(folder_.path() / "filler", Noise(size_t{4} * 1024 * 1024, 24));
    connection.Send(content.substr(500000));
    connection.WaitForClose();
  });
  World world(folder_.path());
  EXPECT_EQ(HResultOf(world.Get(server.Url("/file"), content)),
            hr::kErrorDiskFull);
  EXPECT_EQ(server.connections(), 1);
  world.StopEngine();
  EXPECT_FALSE(world.HasPartial(content));
}

}  // namespace
}  // namespace usher::download
