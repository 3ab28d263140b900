#ifndef USHER_TESTS_UNIT_CLIENT_FAKE_SERVICE_H_
#define USHER_TESTS_UNIT_CLIENT_FAKE_SERVICE_H_

// A small service over a real Unix socket, enough of usher.v1 for the SDK's
// tests. Its state outlives Stop() and Start(), as a daemon's would.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "usher/v1/history.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/session.pb.h"
#include "usher/v1/update.pb.h"

namespace grpc {
class Server;
class Service;
class Status;
}  // namespace grpc

namespace usher::testing {

class FakeService {
 public:
  FakeService();
  ~FakeService();

  const std::string& address() const { return address_; }
  void Start();
  // Ends all connections.
  void Stop();

  // The service forgets sessions and all that hangs from them.
  void ForgetSessions();
  // Catalog of every search.
  void SetUpdates(std::vector<v1::Update> updates);
  void SetProgress(const std::string& job, int percent);
  void Complete(const std::string& job);
  // Jobs are complete as soon as they have begun.
  void CompleteJobsAtOnce();
  // Newest first.
  void SetHistory(std::vector<v1::UpdateHistoryEntry> entries);
  // What a restart does: the service keeps no password.
  void ForgetProxyPassword();
  // Another program with the same ClientApplicationID writes it.
  void SetProxy(const v1::WebProxy& proxy);
  // Every search loses its connection, after its first update or before.
  void BreakSearches(bool after_first_update);
  // New connections are closed before they are of use.
  void RefuseConnections();
  // The next EndDownload takes the result, but its answer is lost.
  void LoseNextEnd();
  // The next BeginDownload begins, but its answer is lost.
  void LoseNextBegin();

  // The next ListJobs for a later page breaks.
  void LoseNextList();

  // The request ids of all ListJobs, one for each try.
  std::vector<std::string> list_ids() const;
  int batch_count() const;
  int open_count() const;
  int search_count() const;
  std::vector<std::string> searchers() const;
  v1::Searcher searcher(const std::string& name) const;
  // With the password.
  v1::Session session() const;
  v1::Installer installer() const;
  v1::QueryHistoryRequest history_request() const;
  bool has_job(const std::string& name) const;
  // Waits until somebody watches a session or job; true if so in time.
  bool WaitForWatchers(int sessions, int jobs) const;

  struct State;

 private:
  std::string folder_;
  std::string address_;
  std::unique_ptr<State> state_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
};

// A failed call as the service makes it: ErrorDetail in google.rpc.Status.
grpc::Status Failure(int code, uint32_t hresult, const std::string& message,
                     const std::string& subject);

}  // namespace usher::testing

#endif  // USHER_TESTS_UNIT_CLIENT_FAKE_SERVICE_H_
