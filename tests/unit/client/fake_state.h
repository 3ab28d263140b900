#ifndef USHER_TESTS_UNIT_CLIENT_FAKE_STATE_H_
#define USHER_TESTS_UNIT_CLIENT_FAKE_STATE_H_

// What the services of the fake share, and how they fail.

#include <google/protobuf/repeated_field.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "tests/unit/client/fake_service.h"
#include "usher/v1/downloader.pb.h"

namespace usher::testing {

struct FakeService::State {
  mutable absl::Mutex mutex;
  bool stopping = false;
  bool refuse = false;
  bool lose_end = false;
  bool lose_begin = false;
  bool lose_list = false;
  std::vector<std::string> list_ids;
  int batches = 0;
  bool break_searches = false;
  bool break_after_first = false;
  bool complete_at_once = false;
  int opens = 0;
  int searches = 0;
  int next = 0;
  int session_watchers = 0;
  int job_watchers = 0;
  v1::Session session;
  std::map<std::string, v1::Searcher> searchers;
  std::map<std::string, v1::Downloader> downloaders;
  v1::Installer installer;  // the newest
  std::map<std::string, v1::Job> jobs;
  std::vector<v1::Update> updates;
  std::vector<v1::UpdateHistoryEntry> history;
  v1::QueryHistoryRequest history_request;

  std::string Name(const std::string& kind);
  // The session as callers see it.
  v1::Session Shown() const;
  // Drops the session and all that hangs from it.
  void Forget();
  v1::Job Begin(v1::JobKind kind,
                const google::protobuf::RepeatedPtrField<v1::UpdateKey>& of);
  void Complete(v1::Job& job);
  // What the End calls begin with.
  grpc::Status End(const std::string& job);
};

grpc::Status NotFound(const std::string& name);
grpc::Status NotSupported(const std::string& name);
grpc::Status AccessDenied();
// What gRPC makes of a connection that went away.
grpc::Status Broken();

std::unique_ptr<grpc::Service> MakeInstallers(FakeService::State& state);
std::unique_ptr<grpc::Service> MakeHistory(FakeService::State& state);

}  // namespace usher::testing

#endif  // USHER_TESTS_UNIT_CLIENT_FAKE_STATE_H_
