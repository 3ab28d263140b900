#ifndef USHER_TESTS_UNIT_TRANSPORT_ECHO_SERVICE_H_
#define USHER_TESTS_UNIT_TRANSPORT_ECHO_SERVICE_H_

// A server and its calls, for tests of the transport.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "common/transport/transport.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::transport {

// GetSession answers with the name that was asked for. CloseSession never
// answers until it is cancelled.
class EchoService : public v1::SessionService::CallbackService {
 public:
  // Set when a CloseSession is running.
  absl::Notification& hanging() { return hanging_; }

 private:
  class Hang : public grpc::ServerUnaryReactor {
   public:
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };

  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context,
                                       const v1::GetSessionRequest* request,
                                       v1::Session* response) override {
    response->set_name(request->name());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* CloseSession(
      grpc::CallbackServerContext* /*context*/,
      const v1::CloseSessionRequest* /*request*/,
      google::protobuf::Empty* /*response*/) override {
    auto* const reactor = new Hang;
    if (!hanging_.HasBeenNotified()) hanging_.Notify();
    return reactor;
  }

  absl::Notification hanging_;
};

// A server with an EchoService, which takes connections from a listener.
class EchoServer {
 public:
  EchoServer() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(-1);
    server_ = builder.BuildAndStart();
  }
  ~EchoServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  EchoService& service() { return service_; }
  grpc::Server& server() { return *server_; }
  Listener::AcceptCallback Acceptor() {
    return [this](const std::unique_ptr<Connection>& connection) {
      connection->Serve(*server_).IgnoreError();
    };
  }

 private:
  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
};

// Whether a call over `channel` brings `name` back.
inline bool Echoes(const std::shared_ptr<grpc::Channel>& channel,
                   const std::string& name) {
  grpc::ClientContext context;
  v1::GetSessionRequest request;
  request.set_name(name);
  v1::Session session;
  return v1::SessionService::NewStub(channel)
             ->GetSession(&context, request, &session)
             .ok() &&
         session.name() == name;
}

inline std::shared_ptr<grpc::Channel> DialEcho(const std::string& address) {
  DialOptions options;
  options.address = address;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  auto channel = Dial(options, arguments);
  return channel.ok() ? *std::move(channel) : nullptr;
}

}  // namespace usher::transport

#endif  // USHER_TESTS_UNIT_TRANSPORT_ECHO_SERVICE_H_
