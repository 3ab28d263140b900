// The local transport on this platform.

#include "common/transport/transport.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "usher/v1/system.grpc.pb.h"

namespace usher::transport {
namespace {

using ::testing::HasSubstr;

class AgentService : public v1::SystemService::CallbackService {
  grpc::ServerUnaryReactor* GetAgentInfo(
      grpc::CallbackServerContext* context,
      const v1::GetAgentInfoRequest* /*request*/,
      v1::AgentInfo* response) override {
    response->set_api_major_version(8);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class TransportTest : public ::testing::Test {
 protected:
  TransportTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("usher-" + RandomResourceId().substr(0, 12))) {
    options_.address = (folder_ / "run" / "usher.sock").native();
    options_.on_refused = [this](const std::string& reason) {
      absl::MutexLock lock(&mutex_);
      refused_.push_back(reason);
    };
  }

  ~TransportTest() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  // Connects without a word; -1 if that fails.
  int Connect() const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options_.address.c_str(),
                 sizeof(address.sun_path) - 1);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) != 0) {
      close(fd);
      return -1;
    }
    return fd;
  }

  // Waits until the other end has closed `fd`.
  static bool IsClosed(int fd) {
    char byte = 0;
    return read(fd, &byte, 1) == 0;
  }

  std::filesystem::path folder_;
  ListenOptions options_;
  absl::Mutex mutex_;
  std::vector<std::string> refused_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(TransportTest, TheKernelNamesThePeer) {
  auto listener = *Listener::Listen(options_);
  PeerIdentity peer;
  absl::Notification accepted;
  ASSERT_TRUE(listener
                  ->Start([&](const std::unique_ptr<Connection>& connection) {
                    peer = connection->peer();
                    accepted.Notify();
                  })
                  .ok());
  const int fd = Connect();
  ASSERT_GE(fd, 0);
  accepted.WaitForNotification();
  EXPECT_EQ(peer.user, absl::StrCat("uid:", geteuid()));
  EXPECT_EQ(peer.process_id, getpid());
  EXPECT_TRUE(peer.is_administrator);  // the service's own user
  EXPECT_TRUE(IsClosed(fd));           // nobody served it
  close(fd);
}

TEST_F(TransportTest, ServesGrpcThroughTheSocket) {
  auto listener = *Listener::Listen(options_);
  AgentService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_TRUE(listener
                  ->Start([&](const std::unique_ptr<Connection>& connection) {
                    EXPECT_TRUE(connection->Serve(*server).ok());
                    EXPECT_FALSE(connection->Serve(*server).ok());
                  })
                  .ok());
  DialOptions dial;
  dial.address = options_.address;
  auto channel = Dial(dial, grpc::ChannelArguments());
  ASSERT_TRUE(channel.ok()) << channel.status();
  {
    grpc::ClientContext context;
    v1::AgentInfo info;
    const grpc::Status status =
        v1::SystemService::NewStub(*channel)->GetAgentInfo(
            &context, v1::GetAgentInfoRequest(), &info);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(info.api_major_version(), 8);
  }
  const std::string credentials =
      absl::StrCat("uid:", geteuid(), " administrator");
  EXPECT_EQ(listener->OpenConnections(credentials), 1);
  channel->reset();
  listener->Stop();
  server->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(std::filesystem::exists(options_.address));
}

TEST_F(TransportTest, TwoDoNotServeOneAddress) {
  auto listener = *Listener::Listen(options_);
  EXPECT_EQ(HResultOf(Listener::Listen(options_).status()),
            hr::kWuEOperationinprogress);
  listener.reset();
  EXPECT_TRUE(Listener::Listen(options_).ok());
}

TEST_F(TransportTest, AStaleSocketGoesAndAnythingElseStays) {
  ASSERT_TRUE(MakeDirectories(folder_ / "run").ok());
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

TEST_F(TransportTest, TheSocketsModeSaysWhoMayConnect) {
  for (const bool world : {true, false}) {
    options_.world_accessible = world;
    auto listener = *Listener::Listen(options_);
    struct stat status {};
    ASSERT_EQ(stat(options_.address.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, world ? 0666U : 0600U);
  }
}

TEST_F(TransportTest, ConnectionsAreLimitedAndCountedDown) {
  options_.max_connections_per_user = 2;
  auto listener = *Listener::Listen(options_);
  std::vector<std::unique_ptr<Connection>> kept;
  absl::Mutex mutex;
  const auto count = [&](size_t wanted) {
    absl::MutexLock lock(&mutex);
    const auto reached = [&] { return kept.size() == wanted; };
    mutex.Await(absl::Condition(&reached));
  };
  ASSERT_TRUE(listener
                  ->Start([&](std::unique_ptr<Connection> connection) {
                    absl::MutexLock lock(&mutex);
                    kept.push_back(std::move(connection));
                  })
                  .ok());
  const int first = Connect();
  const int second = Connect();
  count(2);
  const int third = Connect();
  EXPECT_TRUE(IsClosed(third));
  close(third);
  {
    absl::MutexLock lock(&mutex_);
    ASSERT_EQ(refused_.size(), 1U);
    EXPECT_THAT(refused_[0], HasSubstr("limits.connections_per_user"));
  }
  close(first);
  // The place is free once the listener has seen the end; until then a new
  // connection is turned away.
  int again = -1;
  while (true) {
    again = Connect();
    const size_t refused_before = [&] {
      absl::MutexLock lock(&mutex_);
      return refused_.size();
    }();
    {
      absl::MutexLock lock(&mutex);
      const auto decided = [&] {
        if (kept.size() == 3) return true;
        absl::MutexLock inner(&mutex_);
        return refused_.size() > refused_before;
      };
      mutex.AwaitWithTimeout(absl::Condition(&decided), absl::Seconds(1));
      if (kept.size() == 3) break;
    }
    close(again);
  }
  close(again);
  close(second);
  listener->Stop();
}

TEST_F(TransportTest, DialSaysWhatIsWrong) {
  DialOptions dial;
  dial.address = options_.address;
  EXPECT_EQ(HResultOf(Dial(dial, grpc::ChannelArguments()).status()),
            hr::kWuENoService);
  dial.address = std::string(200, 'x');
  EXPECT_EQ(HResultOf(Dial(dial, grpc::ChannelArguments()).status()),
            hr::kEInvalidarg);
}

TEST_F(TransportTest, UnknownGroupsAreRefused) {
  options_.administrators_group = "no-such-group-here";
  EXPECT_EQ(HResultOf(Listener::Listen(options_).status()), hr::kEInvalidarg);
}

TEST(DefaultAddressTest, FollowsTheEnvironment) {
  unsetenv("USHER_ADDRESS");
  EXPECT_EQ(DefaultAddress(), "/run/usher/usher.sock");
  setenv("USHER_ADDRESS", "/elsewhere", 1);
  EXPECT_EQ(DefaultAddress(), "/elsewhere");
  unsetenv("USHER_ADDRESS");
}

}  // namespace
}  // namespace usher::transport
