#include "service/self_check.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/transport/transport.h"
#include "usher/v1/history.grpc.pb.h"
#include "usher/v1/system.grpc.pb.h"

namespace usher::daemon {
namespace {

constexpr char kRequestId[] = "self-check";

absl::Status ToStatus(const grpc::Status& status, const char* call) {
  if (status.ok()) return absl::OkStatus();
  return Error(static_cast<absl::StatusCode>(status.error_code()),
               hr::kWuENoService,
               absl::StrCat("the service does not answer its own ", call, ": ",
                            status.error_message()));
}

// A call that ends when `cancel` does.
class Context {
 public:
  Context(absl::Time deadline, const CancellationToken& cancel)
      : context_(std::make_shared<grpc::ClientContext>()),
        cancel_(cancel),
        // Shared: the callback may run while it is being forgotten.
        callback_(
            cancel.OnCancel([context = context_] { context->TryCancel(); })) {
    context_->set_deadline(absl::ToChronoTime(deadline));
    context_->AddMetadata("x-usher-request-id", kRequestId);
  }
  ~Context() { cancel_.Forget(callback_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  grpc::ClientContext* get() { return context_.get(); }

 private:
  const std::shared_ptr<grpc::ClientContext> context_;
  const CancellationToken cancel_;
  const uint64_t callback_;
};

}  // namespace

absl::Status CheckService(const std::string& address, absl::Duration timeout,
                          const CancellationToken& cancel) {
  const absl::Time deadline = absl::Now() + timeout;
  transport::DialOptions options;
  options.address = address;
  options.timeout = timeout;
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                         transport::Dial(options, grpc::ChannelArguments()));
  {
    Context context(deadline, cancel);
    v1::AgentInfo info;
    USHER_RETURN_IF_ERROR(
        ToStatus(v1::SystemService::NewStub(channel)->GetAgentInfo(
                     context.get(), v1::GetAgentInfoRequest(), &info),
                 "GetAgentInfo"));
  }
  Context context(deadline, cancel);
  v1::GetTotalHistoryCountResponse count;
  return ToStatus(v1::HistoryService::NewStub(channel)->GetTotalHistoryCount(
                      context.get(), v1::GetTotalHistoryCountRequest(), &count),
                  "GetTotalHistoryCount");
}

CheckTimes CheckTimesFor(absl::Duration watchdog) {
  return {watchdog / 4, watchdog / 4, watchdog / 16};
}

}  // namespace usher::daemon
