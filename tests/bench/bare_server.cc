#include "tests/bench/bare_server.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "common/error.h"
#include "common/transport/transport.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::bench {
namespace {

class Echo : public v1::SessionService::CallbackService {
  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context,
                                       const v1::GetSessionRequest* request,
                                       v1::Session* response) override {
    response->set_name(request->name());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

absl::Status ServeBare(const std::string& address) {
  Echo echo;
  grpc::ServerBuilder builder;
  builder.RegisterService(&echo);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return Error(hr::kEUnexpected, "cannot start a gRPC server");
  }
  transport::ListenOptions options;
  options.address = address;
  options.world_accessible = false;
  USHER_ASSIGN_OR_RETURN(const std::unique_ptr<transport::Listener> listener,
                         transport::Listener::Listen(options));
  USHER_RETURN_IF_ERROR(listener->Start(
      [&server](std::unique_ptr<transport::Connection> connection) {
        connection->Serve(*server).IgnoreError();
      }));
  std::printf("ready %d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  listener->Stop();
  server->Shutdown();
  return absl::OkStatus();
}

}  // namespace usher::bench
