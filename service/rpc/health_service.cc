// gRPC's own health service answers whoever connects, which at a loopback port
// is everybody, and has no descriptor that reflection could show. This one has
// both.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "common/cancellation.h"
#include "common/error.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "service/rpc/pull_stream.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/core.h"

namespace usher::rpc {
namespace {

namespace wire = grpc::health::v1;
using Kind = CallRecord::Kind;

bool IsServed(const std::string& service) {
  static const auto* const names = new std::vector<std::string>(ServiceNames());
  return service.empty() ||
         std::find(names->begin(), names->end(), service) != names->end();
}

wire::HealthCheckResponse::ServingStatus StatusOf(const session::Core& core) {
  return core.stopping() ? wire::HealthCheckResponse::NOT_SERVING
                         : wire::HealthCheckResponse::SERVING;
}

absl::Status Check(session::Core& core, const session::Call& /*call*/,
                   const wire::HealthCheckRequest& request,
                   wire::HealthCheckResponse& response) {
  if (!IsServed(request.service())) {
    return Error(absl::StatusCode::kNotFound, hr::kEInvalidarg,
                 "there is no such service here", "service");
  }
  response.set_status(StatusOf(core));
  return absl::OkStatus();
}

// Says the status, and when the service stops, the last one.
class WatchStream : public PullStream<wire::HealthCheckResponse> {
 public:
  WatchStream(session::Core& core, const CallRecord& record, bool served)
      : PullStream(record), core_(core), served_(served) {}

  void Open() {
    std::weak_ptr<PullStream> weak = weak_from_this();
    callback_ = core_.stop_token().OnCancel([weak] {
      if (const auto self = weak.lock()) self->Pump();
    });
    Begin();
  }

 private:
  Step Next(wire::HealthCheckResponse& message) override {
    if (!record().admitted().ok()) {
      return {Step::kFinish, record().admitted()};
    }
    const bool stopping = core_.stopping();
    if (said_ && !stopping) return {};
    said_ = true;
    message.set_status(served_ ? StatusOf(core_)
                               : wire::HealthCheckResponse::SERVICE_UNKNOWN);
    // Nobody is to wait for the rest of the stream.
    if (stopping) return {Step::kLastMessage, core_.CheckRunning()};
    return {Step::kMessage, {}};
  }

  void Ended() override { core_.stop_token().Forget(callback_); }

  session::Core& core_;
  const bool served_;
  uint64_t callback_ = 0;
  bool said_ = false;  // under the stream's lock
};

class HealthServiceImpl : public wire::Health::CallbackService {
 public:
  explicit HealthServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* Check(
      grpc::CallbackServerContext* context,
      const wire::HealthCheckRequest* request,
      wire::HealthCheckResponse* response) override {
    return Inline(environment_, context, "Health.Check", Kind::kRead,
                  &rpc::Check, request, response);
  }

  grpc::ServerWriteReactor<wire::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const wire::HealthCheckRequest* request) override {
    auto stream = std::make_shared<WatchStream>(
        environment_.core,
        CallRecord(*context, environment_, "Health.Watch", Kind::kRead),
        IsServed(request->service()));
    WatchStream* const reactor = stream.get();
    stream->Open();
    return reactor;
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeHealthService(Environment& environment) {
  return std::make_unique<HealthServiceImpl>(environment);
}

}  // namespace usher::rpc
