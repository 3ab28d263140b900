#include "tests/bench/rpc_bench.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/transport/transport.h"
#include "tests/bench/latency.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::bench {
namespace {

// Calls alternate in rounds, so that a change in the machine's speed reaches
// both sides alike.
constexpr int kRound = 200;
constexpr int kWarmUpRounds = 5;

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return Error(hr::kEUnexpected,
               absl::StrCat("call failed: ", status.error_message()));
}

// One side: a connection and the name that it asks for.
class Side {
 public:
  static absl::StatusOr<Side> Dial(const std::string& address) {
    transport::DialOptions options;
    options.address = address;
    USHER_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel,
                           transport::Dial(options, grpc::ChannelArguments()));
    return Side(std::move(channel));
  }

  static Side DialTcp(int port) {
    return Side(grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                                    grpc::InsecureChannelCredentials()));
  }

  v1::SessionService::Stub& stub() { return *stub_; }
  void set_name(const std::string& name) { request_.set_name(name); }
  const Latencies& latencies() const { return latencies_; }

  absl::Status Round(bool measured) {
    for (int i = 0; i < kRound; ++i) {
      grpc::ClientContext context;
      v1::Session session;
      const absl::Time start = absl::Now();
      const grpc::Status status =
          stub_->GetSession(&context, request_, &session);
      const absl::Duration taken = absl::Now() - start;
      USHER_RETURN_IF_ERROR(ToStatus(status));
      if (measured) latencies_.Add(taken);
    }
    return absl::OkStatus();
  }

 private:
  explicit Side(std::shared_ptr<grpc::Channel> channel)
      : channel_(std::move(channel)),
        stub_(v1::SessionService::NewStub(channel_)) {}

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::SessionService::Stub> stub_;
  v1::GetSessionRequest request_;
  Latencies latencies_;
};

}  // namespace

absl::Status BenchRpc(const std::string& service, const std::string& bare,
                      int bare_port, int calls) {
  USHER_ASSIGN_OR_RETURN(Side ours, Side::Dial(service));
  USHER_ASSIGN_OR_RETURN(Side echo, Side::Dial(bare));
  Side tcp_echo = Side::DialTcp(bare_port);

  grpc::ClientContext context;
  v1::OpenSessionRequest open;
  open.set_client_application_id("usher-bench");
  v1::OpenSessionResponse opened;
  USHER_RETURN_IF_ERROR(
      ToStatus(ours.stub().OpenSession(&context, open, &opened)));
  ours.set_name(opened.session().name());
  echo.set_name(opened.session().name());
  tcp_echo.set_name(opened.session().name());

  for (int done = -kWarmUpRounds * kRound; done < calls; done += kRound) {
    USHER_RETURN_IF_ERROR(ours.Round(done >= 0));
    USHER_RETURN_IF_ERROR(echo.Round(done >= 0));
    USHER_RETURN_IF_ERROR(tcp_echo.Round(done >= 0));
  }
  std::puts(ours.latencies().ToJson("session_read").c_str());
  std::puts(echo.latencies().ToJson("bare_echo").c_str());
  std::puts(tcp_echo.latencies().ToJson("bare_tcp_echo").c_str());
  return absl::OkStatus();
}

}  // namespace usher::bench
