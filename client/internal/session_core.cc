#include "client/internal/session_core.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/internal/job_data.h"
#include "client/internal/request_id.h"
#include "client/internal/session_hold.h"
#include "common/hresult.h"

namespace usher::internal {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(15);

// How long the end of a session waits for its streams, which are cancelled.
constexpr absl::Duration kStreamPatience = absl::Seconds(5);

// Whether waiting may help against a failure to attach.
bool MayPass(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         HResultOf(status) == hr::kWuENoService;
}

}  // namespace

Link::Link(std::shared_ptr<grpc::Channel> with)
    : channel(std::move(with)),
      sessions(v1::SessionService::NewStub(channel)),
      searchers(v1::SearcherService::NewStub(channel)),
      downloaders(v1::DownloaderService::NewStub(channel)),
      installers(v1::InstallerService::NewStub(channel)),
      jobs(v1::JobService::NewStub(channel)),
      states(v1::UpdateStateService::NewStub(channel)),
      history(v1::HistoryService::NewStub(channel)),
      services(v1::UpdateServiceManager::NewStub(channel)),
      system(v1::SystemService::NewStub(channel)) {}

SessionCore::SessionCore(SessionOptions options, ChannelFactory dial)
    : options_(std::move(options)), dial_(std::move(dial)) {}

SessionCore::~SessionCore() { Shutdown(); }

absl::StatusOr<std::shared_ptr<SessionCore>> SessionCore::Open(
    SessionOptions options, ChannelFactory dial) {
  std::shared_ptr<SessionCore> core(
      new SessionCore(std::move(options), std::move(dial)));
  USHER_ASSIGN_OR_RETURN(const std::shared_ptr<Link> link, core->Attach());
  const std::shared_ptr<SessionHold> hold = SessionHold::Start(core, link);
  absl::MutexLock lock(&core->mutex_);
  core->link_ = link;
  core->hold_ = hold;
  return core;
}

absl::StatusOr<std::shared_ptr<Link>> SessionCore::Attach() {
  USHER_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, dial_());
  auto link = std::make_shared<Link>(std::move(channel));
  const CallRules rules = Named({.deadline = options_.connect_timeout});

  v1::OpenSessionRequest request;
  request.set_client_application_id(options_.client_application_id);
  request.set_read_only(options_.read_only);
  request.set_user_locale(options_.user_locale);
  v1::OpenSessionResponse response;
  grpc::ClientContext context;
  Prepare(context, rules);
  grpc::Status status =
      link->sessions->OpenSession(&context, request, &response);
  if (IsBrokenConnection(status)) {
    // It was accepted, so somebody is there; the reason stands in their log
    // only.
    return Error(hr::kWuENoService,
                 absl::StrCat("the service closed the connection at once (",
                              status.error_message(),
                              "): it stops, or has as many connections as "
                              "limits.connections and "
                              "limits.connections_per_user allow; its log "
                              "says which"),
                 options_.address);
  }
  if (!status.ok()) return FromGrpc(status);
  link->session = response.session().name();

  v1::UpdateSessionRequest update;
  {
    absl::MutexLock lock(&mutex_);
    if (session_.name().empty()) attached_ = response.attached();
    session_ = response.session();
    update = Missing(session_, response.attached());
  }
  if (update.update_mask().paths().empty()) return link;
  v1::Session updated;
  grpc::ClientContext update_context;
  Prepare(update_context, rules);
  status = link->sessions->UpdateSession(&update_context, update, &updated);
  if (!status.ok()) return FromGrpc(status);
  absl::MutexLock lock(&mutex_);
  const std::set<std::string> paths(update.update_mask().paths().begin(),
                                    update.update_mask().paths().end());
  Written(std::move(updated), paths);
  return link;
}

