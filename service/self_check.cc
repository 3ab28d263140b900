#include "service/self_check.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>

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

void Prepare(grpc::ClientContext& context, absl::Time deadline) {
  context.set_deadline(absl::ToChronoTime(deadline));
  context.AddMetadata("x-usher-request-id", kRequestId);
}

}  // namespace

absl::Status CheckService(const std::string& address, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  transport::DialOptions options;
  options.address = address;
  options.timeout = timeout;
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                         transport::Dial(options, grpc::ChannelArguments()));
  {
    grpc::ClientContext context;
    Prepare(context, deadline);
    v1::AgentInfo info;
    USHER_RETURN_IF_ERROR(
        ToStatus(v1::SystemService::NewStub(channel)->GetAgentInfo(
                     &context, v1::GetAgentInfoRequest(), &info),
                 "GetAgentInfo"));
  }
  grpc::ClientContext context;
  Prepare(context, deadline);
  v1::GetTotalHistoryCountResponse count;
  return ToStatus(v1::HistoryService::NewStub(channel)->GetTotalHistoryCount(
                      &context, v1::GetTotalHistoryCountRequest(), &count),
                  "GetTotalHistoryCount");
}

}  // namespace usher::daemon
