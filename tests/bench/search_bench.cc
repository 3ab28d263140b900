#include "tests/bench/search_bench.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>

#include <cstdint>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/transport/transport.h"
#include "tests/bench/latency.h"
#include "usher/v1/searcher.grpc.pb.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::bench {
namespace {

constexpr int kWarmUps = 2;

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return Error(hr::kEUnexpected,
               absl::StrCat("call failed: ", status.error_message()));
}

absl::StatusOr<std::string> MakeSearcher(
    const std::shared_ptr<grpc::Channel>& channel,
    const std::string& service_id) {
  grpc::ClientContext open_context;
  v1::OpenSessionRequest open;
  open.set_client_application_id("usher-bench");
  v1::OpenSessionResponse opened;
  USHER_RETURN_IF_ERROR(
      ToStatus(v1::SessionService::NewStub(channel)->OpenSession(
          &open_context, open, &opened)));

  v1::CreateSearcherRequest create;
  create.set_parent(opened.session().name());
  create.mutable_searcher()->set_online(false);
  create.mutable_searcher()->set_server_selection(v1::SERVER_SELECTION_OTHERS);
  create.mutable_searcher()->set_service_id(service_id);
  for (const char* path : {"online", "server_selection", "service_id"}) {
    create.mutable_update_mask()->add_paths(path);
  }
  grpc::ClientContext context;
  v1::Searcher searcher;
  USHER_RETURN_IF_ERROR(
      ToStatus(v1::SearcherService::NewStub(channel)->CreateSearcher(
          &context, create, &searcher)));
  return searcher.name();
}

}  // namespace

absl::Status BenchSearch(const std::string& service,
                         const std::string& service_id, const std::string& text,
                         const SearchCase& search) {
  transport::DialOptions options;
  options.address = service;
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                         transport::Dial(options, grpc::ChannelArguments()));
  v1::SearchRequest request;
  USHER_ASSIGN_OR_RETURN(*request.mutable_searcher(),
                         MakeSearcher(channel, service_id));
  request.set_criteria(search.criteria);
  request.set_text(text);

  const std::unique_ptr<v1::SearcherService::Stub> stub =
      v1::SearcherService::NewStub(channel);
  Latencies latencies;
  int64_t found = 0;
  std::string first;
  for (int run = -kWarmUps; run < search.runs; ++run) {
    found = 0;
    grpc::ClientContext context;
    const absl::Time start = absl::Now();
    const auto reader = stub->Search(&context, request);
    v1::SearchResponse response;
    while (reader->Read(&response)) {
      if (found == 0 && response.chunk().updates_size() > 0) {
        first = response.chunk().updates(0).identity().update_id();
      }
      found += response.chunk().updates_size();
    }
    USHER_RETURN_IF_ERROR(ToStatus(reader->Finish()));
    if (run >= 0) latencies.Add(absl::Now() - start);
  }
  std::puts(latencies.ToJson(search.name).c_str());
  std::puts(
      absl::StrFormat(R"({"name": "%s found", "count": %d, "first": "%s"})",
                      search.name, found, first)
          .c_str());
  return absl::OkStatus();
}

}  // namespace usher::bench