v1::UpdateSessionRequest SessionCore::Missing(const v1::Session& session,
                                              bool attached) const {
  v1::UpdateSessionRequest update;
  *update.mutable_session() = wanted_;
  update.mutable_session()->set_name(session.name());
  if (!attached) {
    for (const std::string& path : wanted_paths_) {
      update.mutable_update_mask()->add_paths(path);
    }
    return update;
  }
  // A live session has its settings, but if the service was started again in
  // between, not the password, which it puts on no disk. It belongs to our
  // proxy only, not to one that another program has set since.
  if (!wanted_.web_proxy().password().empty() &&
      session.web_proxy().SerializeAsString() ==
          written_proxy_.SerializeAsString()) {
    update.mutable_update_mask()->add_paths("web_proxy.password");
  }
  return update;
}

void SessionCore::Written(v1::Session updated,
                          const std::set<std::string>& paths) {
  session_ = std::move(updated);
  if (paths.count("web_proxy") == 1) written_proxy_ = session_.web_proxy();
}

void SessionCore::Shutdown() {
  std::shared_ptr<SessionHold> hold;
  std::set<std::shared_ptr<JobData>> jobs;
  {
    absl::MutexLock lock(&mutex_);
    down_ = true;
    link_ = nullptr;
    hold.swap(hold_);
    jobs.swap(jobs_);
  }
  hold = nullptr;
  for (const std::shared_ptr<JobData>& job : jobs) {
    job->Abandon(Error(hr::kWuENoService, "the UpdateSession is gone"));
  }
  callbacks_.Stop();
  maintenance_.Stop();
  streams_->Close(kStreamPatience);
}

v1::Session SessionCore::session() const {
  absl::MutexLock lock(&mutex_);
  return session_;
}

std::string SessionCore::session_name() const {
  absl::MutexLock lock(&mutex_);
  return session_.name();
}

absl::Status SessionCore::WriteProperties(
    const v1::Session& session, const std::vector<std::string>& paths) {
  USHER_ASSIGN_OR_RETURN(
      v1::Session updated,
      Call<v1::Session>({}, [&](const Link& link, grpc::ClientContext* context,
                                v1::Session* response) {
        v1::UpdateSessionRequest request;
        *request.mutable_session() = session;
        request.mutable_session()->set_name(link.session);
        for (const std::string& path : paths) {
          request.mutable_update_mask()->add_paths(path);
        }
        return link.sessions->UpdateSession(context, request, response);
      }));
  absl::MutexLock lock(&mutex_);
  Written(std::move(updated), {paths.begin(), paths.end()});
  for (const std::string& path : paths) {
    wanted_paths_.insert(path);
    if (path == "user_locale") wanted_.set_user_locale(session.user_locale());
    if (path == "web_proxy") {
      *wanted_.mutable_web_proxy() = session.web_proxy();
    }
  }
  return absl::OkStatus();
}

absl::Duration SessionCore::Pause() {
  absl::Duration pause = kFirstPause;
  for (int i = 1; i < failures_ && pause < kLongestPause; ++i) pause *= 2;
  // Half of it at random, so that the programs of a machine do not come back
  // in step.
  return std::min(pause, kLongestPause) *
         absl::Uniform<double>(random_, 0.5, 1.0);
}

