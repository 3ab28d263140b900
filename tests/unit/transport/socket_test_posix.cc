// What only a Unix socket has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

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

}  // namespace
}  // namespace usher::transport
