// The gRPC services on a real socket, over fakes.

#include <google/protobuf/any.pb.h>
#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/transport/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/rpc/server_pool.h"
#include "service/rpc/services.h"
#include "service/rpc/status.h"
#include "service/session/job.h"
#include "service/session/job_api.h"
#include "tests/unit/session/fakes.h"
#include "tests/unit/transport/raw_client.h"
#include "usher/v1/downloader.grpc.pb.h"
#include "usher/v1/history.grpc.pb.h"
#include "usher/v1/job.grpc.pb.h"
#include "usher/v1/searcher.grpc.pb.h"
#include "usher/v1/session.grpc.pb.h"
#include "usher/v1/system.grpc.pb.h"
#include "usher/v1/update_service.grpc.pb.h"

namespace usher::rpc {
namespace {

using usher::testing::kServiceId;
using usher::testing::TakeFetch;
using usher::testing::UpdateId;
using usher::testing::World;

// The ErrorDetail in a status, by hand: google.rpc.Status is no dependency.
v1::ErrorDetail DetailOf(const grpc::Status& status) {
  v1::ErrorDetail detail;
  const std::string wire = status.error_details();
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(wire.data()),
      static_cast<int>(wire.size()));
  while (const uint32_t tag = input.ReadTag()) {
    if (tag == 8) {
      uint32_t code = 0;
      input.ReadVarint32(&code);
      EXPECT_EQ(code, static_cast<uint32_t>(status.error_code()));
      continue;
    }
    uint32_t length = 0;
    std::string bytes;
    input.ReadVarint32(&length);
    input.ReadString(&bytes, static_cast<int>(length));
    if (tag == 26) {
      google::protobuf::Any any;
      EXPECT_TRUE(any.ParseFromString(bytes));
      EXPECT_TRUE(any.UnpackTo(&detail));
    }
  }
  return detail;
}

class RpcTest : public ::testing::Test {
 protected:
  RpcTest() {
    transport::ListenOptions options;
    options.address = transport::NewAddress();
    options.world_accessible = false;
    listener_ = *transport::Listener::Listen(options);
    servers_ = std::make_unique<ServerPool>(world_.core(), ServerOptions(),
                                            *listener_);
    EXPECT_TRUE(
        listener_
            ->Start(
                [this](
                    const std::unique_ptr<transport::Connection>& connection) {
                  EXPECT_TRUE(servers_->Serve(*connection).ok());
                })
            .ok());
    transport::DialOptions dial;
    dial.address = address_ = options.address;
    channel_ = *transport::Dial(dial, grpc::ChannelArguments());
    sessions_ = v1::SessionService::NewStub(channel_);
    searchers_ = v1::SearcherService::NewStub(channel_);
    downloaders_ = v1::DownloaderService::NewStub(channel_);
    jobs_ = v1::JobService::NewStub(channel_);
  }

  ~RpcTest() override {
    channel_.reset();
    listener_->Stop();
    servers_->Shutdown(absl::Now());
  }

  std::string Open(const std::string& id = "test") {
    grpc::ClientContext context;
    v1::OpenSessionRequest request;
    request.set_client_application_id(id);
    v1::OpenSessionResponse response;
    EXPECT_TRUE(sessions_->OpenSession(&context, request, &response).ok());
    return response.session().name();
  }

  std::string MakeSearcher() {
    grpc::ClientContext context;
    v1::CreateSearcherRequest request;
    request.set_parent(Open());
    request.mutable_searcher()->set_online(false);
    request.mutable_update_mask()->add_paths("online");
    v1::Searcher searcher;
    EXPECT_TRUE(searchers_->CreateSearcher(&context, request, &searcher).ok());
    return searcher.name();
  }