absl::StatusOr<LinkPtr> SessionCore::Connected(absl::Time give_up) {
  absl::MutexLock lock(&mutex_);
  for (;;) {
    if (down_) return Error(hr::kWuENoService, "the UpdateSession is gone");
    if (link_ != nullptr) return link_;
    const absl::Time now = absl::Now();
    if (!dialing_ && now >= next_attempt_) {
      dialing_ = true;
      mutex_.Unlock();
      absl::StatusOr<std::shared_ptr<Link>> link = Attach();
      std::shared_ptr<SessionHold> hold;
      if (link.ok()) hold = SessionHold::Start(shared_from_this(), *link);
      mutex_.Lock();
      dialing_ = false;
      if (link.ok()) {
        if (down_) {
          hold->Cancel();
          continue;
        }
        failures_ = 0;
        link_ = *std::move(link);
        hold_ = std::move(hold);
        return link_;
      }
      ++failures_;
      next_attempt_ = absl::Now() + Pause();
      last_error_ = link.status();
      // In the background (no end) nothing is final: an administrator may
      // repair what is wrong.
      if (give_up != absl::InfiniteFuture() && !MayPass(last_error_)) {
        return last_error_;
      }
      continue;
    }
    if (now >= give_up) {
      return last_error_.ok() ? Error(hr::kWuENoService,
                                      "the service cannot be reached; is "
                                      "usherd running?")
                              : last_error_;
    }
    const auto ready = [this] {
      mutex_.AssertReaderHeld();
      return down_ || link_ != nullptr;
    };
    if (dialing_) {
      const auto idle = [this] {
        mutex_.AssertReaderHeld();
        return down_ || link_ != nullptr || !dialing_;
      };
      mutex_.AwaitWithDeadline(absl::Condition(&idle), give_up);
    } else {
      mutex_.AwaitWithDeadline(absl::Condition(&ready),
                               std::min(next_attempt_, give_up));
    }
  }
}

LinkPtr SessionCore::PresentLink() const {
  absl::MutexLock lock(&mutex_);
  return link_;
}

void SessionCore::MarkBroken(const LinkPtr& link) {
  std::shared_ptr<SessionHold> hold;
  {
    absl::MutexLock lock(&mutex_);
    if (down_ || link_ != link) return;
    link_ = nullptr;
    hold.swap(hold_);
    // The very first attempt comes after a pause, too: a service that stops
    // breaks all its clients' connections at once.
    failures_ = std::max(failures_, 1);
    next_attempt_ = absl::Now() + Pause();
  }
  if (hold != nullptr) hold->Cancel();
  maintenance_.Post([weak = weak_from_this()] {
    if (const std::shared_ptr<SessionCore> core = weak.lock()) {
      core->Connected(absl::InfiniteFuture()).IgnoreError();
    }
  });
}

absl::Status SessionCore::AfterFailure(const grpc::Status& status,
                                       const LinkPtr& link,
                                       const CallRules& rules,
                                       absl::Time give_up) {
  if (is_shut_down()) {
    return Error(hr::kWuENoService, "the UpdateSession is gone");
  }
  if (IsBrokenConnection(status)) {
    MarkBroken(link);
    if (!rules.repeatable) {
      return Error(hr::kWuENoService,
                   "the connection to the service broke during the call, "
                   "which may or may not have been carried out; look at the "
                   "state before trying again");
    }
    return absl::Now() < give_up
               ? absl::OkStatus()
               : Error(hr::kWuENoService,
                       "the connection to the service keeps breaking");
  }
  absl::Status error = FromGrpc(status);
  // The session itself is unknown: it was closed or has expired while the
  // connection was idle. Nothing was done, so the call can be made again in a
  // new one.
  if (error.code() == absl::StatusCode::kNotFound &&
      SubjectOf(error) == link->session && absl::Now() < give_up) {
    MarkBroken(link);
    return absl::OkStatus();
  }
  return error;
}

CallRules SessionCore::Named(CallRules rules) {
  if (rules.request_id.empty()) rules.request_id = NewRequestId();
  return rules;
}

void SessionCore::Prepare(grpc::ClientContext& context,
                          const CallRules& rules) {
  context.AddMetadata(kRequestIdKey, Named(rules).request_id);
  if (rules.deadline != absl::InfiniteDuration()) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + rules.deadline));
  }
}

void SessionCore::Keep(const std::shared_ptr<JobData>& job) {
  {
    absl::MutexLock lock(&mutex_);
    if (!down_) {
      jobs_.insert(job);
      return;
    }
  }
  job->Abandon(Error(hr::kWuENoService, "the UpdateSession is gone"));
}

void SessionCore::Forget(const std::shared_ptr<JobData>& job) {
  absl::MutexLock lock(&mutex_);
  jobs_.erase(job);
}

bool SessionCore::is_shut_down() const {
  absl::MutexLock lock(&mutex_);
  return down_;
}

}  // namespace usher::internal
