#include <memory>
#include <utility>

#include "common/error.h"
#include "service/rpc/search_stream.h"
#include "service/rpc/services.h"
#include "service/rpc/unary.h"
#include "service/session/searcher_api.h"
#include "usher/v1/searcher.grpc.pb.h"

namespace usher::rpc {
namespace {

using Kind = CallRecord::Kind;

// The unary calls by message, the two streams by bytes: the catalog holds
// updates in serialized form, and taking 60,000 of them apart only to put them
// together again is most of what a search would cost.
using Base = v1::SearcherService::WithCallbackMethod_CreateSearcher<
    v1::SearcherService::WithCallbackMethod_GetSearcher<
        v1::SearcherService::WithCallbackMethod_UpdateSearcher<
            v1::SearcherService::WithCallbackMethod_DeleteSearcher<
                v1::SearcherService::WithRawCallbackMethod_Search<
                    v1::SearcherService::WithCallbackMethod_BeginSearch<
                        v1::SearcherService::WithRawCallbackMethod_EndSearch<
                            v1::SearcherService::Service>>>>>>>;

template <typename Request>
absl::Status Parse(const grpc::ByteBuffer& buffer, Request& request) {
  grpc::ByteBuffer copy(buffer);
  const grpc::Status status =
      grpc::SerializationTraits<Request>::Deserialize(&copy, &request);
  if (status.ok()) return absl::OkStatus();
  return Error(hr::kEInvalidarg, "the request could not be parsed");
}

class SearcherServiceImpl : public Base {
 public:
  explicit SearcherServiceImpl(Environment& environment)
      : environment_(environment) {}

  grpc::ServerUnaryReactor* CreateSearcher(
      grpc::CallbackServerContext* context,
      const v1::CreateSearcherRequest* request,
      v1::Searcher* response) override {
    return Inline(environment_, context, "SearcherService.CreateSearcher",
                  Kind::kChange, &session::CreateSearcher, request, response);
  }

  grpc::ServerUnaryReactor* GetSearcher(grpc::CallbackServerContext* context,
                                        const v1::GetSearcherRequest* request,
                                        v1::Searcher* response) override {
    return Inline(environment_, context, "SearcherService.GetSearcher",
                  Kind::kRead, &session::GetSearcher, request, response);
  }

  grpc::ServerUnaryReactor* UpdateSearcher(
      grpc::CallbackServerContext* context,
      const v1::UpdateSearcherRequest* request,
      v1::Searcher* response) override {
    return Inline(environment_, context, "SearcherService.UpdateSearcher",
                  Kind::kChange, &session::UpdateSearcher, request, response);
  }

  grpc::ServerUnaryReactor* DeleteSearcher(
      grpc::CallbackServerContext* context,
      const v1::DeleteSearcherRequest* request,
      google::protobuf::Empty* response) override {
    return Inline(environment_, context, "SearcherService.DeleteSearcher",
                  Kind::kChange, &session::DeleteSearcher, request, response);
  }

  grpc::ServerUnaryReactor* BeginSearch(grpc::CallbackServerContext* context,
                                        const v1::SearchRequest* request,
                                        v1::Job* response) override {
    return Inline(environment_, context, "SearcherService.BeginSearch",
                  Kind::kChange, &session::BeginSearch, request, response);
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Search(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override {
    const CallRecord record(*context, environment_, "SearcherService.Search",
                            Kind::kChange);
    return StreamSearch(
        environment_.core, record, SearchEnd::kDropJob,
        record.IfAdmitted([&] { return Start(record, *request); }));
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* EndSearch(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override {
    const CallRecord record(*context, environment_, "SearcherService.EndSearch",
                            Kind::kChange);
    return StreamSearch(
        environment_.core, record, SearchEnd::kKeepJob,
        record.IfAdmitted([&] { return Claim(record, *request); }));
  }

 private:
  absl::StatusOr<session::BegunSearch> Start(const CallRecord& record,
                                             const grpc::ByteBuffer& buffer) {
    v1::SearchRequest request;
    USHER_RETURN_IF_ERROR(Parse(buffer, request));
    return session::StartSearch(environment_.core, record.call(), request);
  }

  absl::StatusOr<session::BegunSearch> Claim(const CallRecord& record,
                                             const grpc::ByteBuffer& buffer) {
    v1::EndSearchRequest request;
    USHER_RETURN_IF_ERROR(Parse(buffer, request));
    return session::ClaimSearch(environment_.core, record.call(), request);
  }

  Environment& environment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSearcherService(Environment& environment) {
  return std::make_unique<SearcherServiceImpl>(environment);
}

}  // namespace usher::rpc