  std::string BeginDownload(const std::string& session, int update) {
    v1::CreateDownloaderRequest request;
    request.set_parent(session);
    v1::UpdateKey& key = *request.mutable_downloader()->add_updates();
    key.set_service_id(kServiceId);
    key.set_update_id(UpdateId(update));
    key.set_revision_number(1);
    request.mutable_update_mask()->add_paths("updates");
    grpc::ClientContext create;
    v1::Downloader downloader;
    EXPECT_TRUE(
        downloaders_->CreateDownloader(&create, request, &downloader).ok());
    v1::BeginDownloadRequest begin;
    begin.set_downloader(downloader.name());
    grpc::ClientContext context;
    v1::Job job;
    EXPECT_TRUE(downloaders_->BeginDownload(&context, begin, &job).ok());
    return job.name();
  }

  // Whether a call waits for the end of a download.
  bool EndIsClaimed(const std::string& job) {
    const session::Call call{{transport::OwnUser(), true}, "test"};
    const auto claim =
        session::ClaimJob(world_.core(), call, job, v1::JOB_KIND_DOWNLOAD);
    if (claim.ok()) claim->job->AbandonEnd();
    return !claim.ok();
  }

  World world_;
  std::string address_;
  std::unique_ptr<transport::Listener> listener_;
  std::unique_ptr<ServerPool> servers_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::SessionService::Stub> sessions_;
  std::unique_ptr<v1::SearcherService::Stub> searchers_;
  std::unique_ptr<v1::DownloaderService::Stub> downloaders_;
  std::unique_ptr<v1::JobService::Stub> jobs_;
};

TEST(StatusTest, CarriesTheDetail) {
  const grpc::Status status =
      ToGrpc(Error(hr::kWuEInvalidCriteria, "at 3: what?", "criteria"), "id-1");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const v1::ErrorDetail detail = DetailOf(status);
  EXPECT_EQ(detail.hresult(), 0x80240032U);
  EXPECT_EQ(detail.symbol(), "WU_E_INVALID_CRITERIA");
  EXPECT_EQ(detail.message(), "at 3: what?");
  EXPECT_EQ(detail.subject(), "criteria");
  EXPECT_EQ(detail.request_id(), "id-1");
  EXPECT_TRUE(ToGrpc(absl::OkStatus(), "id-1").ok());
  // Metadata is limited: a long message must not cost the whole status.
  const grpc::Status longer =
      ToGrpc(Error(hr::kEInvalidarg, std::string(100'000, 'x')), "id-1");
  EXPECT_LT(longer.error_details().size(), 8U * 1024);
}

TEST_F(RpcTest, ErrorsNameTheRequest) {
  grpc::ClientContext context;
  context.AddMetadata("x-usher-request-id", "my.request_1-a");
  v1::GetSessionRequest request;
  request.set_name("sessions/" + std::string(32, '0'));
  v1::Session session;
  const grpc::Status status =
      sessions_->GetSession(&context, request, &session);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailOf(status).request_id(), "my.request_1-a");
  EXPECT_EQ(DetailOf(status).subject(), request.name());

  grpc::ClientContext odd;
  odd.AddMetadata("x-usher-request-id", "not good");
  const grpc::Status replaced = sessions_->GetSession(&odd, request, &session);
  EXPECT_FALSE(DetailOf(replaced).request_id().empty());
  EXPECT_NE(DetailOf(replaced).request_id(), "not good");
}

TEST_F(RpcTest, TheCallerIsTheUserOfTheConnection) {
  grpc::ClientContext context;
  v1::SystemInformation information;
  ASSERT_TRUE(v1::SystemService::NewStub(channel_)
                  ->GetSystemInformation(
                      &context, v1::GetSystemInformationRequest(), &information)
                  .ok());
  EXPECT_EQ(information.caller(), transport::OwnUser());
  EXPECT_TRUE(information.caller_is_administrator());
}

TEST_F(RpcTest, WatchSessionHoldsUntilClosed) {
  const std::string name = Open();
  grpc::ClientContext context;
  v1::WatchSessionRequest request;
  request.set_name(name);
  const auto stream = sessions_->WatchSession(&context, request);
  v1::SessionEvent event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.kind(), v1::SessionEvent::KIND_ATTACHED);
  world_.clock->Advance(absl::Hours(1));
  world_.core().sessions().ExpireIdle();
  grpc::ClientContext close_context;
  v1::CloseSessionRequest close;
  close.set_name(name);
  google::protobuf::Empty empty;
  ASSERT_TRUE(sessions_->CloseSession(&close_context, close, &empty).ok());
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.kind(), v1::SessionEvent::KIND_CLOSED);
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RpcTest, SearchStreamsJobUpdatesSummary) {
  world_.AddService();
  for (int n = 0; n < 500; ++n) {
    world_.catalog->Add(n);
    world_.catalog->entries[n].update.set_description(std::string(2000, 'x'));
  }
  grpc::ClientContext context;
  v1::SearchRequest request;
  request.set_searcher(MakeSearcher());
  const auto stream = searchers_->Search(&context, request);
  std::vector<v1::SearchResponse> responses;
  v1::SearchResponse response;
  while (stream->Read(&response)) responses.push_back(response);
  const grpc::Status status = stream->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_GE(responses.size(), 4U);
  EXPECT_TRUE(responses.front().has_job());
  EXPECT_TRUE(responses.back().has_summary());
  EXPECT_EQ(responses.back().summary().update_count(), 500);
  int updates = 0;
  for (const v1::SearchResponse& one : responses) {
    updates += one.chunk().updates_size();
    EXPECT_LT(one.ByteSizeLong(), 512U * 1024);
  }
  EXPECT_EQ(updates, 500);
  // The job went with the stream.
  grpc::ClientContext get_context;
  v1::GetJobRequest get;
  get.set_name(responses.front().job().name());
  v1::Job job;
  EXPECT_EQ(jobs_->GetJob(&get_context, get, &job).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(RpcTest, EndSearchCountsOnlyWhenWhole) {  // UAMG-156
  world_.AddService();
  world_.catalog->Add(1);
  v1::SearchRequest request;
  request.set_searcher(MakeSearcher());
  grpc::ClientContext begin_context;
  v1::Job job;
  ASSERT_TRUE(searchers_->BeginSearch(&begin_context, request, &job).ok());
  v1::EndSearchRequest end;
  end.set_job(job.name());
  const auto drain = [&](grpc::ClientContext& context) {
    const auto stream = searchers_->EndSearch(&context, end);
    v1::SearchResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  };
  grpc::ClientContext first;
  EXPECT_TRUE(drain(first).ok());
  grpc::ClientContext second;
  EXPECT_EQ(DetailOf(drain(second)).symbol(), "WU_E_INVALID_OPERATION");
}

TEST_F(RpcTest, ACancelledSearchIsAborted) {
  world_.AddService();
  world_.catalog->search_gate = std::make_shared<absl::Notification>();
  world_.catalog->search_waits = std::make_shared<absl::Notification>();
  grpc::ClientContext context;
  v1::SearchRequest request;
  request.set_searcher(MakeSearcher());
  const auto stream = searchers_->Search(&context, request);
  v1::SearchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_job());
  // A search that was aborted before it began would never come to the gate.
  world_.catalog->search_waits->WaitForNotification();
  context.TryCancel();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // The abort opens the gate; without it the search would wait for ever.
  world_.catalog->search_gate->WaitForNotification();
}

TEST_F(RpcTest, BadSearchesFailTheCall) {
  world_.AddService();
  grpc::ClientContext context;
  v1::SearchRequest request;
  request.set_searcher(MakeSearcher());
  request.set_criteria("bad");
  const auto stream = searchers_->Search(&context, request);
  v1::SearchResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(DetailOf(stream->Finish()).symbol(), "WU_E_INVALID_CRITERIA");

  world_.catalog->search_error = Error(hr::kWuEDsInvalid, "damaged");
  grpc::ClientContext later;
  request.clear_criteria();
  const auto failing = searchers_->Search(&later, request);
  while (failing->Read(&response)) {
  }
  EXPECT_EQ(DetailOf(failing->Finish()).symbol(), "WU_E_DS_INVALID");
}

TEST_F(RpcTest, WatchJobTellsProgressAndTheEnd) {
  world_.AddService();
  world_.catalog->Add(1);
  const std::string name = BeginDownload(Open(), 1);
  grpc::ClientContext context;
  v1::WatchJobRequest request;
  request.set_name(name);
  const auto stream = jobs_->WatchJob(&context, request);
  v1::JobEvent event;
  ASSERT_TRUE(stream->Read(&event));
  const auto fetch = TakeFetch(*world_.downloads, 1);
  fetch.observer->OnProgress(500);
  while (event.job().download_progress().total_bytes_downloaded() < 500) {
    ASSERT_TRUE(stream->Read(&event));
  }
  EXPECT_EQ(event.job().updates_size(), 0);
  fetch.observer->OnDone(absl::OkStatus());
  while (event.job().state() != v1::JOB_STATE_COMPLETED) {
    ASSERT_TRUE(stream->Read(&event));
  }
  EXPECT_EQ(event.job().update_results_size(), 1);
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RpcTest, EndDownloadWaitsAndMayBeGivenUp) {
  world_.AddService();
  world_.catalog->Add(1);
  v1::EndDownloadRequest request;
  request.set_job(BeginDownload(Open(), 1));
  v1::DownloadResult result;
  grpc::Status given_up;
  do {
    grpc::ClientContext context;
    absl::Notification done;
    downloaders_->async()->EndDownload(&context, &request, &result,
                                       [&](const grpc::Status& status) {
                                         given_up = status;
                                         done.Notify();
                                       });
    while (!EndIsClaimed(request.job()) && !done.HasBeenNotified()) {
    }
    context.TryCancel();
    done.WaitForNotification();
    // Again if it came at the very moment when EndIsClaimed() had a look.
  } while (given_up.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(given_up.error_code(), grpc::StatusCode::CANCELLED);
  // The server hears of it a moment later than the client.
  while (EndIsClaimed(request.job())) {
  }
  TakeFetch(*world_.downloads, 1).observer->OnDone(absl::OkStatus());
  grpc::ClientContext context;
  const grpc::Status status =
      downloaders_->EndDownload(&context, request, &result);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(result.hresult(), 0U);
  ASSERT_EQ(result.update_results_size(), 1);
}

// The service has no timers for deadlines; clients tell it.
TEST_F(RpcTest, ACallEndsWithItsDeadline) {
  world_.AddService();
  world_.catalog->Add(1);
  v1::EndDownloadRequest request;
  request.set_job(BeginDownload(Open(), 1));
  v1::DownloadResult result;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(300));
  EXPECT_EQ(downloaders_->EndDownload(&context, request, &result).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  while (EndIsClaimed(request.job())) {
  }
  TakeFetch(*world_.downloads, 1).observer->OnDone(absl::OkStatus());
  grpc::ClientContext again;
  const grpc::Status status =
      downloaders_->EndDownload(&again, request, &result);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(result.hresult(), 0U);
}

TEST_F(RpcTest, AStopAnswersEverybodyWhoWaits) {
  world_.AddService();
  world_.catalog->Add(1);
  const std::string session = Open();
  v1::EndDownloadRequest end;
  end.set_job(BeginDownload(session, 1));
  grpc::ClientContext watch_context;
  v1::WatchSessionRequest watch;
  watch.set_name(session);
  const auto held = sessions_->WatchSession(&watch_context, watch);
  v1::SessionEvent event;
  ASSERT_TRUE(held->Read(&event));
  grpc::ClientContext job_context;
  v1::WatchJobRequest watch_job;
  watch_job.set_name(end.job());
  const auto job_stream = jobs_->WatchJob(&job_context, watch_job);
  v1::JobEvent job_event;
  ASSERT_TRUE(job_stream->Read(&job_event));
  testing::AwaitFetch(*world_.downloads, 1);
  world_.core().Stop();
  ASSERT_TRUE(held->Read(&event));
  EXPECT_EQ(event.kind(), v1::SessionEvent::KIND_SERVICE_STOPPING);
  EXPECT_FALSE(held->Read(&event));
  EXPECT_TRUE(held->Finish().ok());
  while (job_stream->Read(&job_event)) {
  }
  EXPECT_EQ(job_event.job().state(), v1::JOB_STATE_PARKED);
  EXPECT_TRUE(job_stream->Finish().ok());
  grpc::ClientContext end_context;
  v1::DownloadResult result;
  EXPECT_EQ(
      DetailOf(downloaders_->EndDownload(&end_context, end, &result)).symbol(),
      "WU_E_SERVICE_STOP");
  grpc::ClientContext open_context;
  v1::OpenSessionRequest open;
  v1::OpenSessionResponse opened;
  EXPECT_EQ(
      DetailOf(sessions_->OpenSession(&open_context, open, &opened)).symbol(),
      "WU_E_SERVICE_STOP");
}

// It is sent an answer to each of its frames and reads none, so that the
// service cannot even say good-bye to it.
TEST_F(RpcTest, AStopDoesNotWaitForAClientThatDoesNotRead) {
  const auto client = transport::RawClient::Connect(address_);
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(client->Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  // The service has begun to speak.
  EXPECT_FALSE(client->IsClosed());
  std::string frames;
  for (int i = 0; i < 1000; ++i) {
    frames.append("\0\0\0\4\0\0\0\0\0", 9);  // SETTINGS, empty
  }
  // Until the connection is broken.
  std::thread flood([&] {
    while (client->Send(frames)) {
    }
  });
  listener_->Stop();
  servers_->Shutdown(absl::Now() + absl::Seconds(1));
  flood.join();
}

TEST_F(RpcTest, HistoryIndexesAreChecked) {
  const auto stub = v1::HistoryService::NewStub(channel_);
  const auto query = [&](int start, int count) {
    grpc::ClientContext context;
    v1::QueryHistoryRequest request;
    request.set_start_index(start);
    request.set_count(count);
    const auto stream = stub->QueryHistory(&context, request);
    v1::QueryHistoryResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  };
  EXPECT_TRUE(query(0, 10).ok());  // UAMG-207
  EXPECT_EQ(DetailOf(query(-1, 10)).symbol(), "WU_E_INVALIDINDEX");
  EXPECT_EQ(DetailOf(query(0, 0)).symbol(), "WU_E_INVALIDINDEX");
}

TEST_F(RpcTest, OversizedRequestsAreRefused) {
  grpc::ClientContext context;
  v1::OpenSessionRequest request;
  request.set_client_application_id(std::string(size_t{5} * 1024 * 1024, 'x'));
  v1::OpenSessionResponse response;
  EXPECT_EQ(sessions_->OpenSession(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_FALSE(Open().empty());
}

TEST_F(RpcTest, ServicesAreManagedFromOutside) {
  const auto stub = v1::UpdateServiceManager::NewStub(channel_);
  v1::AddUpdateServiceRequest add;
  add.set_service_url("http://test");
  add.set_root_metadata("root");
  v1::UpdateServiceRegistration registration;
  grpc::ClientContext add_context;
  ASSERT_TRUE(stub->AddUpdateService(&add_context, add, &registration).ok());
  EXPECT_EQ(registration.service_id(), kServiceId);
  v1::RefreshUpdateServiceRequest refresh;
  refresh.set_service_id(kServiceId);
  v1::RefreshUpdateServiceResponse refreshed;
  grpc::ClientContext refresh_context;
  ASSERT_TRUE(
      stub->RefreshUpdateService(&refresh_context, refresh, &refreshed).ok());
  EXPECT_EQ(refreshed.service().service_id(), kServiceId);
  v1::RemoveUpdateServiceRequest remove;
  remove.set_service_id(kServiceId);
  google::protobuf::Empty empty;
  grpc::ClientContext remove_context;
  ASSERT_TRUE(stub->RemoveUpdateService(&remove_context, remove, &empty).ok());
  grpc::ClientContext again;
  EXPECT_EQ(
      DetailOf(stub->RemoveUpdateService(&again, remove, &empty)).symbol(),
      "WU_E_DS_UNKNOWNSERVICE");
}

}  // namespace
}  // namespace usher::rpc
