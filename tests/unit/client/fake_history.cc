#include <memory>

#include "tests/unit/client/fake_state.h"
#include "usher/v1/history.grpc.pb.h"

namespace usher::testing {
namespace {

using grpc::ServerContext;
using grpc::Status;

class History final : public v1::HistoryService::Service {
 public:
  explicit History(FakeService::State& state) : state_(state) {}

  // Sends each entry by itself: whoever reads must gather.
  Status QueryHistory(
      ServerContext*, const v1::QueryHistoryRequest* request,
      grpc::ServerWriter<v1::QueryHistoryResponse>* writer) override {
    absl::MutexLock lock(&state_.mutex);
    state_.history_request = *request;
    const auto count = static_cast<int>(state_.history.size());
    for (int i = request->start_index();
         i < count && i < request->start_index() + request->count(); ++i) {
      v1::QueryHistoryResponse chunk;
      *chunk.add_entries() = state_.history[static_cast<size_t>(i)];
      writer->Write(chunk);
    }
    return Status::OK;
  }

  Status GetTotalHistoryCount(
      ServerContext*, const v1::GetTotalHistoryCountRequest*,
      v1::GetTotalHistoryCountResponse* response) override {
    absl::MutexLock lock(&state_.mutex);
    response->set_count(static_cast<int>(state_.history.size()));
    return Status::OK;
  }

 private:
  FakeService::State& state_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeHistory(FakeService::State& state) {
  return std::make_unique<History>(state);
}

}  // namespace usher::testing
