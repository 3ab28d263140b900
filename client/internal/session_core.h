#ifndef USHER_CLIENT_INTERNAL_SESSION_CORE_H_
#define USHER_CLIENT_INTERNAL_SESSION_CORE_H_

// The connection and the session behind all objects of the SDK.

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/internal/rpc_error.h"
#include "client/internal/serial_queue.h"
#include "client/internal/stream_set.h"
#include "common/error.h"
#include "usher/update_session.h"
#include "usher/v1/downloader.grpc.pb.h"
#include "usher/v1/history.grpc.pb.h"
#include "usher/v1/installer.grpc.pb.h"
#include "usher/v1/job.grpc.pb.h"
#include "usher/v1/searcher.grpc.pb.h"
#include "usher/v1/session.grpc.pb.h"
#include "usher/v1/system.grpc.pb.h"
#include "usher/v1/update_service.grpc.pb.h"
#include "usher/v1/update_state.grpc.pb.h"

namespace usher::internal {

class JobData;
class SessionHold;

// Makes a connection to the service, within the options' connect_timeout.
using ChannelFactory =
    std::function<absl::StatusOr<std::shared_ptr<grpc::Channel>>()>;

// One connection with the session attached to it. Immutable; the stubs are
// thread-safe.
struct Link {
  explicit Link(std::shared_ptr<grpc::Channel> with);

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SessionService::Stub> sessions;
  std::unique_ptr<v1::SearcherService::Stub> searchers;
  std::unique_ptr<v1::DownloaderService::Stub> downloaders;
  std::unique_ptr<v1::InstallerService::Stub> installers;
  std::unique_ptr<v1::JobService::Stub> jobs;
  std::unique_ptr<v1::UpdateStateService::Stub> states;
  std::unique_ptr<v1::HistoryService::Stub> history;
  std::unique_ptr<v1::UpdateServiceManager::Stub> services;
  std::unique_ptr<v1::SystemService::Stub> system;
  std::string session;  // resource name
};
using LinkPtr = std::shared_ptr<const Link>;

// How a call behaves.
struct CallRules {
  // May be carried out twice without harm: repeated when the connection
  // breaks while it runs.
  bool repeatable = true;
  absl::Duration deadline = absl::Seconds(60);
  // Under which the service logs it, however often it is tried; empty: a new
  // one.
  std::string request_id = {};
};

// Thread-safe. Connects again by itself; see UpdateSession.
class SessionCore : public std::enable_shared_from_this<SessionCore> {
 public:
  // Connects and attaches; tries once.
  static absl::StatusOr<std::shared_ptr<SessionCore>> Open(
      SessionOptions options, ChannelFactory dial);
  ~SessionCore();

  // Ends the connection; calls fail from now on. No callback runs afterwards,
  // except one that calls this.
  void Shutdown();

  const SessionOptions& options() const { return options_; }
  // Copy of the session as the service described it last.
  v1::Session session() const;
  bool attached() const { return attached_; }
  std::string session_name() const;

  // Writes the fields of `mask`, and again whenever a session is made anew.
  absl::Status WriteProperties(const v1::Session& session,
                               const std::vector<std::string>& paths);

  // The present connection, waiting until `give_up` for one.
  absl::StatusOr<LinkPtr> Connected(absl::Time give_up);
  absl::StatusOr<LinkPtr> Connected() {
    return Connected(absl::Now() + options_.reconnect_timeout);
  }
  // The present connection, or null, without waiting.
  LinkPtr PresentLink() const;
  // Drops `link` if it is the present one and begins to connect again.
  void MarkBroken(const LinkPtr& link);

  // Runs `call(link, context, response)`, a blocking gRPC call, with
  // reconnection as `wanted` allows.
  template <typename Response, typename Function>
  absl::StatusOr<Response> Call(const CallRules& wanted, const Function& call) {
    const CallRules rules = Named(wanted);
    const absl::Time give_up = absl::Now() + options_.reconnect_timeout;
    for (;;) {
      absl::StatusOr<LinkPtr> link = Connected(give_up);
      if (!link.ok()) return link.status();
      grpc::ClientContext context;
      Prepare(context, rules);
      Response response;
      const grpc::Status status = call(**link, &context, &response);
      if (status.ok()) return response;
      absl::Status error = AfterFailure(status, *link, rules, give_up);
      if (!error.ok()) return error;
    }
  }

  // Decides what follows a failed call: OK to repeat it, else the error.
  absl::Status AfterFailure(const grpc::Status& status, const LinkPtr& link,
                            const CallRules& rules, absl::Time give_up);
  // `rules` with a request id.
  static CallRules Named(CallRules rules);
  // Sets the deadline and the request id.
  static void Prepare(grpc::ClientContext& context, const CallRules& rules);

  // Runs the program's callbacks.
  SerialQueue& callbacks() { return callbacks_; }
  // Runs what must wait for a connection.
  SerialQueue& maintenance() { return maintenance_; }

  const std::shared_ptr<StreamSet>& streams() const { return streams_; }

  // Keeps a job that somebody waits for alive until it is complete; Shutdown
  // completes it with an error.
  void Keep(const std::shared_ptr<JobData>& job);
  void Forget(const std::shared_ptr<JobData>& job);
  bool is_shut_down() const;

 private:
  SessionCore(SessionOptions options, ChannelFactory dial);
  // Dials, opens the session and writes its changed properties.
  absl::StatusOr<std::shared_ptr<Link>> Attach();
  // What must be written to `session`, as the service has just described it;
  // the mask is empty when nothing need be.
  v1::UpdateSessionRequest Missing(const v1::Session& session,
                                   bool attached) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the service's answer to a write of `paths`.
  void Written(v1::Session updated, const std::set<std::string>& paths)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration Pause() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SessionOptions options_;
  const ChannelFactory dial_;
  const std::shared_ptr<StreamSet> streams_ = std::make_shared<StreamSet>();
  bool attached_ = false;  // written by Open only

  mutable absl::Mutex mutex_;
  LinkPtr link_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<SessionHold> hold_ ABSL_GUARDED_BY(mutex_);
  v1::Session session_ ABSL_GUARDED_BY(mutex_);
  // Properties written by the program, with the password of the proxy.
  v1::Session wanted_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> wanted_paths_ ABSL_GUARDED_BY(mutex_);
  // How the service described the proxy that the program wrote: without its
  // password, which the service keeps in memory only.
  v1::WebProxy written_proxy_ ABSL_GUARDED_BY(mutex_);
  bool dialing_ ABSL_GUARDED_BY(mutex_) = false;
  bool down_ ABSL_GUARDED_BY(mutex_) = false;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time next_attempt_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
  std::set<std::shared_ptr<JobData>> jobs_ ABSL_GUARDED_BY(mutex_);
  absl::BitGen random_ ABSL_GUARDED_BY(mutex_);

  SerialQueue callbacks_;
  SerialQueue maintenance_;
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_SESSION_CORE_H_
