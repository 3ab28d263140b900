// usher_crowd: many clients that connect, call and vanish, each in its own
// way, until a time is up. Prints what happened as a line of JSON, after the
// first refusal and the first failure, if any.

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/channel_arguments.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/transport/transport.h"
#include "tests/unit/transport/raw_client.h"
#include "usher/v1/session.grpc.pb.h"

namespace usher::test_programs {
namespace {

// What all clients of this process have seen.
class Tally {
 public:
  void Connected() { ++connected_; }
  void Answered() { ++answered_; }
  void Cancelled() { ++cancelled_; }
  void Vanished() { ++vanished_; }
  // The service is full or gone, and says so: allowed to it.
  void Refused(absl::string_view what) ABSL_LOCKS_EXCLUDED(mutex_) {
    ++refused_;
    const absl::MutexLock lock(&mutex_);
    if (first_refusal_.empty()) first_refusal_ = std::string(what);
  }
  void Failed(absl::string_view what) ABSL_LOCKS_EXCLUDED(mutex_) {
    ++failed_;
    const absl::MutexLock lock(&mutex_);
    if (first_failure_.empty()) first_failure_ = std::string(what);
  }

  void Print() ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    for (const std::string& said : {first_refusal_, first_failure_}) {
      if (!said.empty()) {
        std::fprintf(stderr, "usher_crowd: %s\n", said.c_str());
      }
    }
    std::printf(
        "{\"connected\": %d, \"answered\": %d, \"cancelled\": %d, "
        "\"vanished\": %d, \"refused\": %d, \"failed\": %d}\n",
        connected_.load(), answered_.load(), cancelled_.load(),
        vanished_.load(), refused_.load(), failed_.load());
  }

  bool any_failed() const { return failed_ > 0; }

 private:
  std::atomic<int> connected_ = 0;
  std::atomic<int> answered_ = 0;
  std::atomic<int> cancelled_ = 0;
  std::atomic<int> vanished_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<int> failed_ = 0;
  absl::Mutex mutex_;
  std::string first_refusal_ ABSL_GUARDED_BY(mutex_);
  std::string first_failure_ ABSL_GUARDED_BY(mutex_);
};

// One client after the other, each with a connection of its own.
class Clients {
 public:
  Clients(std::string address, std::string application, uint32_t seed,
          Tally& tally)
      : address_(std::move(address)),
        application_(std::move(application)),
        random_(seed),
        tally_(tally) {}

  void RunUntil(absl::Time end) {
    while (absl::Now() < end) {
      switch (Below(8)) {
        case 0:
          SayLittle();
          break;
        case 1:
          ConnectOnly();
          break;
        case 2:
        case 3:
          Watch();
          break;
        default:
          Call();
      }
    }
  }

 private:
  uint32_t Below(uint32_t end) {
    return std::uniform_int_distribution<uint32_t>(0, end - 1)(random_);
  }

  std::shared_ptr<grpc::Channel> Dial() {
    transport::DialOptions options;
    options.address = address_;
    // A busy machine is slow to everybody; that is no refusal.
    options.timeout = absl::Minutes(1);
    absl::StatusOr<std::shared_ptr<grpc::Channel>> channel =
        transport::Dial(options, grpc::ChannelArguments());
    if (!channel.ok()) {
      tally_.Refused(channel.status().message());
      return nullptr;
    }
    tally_.Connected();
    return *std::move(channel);
  }

  static std::string What(const char* method, const grpc::Status& status) {
    return absl::StrCat(method, ": ", status.error_code(), " ",
                        status.error_message());
  }

  // True if the call was answered.
  bool Count(const char* method, const grpc::Status& status) {
    if (status.ok()) {
      tally_.Answered();
      return true;
    }
    if (status.error_code() == grpc::StatusCode::CANCELLED) {
      tally_.Cancelled();
    } else if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
               status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      tally_.Refused(What(method, status));
    } else {
      tally_.Failed(What(method, status));
    }
    return false;
  }

  // Part of a connection's beginning, then nothing.
  void SayLittle() {
    constexpr absl::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const auto client = transport::RawClient::Connect(address_);
    if (client == nullptr) {
      tally_.Refused("no connection for a client that says little");
      return;
    }
    tally_.Connected();
    // Whether it arrives is all one.
    client->Send(
        kPreface.substr(0, Below(static_cast<uint32_t>(kPreface.size()) + 1)));
    tally_.Vanished();
  }

  void ConnectOnly() {
    if (Dial() != nullptr) tally_.Vanished();
  }

  // A session's name; empty if there is none.
  std::string Open(v1::SessionService::Stub& stub) {
    grpc::ClientContext context;
    v1::OpenSessionRequest request;
    request.set_client_application_id(application_);
    v1::OpenSessionResponse response;
    if (!Count("OpenSession", stub.OpenSession(&context, request, &response))) {
      return "";
    }
    return response.session().name();
  }

  // Calls, some of them taken back while they run.
  void Call() {
    const std::shared_ptr<grpc::Channel> channel = Dial();
    if (channel == nullptr) return;
    const auto stub = v1::SessionService::NewStub(channel);
    v1::GetSessionRequest request;
    request.set_name(Open(*stub));
    if (request.name().empty()) return;
    for (uint32_t left = Below(20); left > 0; --left) {
      grpc::ClientContext context;
      if (Below(4) == 0) {
        context.set_deadline(
            absl::ToChronoTime(absl::Now() + absl::Microseconds(Below(2000))));
      }
      v1::Session session;
      const grpc::Status status = stub->GetSession(&context, request, &session);
      if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
        tally_.Cancelled();
      } else if (!Count("GetSession", status)) {
        return;
      }
    }
    tally_.Vanished();
  }

  // A stream that is open when its client goes.
  void Watch() {
    const std::shared_ptr<grpc::Channel> channel = Dial();
    if (channel == nullptr) return;
    const auto stub = v1::SessionService::NewStub(channel);
    v1::WatchSessionRequest request;
    request.set_name(Open(*stub));
    if (request.name().empty()) return;
    grpc::ClientContext context;
    const auto stream = stub->WatchSession(&context, request);
    v1::SessionEvent event;
    if (Below(2) == 0) stream->Read(&event);
    context.TryCancel();
    while (stream->Read(&event)) {
    }
    Count("WatchSession", stream->Finish());
  }

  const std::string address_;
  const std::string application_;
  std::mt19937 random_;
  Tally& tally_;
};

}  // namespace
}  // namespace usher::test_programs

int main(int argc, char** argv) {
  CLI::App app("Many clients that connect, call and vanish.");
  std::string address;
  int clients = 25;
  int seconds = 10;
  uint32_t seed = 1;
  app.add_option("address", address, "the service's socket or pipe")
      ->required();
  app.add_option("--clients", clients, "at the same time")
      ->check(CLI::Range(1, 1000));
  app.add_option("--seconds", seconds, "for how long")
      ->check(CLI::Range(1, 3600));
  app.add_option("--seed", seed, "another one, other clients");
  CLI11_PARSE(app, argc, argv);

  usher::test_programs::Tally tally;
  const absl::Time end = absl::Now() + absl::Seconds(seconds);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(clients));
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      // Few sessions for many clients: the limit of sessions is not meant here.
      usher::test_programs::Clients(address, absl::StrCat("crowd-", i % 10),
                                    seed * 1000U + static_cast<uint32_t>(i),
                                    tally)
          .RunUntil(end);
    });
  }
  for (std::thread& thread : threads) thread.join();
  tally.Print();
  return tally.any_failed() ? 1 : 0;
}
