// The loopback door: every call needs the secret of its port.

#include "service/rpc/loopback_door.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "common/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/services.h"
#include "service/session/core.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::rpc {
namespace {

using usher::testing::World;

class LoopbackDoorTest : public ::testing::Test {
 protected:
  struct Door {
    std::string address;
    std::string secret;
    std::shared_ptr<grpc::Channel> channel;
  };

  LoopbackDoorTest() {
    options_.enabled = true;
    options_.folder = folder_.path();
    door_ = *LoopbackDoor::Open(world_.core(), ServerOptions(), options_);
    user_ = Read("loopback-user.json");
    administrator_ = Read("loopback-administrator.json");
  }

  Door Read(const std::string& name) {
    const nlohmann::json content =
        nlohmann::json::parse(*ReadFile(folder_.path() / name, 4096));
    Door door;
    door.address = content["address"];
    door.secret = content["secret"];
    door.channel =
        grpc::CreateChannel(door.address, grpc::InsecureChannelCredentials());
    return door;
  }

  // Calls any method with an empty request.
  static grpc::Status Call(const Door& door, const std::string& method,
                           const std::string& secret) {
    grpc::GenericStub stub(door.channel);
    grpc::ClientContext context;
    if (!secret.empty()) context.AddMetadata("x-usher-secret", secret);
    grpc::ByteBuffer request;
    const grpc::Slice nothing;
    request = grpc::ByteBuffer(&nothing, 1);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }

  static grpc::Status Open(const Door& door, v1::Session* session) {
    grpc::ClientContext context;
    context.AddMetadata("x-usher-secret", door.secret);
    v1::OpenSessionRequest request;
    request.set_client_application_id("test");
    v1::OpenSessionResponse response;
    grpc::Status status = v1::SessionService::NewStub(door.channel)
                              ->OpenSession(&context, request, &response);
    *session = response.session();
    return status;
  }

  testing::TemporaryFolder folder_;
  World world_;
  LoopbackOptions options_;
  std::unique_ptr<LoopbackDoor> door_;
  Door user_;
  Door administrator_;
};

TEST_F(LoopbackDoorTest, NoMethodAnswersWithoutTheSecret) {
  int methods = 0;
  std::vector<std::string> names = ServiceNames();
  names.emplace_back("grpc.health.v1.Health");
  names.emplace_back("grpc.reflection.v1alpha.ServerReflection");
  for (const std::string& name : names) {
    const google::protobuf::ServiceDescriptor* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string method =
          absl::StrCat("/", name, "/", service->method(i)->name());
      for (const std::string& secret :
           {std::string(), std::string(64, '0'), administrator_.secret + "0",
            administrator_.secret.substr(1), user_.secret}) {
        const grpc::Status status = Call(administrator_, method, secret);
        EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED)
            << method << ": " << status.error_message();
      }
      ++methods;
    }
  }
  EXPECT_GT(methods, 30);
}

// Whoever lacks the secret is no administrator, whatever the door is for.
TEST_F(LoopbackDoorTest, NobodyFillsTheLogWithoutTheSecret) {
  std::ostringstream text;
  const std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)));
  for (int i = 0; i < 300; ++i) {
    // One that is answered at once, and one from a pool.
    for (const char* method :
         {"/usher.v1.SessionService/ListSessions",
          "/usher.v1.HistoryService/GetTotalHistoryCount"}) {
      EXPECT_EQ(Call(administrator_, method, "").error_code(),
                grpc::StatusCode::UNAUTHENTICATED);
    }
  }
  door_->Shutdown(absl::Now());
  spdlog::set_default_logger(before);
  int written = 0;
  for (const absl::string_view line : absl::StrSplit(text.str(), '\n')) {
    if (!absl::StrContains(line, "call request_id=")) continue;
    ++written;
    EXPECT_THAT(std::string(line),
                ::testing::HasSubstr("caller=loopback:unknown "));
  }
  EXPECT_GT(written, 0);
  EXPECT_LT(written, 100);
}

// What waits for a thread is only what may be called.
TEST_F(LoopbackDoorTest, WithoutTheSecretNobodyTakesAThread) {
  const auto go = std::make_shared<absl::Notification>();
  for (int i = 0; i < 16; ++i) {  // more than the pool has threads
    world_.core().work().Post([go] { go->WaitForNotification(); });
  }
  for (const char* method : {"/usher.v1.HistoryService/GetTotalHistoryCount",
                             "/usher.v1.HistoryService/QueryHistory"}) {
    EXPECT_EQ(Call(administrator_, method, "").error_code(),
              grpc::StatusCode::UNAUTHENTICATED);
  }
  go->Notify();
}

TEST_F(LoopbackDoorTest, EachPortHasItsOwnIdentity) {
  v1::Session session;
  ASSERT_TRUE(Open(user_, &session).ok());
  EXPECT_EQ(session.owner(), "loopback:user");
  ASSERT_TRUE(Open(administrator_, &session).ok());
  EXPECT_EQ(session.owner(), "loopback:administrator");
  EXPECT_NE(user_.secret, administrator_.secret);
  EXPECT_EQ(user_.secret.size(), 64U);
}

TEST_F(LoopbackDoorTest, ATakenPortIsNamed) {
  LoopbackOptions options = options_;
  options.user_port =
      std::stoi(user_.address.substr(user_.address.find(':') + 1));
  const auto second =
      LoopbackDoor::Open(world_.core(), ServerOptions(), options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(HResultOf(second.status()), hr::kWuEOperationinprogress);
  EXPECT_THAT(std::string(second.status().message()),
              ::testing::HasSubstr(user_.address));
}

TEST_F(LoopbackDoorTest, TheFilesGoWithTheDoor) {
  door_->Shutdown(absl::Now());
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "loopback-user.json"));
  EXPECT_FALSE(
      std::filesystem::exists(folder_.path() / "loopback-administrator.json"));
}

}  // namespace
}  // namespace usher::rpc
