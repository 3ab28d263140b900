// What only a Unix socket has.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/transport/transport.h"
#include "tests/unit/transport/raw_client.h"

namespace usher::transport {
namespace {

using ::testing::HasSubstr;

class SocketTest : public ::testing::Test {
 protected:
  SocketTest() { options_.address = NewAddress(); }

  ListenOptions options_;
};

TEST_F(SocketTest, AStaleSocketGoesAndAnythingElseStays) {
  ASSERT_TRUE(
      MakeDirectories(std::filesystem::path(options_.address).parent_path())
          .ok());
  {
    // As a killed service leaves it.
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options_.address.c_str(),
                 sizeof(address.sun_path) - 1);
    ASSERT_EQ(
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    close(fd);
  }
  EXPECT_TRUE(Listener::Listen(options_).ok());
  std::ofstream(options_.address) << "precious";
  const absl::Status status = Listener::Listen(options_).status();
  EXPECT_EQ(HResultOf(status), hr::kEInvalidarg);
  EXPECT_THAT(std::string(status.message()), HasSubstr("not a socket"));
  EXPECT_TRUE(std::filesystem::exists(options_.address));
}

TEST_F(SocketTest, TheSocketsModeSaysWhoMayConnect) {
  for (const bool world : {true, false}) {
    options_.world_accessible = world;
    auto listener = *Listener::Listen(options_);
    struct stat status {};
    ASSERT_EQ(stat(options_.address.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, world ? 0666U : 0600U);
  }
}

TEST_F(SocketTest, TheNameGoesWithTheListener) {
  auto listener = *Listener::Listen(options_);
  EXPECT_TRUE(std::filesystem::exists(options_.address));
  listener->Stop();
  EXPECT_FALSE(std::filesystem::exists(options_.address));
}

// This process's epoll sets.
std::set<int> EpollSets() {
  std::set<int> sets;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) ==
        "anon_inode:[eventpoll]") {
      sets.insert(std::stoi(entry.path().filename().string()));
    }
  }
  return sets;
}

TEST_F(SocketTest, SaysThatItCanWaitForNobodyAnyMore) {
  const std::set<int> before = EpollSets();
  absl::Notification failed;
  absl::Status why;
  options_.on_failed = [&](const absl::Status& reason) {
    why = reason;
    failed.Notify();
  };
  auto listener = *Listener::Listen(options_);
  int set = -1;
  for (const int fd : EpollSets()) {
    if (before.count(fd) == 0) set = fd;
  }
  ASSERT_GE(set, 0);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(dup2(nothing, set), set);
  close(nothing);
  ASSERT_TRUE(listener->Start([](std::unique_ptr<Connection>) {}).ok());
  failed.WaitForNotification();
  EXPECT_THAT(std::string(why.message()), HasSubstr(options_.address));
  listener->Stop();
}

// Hardly any open files may be made as long as it lives: not even one that
// another one was given up for. (None at all, and poll() would fail.)
class NoFiles {
 public:
  NoFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 1;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFiles(const NoFiles&) = delete;
  NoFiles& operator=(const NoFiles&) = delete;

 private:
  rlimit before_{};
};

TEST_F(SocketTest, DoesNotSpinWithoutFiles) {
  absl::Mutex mutex;
  std::vector<absl::Time> refused;
  absl::Notification accepted;
  options_.on_refused = [&](const std::string&, const std::string&) {
    absl::MutexLock lock(&mutex);
    refused.push_back(absl::Now());
  };
  auto listener = *Listener::Listen(options_);
  const std::unique_ptr<RawClient> client =
      RawClient::Connect(options_.address);
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(client->Send("PRI"));
  {
    const NoFiles none;
    ASSERT_TRUE(
        listener->Start([&](std::unique_ptr<Connection>) { accepted.Notify(); })
            .ok());
    absl::MutexLock lock(&mutex);
    const auto some = [&refused] { return refused.size() >= 3; };
    mutex.Await(absl::Condition(&some));
    EXPECT_GE(refused[2] - refused[0], absl::Milliseconds(150));
  }
  // Whoever waited is served when there are some again.
  accepted.WaitForNotification();
  listener->Stop();
}

}  // namespace
}  // namespace usher::transport
