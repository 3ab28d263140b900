#include "client/internal/rpc_error.h"

#include <google/protobuf/stubs/logging.h>
#include <grpcpp/support/status.h>

#include <string>

#include "common/error.h"
#include "gtest/gtest.h"
#include "tests/unit/client/fake_service.h"

namespace usher::internal {
namespace {

using grpc::StatusCode;

TEST(RpcErrorTest, RebuildsTheServicesError) {
  const absl::Status status = FromGrpc(testing::Failure(
      StatusCode::FAILED_PRECONDITION, hr::kWuENoUpdate, "no updates", "x"));
  EXPECT_EQ(HResultOf(status), hr::kWuENoUpdate);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(status.message()), "no updates");
  EXPECT_EQ(SubjectOf(status), "x");
  EXPECT_EQ(std::string(*status.GetPayload("usher/request-id")), "r1");
}

TEST(RpcErrorTest, CanonicalCodeDecidesWithoutDetail) {
  const absl::Status status =
      FromGrpc(grpc::Status(StatusCode::PERMISSION_DENIED, "go away"));
  EXPECT_EQ(HResultOf(status), hr::kEAccessdenied);
  EXPECT_EQ(std::string(status.message()), "go away");
}

TEST(RpcErrorTest, SuccessCodeInADetailIsNotBelieved) {
  const absl::Status status =
      FromGrpc(testing::Failure(StatusCode::NOT_FOUND, 0, "m", "s"));
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(HResultOf(status), hr::kWuEUnknownId);
}

TEST(RpcErrorTest, GarbageDetailIsIgnored) {
  const std::string good =
      testing::Failure(StatusCode::NOT_FOUND, hr::kWuENoUpdate, "m", "s")
          .error_details();
  const google::protobuf::LogSilencer silencer;
  // Every truncation and every changed byte gives some error, no crash.
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(
        FromGrpc(grpc::Status(StatusCode::INTERNAL, "e", good.substr(0, i)))
            .ok());
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 0xFF);
    EXPECT_FALSE(
        FromGrpc(grpc::Status(StatusCode::INTERNAL, "e", changed)).ok());
  }
  const std::string endless(1 << 20, '\x1a');
  EXPECT_EQ(
      HResultOf(FromGrpc(grpc::Status(StatusCode::NOT_FOUND, "e", endless))),
      hr::kWuEUnknownId);
}

TEST(RpcErrorTest, CodeOutsideTheListIsUnknown) {
  // Within what the enumeration's type can hold: more would be no value of it.
  const absl::Status status =
      FromGrpc(grpc::Status(static_cast<StatusCode>(31), "e"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
}

TEST(RpcErrorTest, TellsABrokenConnectionFromAnAnswer) {
  EXPECT_TRUE(
      IsBrokenConnection(grpc::Status(StatusCode::UNAVAILABLE, "closed")));
  EXPECT_FALSE(IsBrokenConnection(testing::Failure(
      StatusCode::UNAVAILABLE, hr::kWuENoService, "busy", "")));
  EXPECT_FALSE(IsBrokenConnection(grpc::Status(StatusCode::NOT_FOUND, "")));
}

}  // namespace
}  // namespace usher::internal
