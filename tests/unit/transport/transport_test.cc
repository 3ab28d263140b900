// The local transport: what holds on every platform.

#include "common/transport/transport.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "tests/unit/transport/echo_service.h"
#include "tests/unit/transport/raw_client.h"

namespace usher::transport {
namespace {

using ::testing::HasSubstr;

class TransportTest : public ::testing::Test {
 protected:
  TransportTest() {
    options_.address = NewAddress();
    // This process is its own client; the limits are to be seen.
    options_.places_for_administrators = 0;
    options_.places_for_self = 0;
    options_.on_refused = [this](const std::string& /*user*/,
                                 const std::string& reason) {
      absl::MutexLock lock(&mutex_);
      refused_.push_back(reason);
    };
  }

  // Waits until the listener has seen all connections of this user end.
  static void AwaitNoConnections(const Listener& listener) {
    const std::string credentials = absl::StrCat(OwnUser(), " administrator");
    while (listener.OpenConnections(credentials) > 0) {
      std::this_thread::yield();
    }
  }

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
  const auto client = RawClient::Connect(options_.address);
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(client->Send("P"));
  accepted.WaitForNotification();
  EXPECT_EQ(peer.user, OwnUser());
  EXPECT_EQ(peer.process_id, OwnProcess());
  EXPECT_TRUE(peer.is_administrator);  // the service's own user
  EXPECT_TRUE(peer.is_self);
  EXPECT_TRUE(client->IsClosed());  // nobody served it
}

TEST_F(TransportTest, ServesGrpc) {
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener
                  ->Start([&](const std::unique_ptr<Connection>& connection) {
                    EXPECT_TRUE(connection->Serve(server.server()).ok());
                    EXPECT_FALSE(connection->Serve(server.server()).ok());
                  })
                  .ok());
  auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  EXPECT_TRUE(Echoes(channel, "hello"));
  EXPECT_EQ(
      listener->OpenConnections(absl::StrCat(OwnUser(), " administrator")), 1);
  channel.reset();
  AwaitNoConnections(*listener);
}

TEST_F(TransportTest, ServesManyClientsAtATime) {
  constexpr int kClients = 16;
  constexpr int kCalls = 25;
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  std::vector<int> good(kClients);
  std::vector<std::thread> threads;
  threads.reserve(kClients);
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      const auto channel = DialEcho(options_.address);
      for (int call = 0; channel != nullptr && call < kCalls; ++call) {
        if (Echoes(channel, absl::StrCat(i, " ", call))) ++good[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(good, ::testing::Each(kCalls));
  AwaitNoConnections(*listener);
}

TEST_F(TransportTest, LargeMessagesPassBothWays) {
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  const auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  std::string large(size_t{8} * 1024 * 1024, 'x');
  for (size_t i = 0; i < large.size(); ++i) {
    large[i] = static_cast<char>('a' + i % 23);
  }
  // Two at a time, so that they share the connection.
  bool other = false;
  std::thread thread([&] { other = Echoes(channel, large + "!"); });
  EXPECT_TRUE(Echoes(channel, large));
  thread.join();
  EXPECT_TRUE(other);
}

TEST_F(TransportTest, ADeadlineEndsACallAndNotTheConnection) {
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  const auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(50));
  google::protobuf::Empty empty;
  EXPECT_EQ(v1::SessionService::NewStub(channel)
                ->CloseSession(&context, v1::CloseSessionRequest(), &empty)
                .error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Echoes(channel, "still there"));
}

TEST_F(TransportTest, AStopEndsOpenCalls) {
  auto listener = *Listener::Listen(options_);
  auto server = std::make_unique<EchoServer>();
  ASSERT_TRUE(listener->Start(server->Acceptor()).ok());
  const auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  grpc::Status status;
  std::thread caller([&] {
    grpc::ClientContext context;
    google::protobuf::Empty empty;
    status = v1::SessionService::NewStub(channel)->CloseSession(
        &context, v1::CloseSessionRequest(), &empty);
  });
  server->service().hanging().WaitForNotification();
  listener->Stop();
  server.reset();
  caller.join();
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(Echoes(channel, "nobody there"));
}

TEST_F(TransportTest, ClientsThatVanishAreForgotten) {
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  for (const char* said :
       {"", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "nonsense"}) {
    const auto client = RawClient::Connect(options_.address);
    ASSERT_NE(client, nullptr);
    EXPECT_TRUE(client->Send(said));
  }
  AwaitNoConnections(*listener);
  const auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  EXPECT_TRUE(Echoes(channel, "not disturbed"));
}

TEST_F(TransportTest, TwoDoNotServeOneAddress) {
  auto listener = *Listener::Listen(options_);
  EXPECT_EQ(HResultOf(Listener::Listen(options_).status()),
            hr::kWuEOperationinprogress);
  listener.reset();
  EXPECT_TRUE(Listener::Listen(options_).ok());
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
  // A client is handed over when it speaks.
  const auto connect = [&] {
    auto client = RawClient::Connect(options_.address);
    if (client != nullptr) client->Send("P");
    return client;
  };
  auto first = connect();
  const auto second = connect();
  count(2);
  {
    const auto third = RawClient::Connect(options_.address);
    ASSERT_NE(third, nullptr);
    EXPECT_TRUE(third->IsClosed());
    absl::MutexLock lock(&mutex_);
    ASSERT_EQ(refused_.size(), 1U);
    EXPECT_THAT(refused_[0], HasSubstr("limits.connections_per_user"));
  }
  first.reset();
  {
    // Whoever has the connection sees its end by itself; these are only kept.
    absl::MutexLock lock(&mutex);
    kept.erase(kept.begin());
  }
  // The place is free once the listener has seen the end; until then a new
  // connection is turned away.
  std::unique_ptr<RawClient> again;
  while (true) {
    const size_t refused_before = [&] {
      absl::MutexLock lock(&mutex_);
      return refused_.size();
    }();
    again = connect();
    absl::MutexLock lock(&mutex);
    const auto decided = [&] {
      if (kept.size() == 2) return true;
      absl::MutexLock inner(&mutex_);
      return refused_.size() > refused_before;
    };
    mutex.AwaitWithTimeout(absl::Condition(&decided), absl::Seconds(1));
    if (kept.size() == 2) break;
  }
  listener->Stop();
}

TEST_F(TransportTest, TheTotalIsLimited) {
  options_.max_connections = 1;
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  const auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  ASSERT_TRUE(Echoes(channel, "first"));
  const auto second = RawClient::Connect(options_.address);
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->IsClosed());
  EXPECT_TRUE(Echoes(channel, "first again"));
  absl::MutexLock lock(&mutex_);
  ASSERT_FALSE(refused_.empty());
  EXPECT_THAT(refused_[0], HasSubstr("limits.connections (1)"));
}

TEST_F(TransportTest, TheServiceFindsAPlaceAtItsOwnDoor) {
  options_.max_connections = 1;
  options_.places_for_self = 1;
  auto listener = *Listener::Listen(options_);
  EchoServer server;
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  // One place of its own, then the one that everybody may take.
  const auto first = DialEcho(options_.address);
  const auto second = DialEcho(options_.address);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(Echoes(first, "own"));
  EXPECT_TRUE(Echoes(second, "everybody's"));
  const auto third = RawClient::Connect(options_.address);
  ASSERT_NE(third, nullptr);
  EXPECT_TRUE(third->IsClosed());
}

TEST_F(TransportTest, ASilentClientIsDisconnected) {
  options_.handshake_timeout = absl::Milliseconds(500);
  EchoServer server;
  auto listener = *Listener::Listen(options_);
  ASSERT_TRUE(listener->Start(server.Acceptor()).ok());
  const auto client = RawClient::Connect(options_.address);
  ASSERT_NE(client, nullptr);
  // The server's own settings may come before.
  while (!client->IsClosed()) {
  }
  AwaitNoConnections(*listener);
  // One that speaks may then be silent for as long as it likes: until another
  // one has been ended for its silence.
  const auto channel = DialEcho(options_.address);
  ASSERT_NE(channel, nullptr);
  EXPECT_TRUE(Echoes(channel, "hello"));
  const auto other = RawClient::Connect(options_.address);
  ASSERT_NE(other, nullptr);
  while (!other->IsClosed()) {
  }
  EXPECT_TRUE(Echoes(channel, "still there"));
}

TEST_F(TransportTest, DialSaysWhatIsWrong) {
  DialOptions dial;
  dial.address = options_.address;
  EXPECT_EQ(HResultOf(Dial(dial, grpc::ChannelArguments()).status()),
            hr::kWuENoService);
  dial.address = std::string(300, 'x');
  EXPECT_EQ(HResultOf(Dial(dial, grpc::ChannelArguments()).status()),
            hr::kEInvalidarg);
}

TEST_F(TransportTest, UnknownGroupsAreRefused) {
  options_.administrators_group = "no-such-group-here";
  EXPECT_EQ(HResultOf(Listener::Listen(options_).status()), hr::kEInvalidarg);
}

}  // namespace
}  // namespace usher::transport
