#include <memory>
#include <utility>

#include "service/rpc/pooled_stream.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/history_api.h"
#include "service/session/machine_api.h"
#include "usher/v1/history.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

class HistoryStream : public PooledStream<v1::QueryHistoryResponse> {
 public:
  HistoryStream(session::Core& core, const CallRecord& record,
                absl::StatusOr<session::HistoryReader> reader)
      : PooledStream(record, core.work()), reader_(std::move(reader)) {}

 private:
  Step Produce(v1::QueryHistoryResponse& message) override {
    if (!reader_.ok()) return {Step::kFinish, reader_.status()};
    const absl::StatusOr<bool> more = reader_->Next(message);
    if (!more.ok()) return {Step::kFinish, more.status()};
    if (!*more) return {Step::kFinish, absl::OkStatus()};
    return {Step::kMessage, {}};
  }

  absl::StatusOr<session::HistoryReader> reader_;
};

class HistoryServiceImpl : public v1::HistoryService::CallbackService {
 public:
  explicit HistoryServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerWriteReactor<v1::QueryHistoryResponse>* QueryHistory(
      grpc::CallbackServerContext* context,
      const v1::QueryHistoryRequest* request) override {
    const CallRecord record(*context, environment_,
                            "HistoryService.QueryHistory", Kind::kRead);
    auto stream = std::make_shared<HistoryStream>(
        environment_.core, record, record.IfAdmitted([&] {
          return session::HistoryReader::Make(environment_.core, *request);
        }));
    HistoryStream* const reactor = stream.get();
    stream->Begin();
    return reactor;
  }

  grpc::ServerUnaryReactor* GetTotalHistoryCount(
      grpc::CallbackServerContext* context,
      const v1::GetTotalHistoryCountRequest* request,
      v1::GetTotalHistoryCountResponse* response) override {
    return OnPool(environment_, context, "HistoryService.GetTotalHistoryCount",
                  Kind::kRead, environment_.core.work(),
                  &session::GetTotalHistoryCount, request, response);
  }

 private:
  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeHistoryService(Environment& environment) {
  return std::make_unique<HistoryServiceImpl>(environment);
}

}  // namespace usher::rpc
