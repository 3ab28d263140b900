#include "service/session/session.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/repository/repository.h"
#include "service/session/job.h"
#include "service/session/names.h"
#include "service/session/proto_time.h"
#include "usher/v1/session.pb.h"

namespace usher::session {
namespace {

std::string ObjectKey(absl::string_view collection, absl::string_view id) {
  return absl::StrCat(collection, "/", id);
}

}  // namespace

Session::Session(SessionKey key, const Limits& limits, std::string user_locale,
                 const v1::WebProxy& web_proxy)
    : key_(std::move(key)),
      limits_(limits),
      user_locale_(std::move(user_locale)),
      web_proxy_(std::make_unique<v1::WebProxy>(web_proxy)),
      last_used_(key_.create_time) {}

Session::~Session() = default;

std::string Session::user_locale() const {
  absl::MutexLock lock(&mutex_);
  return user_locale_;
}

void Session::ReadProxy(v1::WebProxy& out, bool for_reader) const {
  absl::MutexLock lock(&mutex_);
  out = *web_proxy_;
  if (for_reader) {
    out.clear_password();
    out.set_read_only(key_.read_only);
  }
}

repository::ProxySettings Session::Proxy() const {
  absl::MutexLock lock(&mutex_);
  repository::ProxySettings proxy;
  proxy.auto_detect = web_proxy_->auto_detect();
  if (proxy.auto_detect) return proxy;  // the rest has no effect (UAMG-240)
  proxy.address = web_proxy_->address();
  proxy.bypass_list.assign(web_proxy_->bypass_list().begin(),
                           web_proxy_->bypass_list().end());
  proxy.bypass_on_local = web_proxy_->bypass_proxy_on_local();
  proxy.user_name = web_proxy_->user_name();
  proxy.password = web_proxy_->password();
  return proxy;
}

void Session::Read(v1::Session& out) const {
  out.set_name(SessionName(key_.id));
  out.set_client_application_id(key_.client_application_id);
  out.set_read_only(key_.read_only);
  out.set_owner(key_.owner);
  SetTime(key_.create_time, *out.mutable_create_time());
  absl::MutexLock lock(&mutex_);
  out.set_user_locale(user_locale_);
  v1::WebProxy& proxy = *out.mutable_web_proxy();
  proxy = *web_proxy_;
  proxy.clear_password();
  proxy.set_read_only(key_.read_only);
  if (const absl::Time deadline = DeadlineLocked();
      deadline != absl::InfiniteFuture()) {
    SetTime(deadline, *out.mutable_expire_time());
  }
  out.set_watcher_count(static_cast<int32_t>(holders_.size()));
  out.set_job_count(static_cast<int32_t>(jobs_.size()));
}

absl::Status Session::Change(
    absl::FunctionRef<absl::Status(v1::Session&)> change) {
  USHER_RETURN_IF_ERROR(CheckWritable());
  absl::MutexLock lock(&mutex_);
  USHER_RETURN_IF_ERROR(CheckOpen());
  v1::Session properties;
  properties.set_user_locale(user_locale_);
  *properties.mutable_web_proxy() = *web_proxy_;
  USHER_RETURN_IF_ERROR(change(properties));
  user_locale_ = properties.user_locale();
  web_proxy_->Swap(properties.mutable_web_proxy());
  return absl::OkStatus();
}

absl::Status Session::CheckWritable() const {
  if (!key_.read_only) return absl::OkStatus();
  return Error(hr::kWuENotSupported,
               absl::StrCat(SessionName(key_.id), " was opened read-only"),
               SessionName(key_.id));
}

absl::Status Session::AddObject(absl::string_view collection,
                                const std::string& id, Object object) {
  absl::MutexLock lock(&mutex_);
  USHER_RETURN_IF_ERROR(CheckOpen());
  if (static_cast<int>(objects_.size()) >= limits_.objects_per_session) {
    return LimitReached("objects of one session", limits_.objects_per_session,
                        "objects_per_session");
  }
  objects_[ObjectKey(collection, id)] = std::move(object);
  return absl::OkStatus();
}

Session::Object Session::FindObject(absl::string_view collection,
                                    const std::string& id) const {
  absl::MutexLock lock(&mutex_);
  const auto it = objects_.find(ObjectKey(collection, id));
  return it == objects_.end() ? nullptr : it->second;
}

absl::StatusOr<Session::Object> Session::ChangeObject(
    absl::string_view collection, const std::string& id,
    absl::FunctionRef<absl::Status(google::protobuf::Message&)> change) {
  USHER_RETURN_IF_ERROR(CheckWritable());
  absl::MutexLock lock(&mutex_);
  USHER_RETURN_IF_ERROR(CheckOpen());
  const auto it = objects_.find(ObjectKey(collection, id));
  if (it == objects_.end()) {
    return UnknownName(ChildName(key_.id, collection, id));
  }
  std::shared_ptr<google::protobuf::Message> copy(it->second->New());
  copy->CopyFrom(*it->second);
  USHER_RETURN_IF_ERROR(change(*copy));
  it->second = std::move(copy);
  return it->second;
}

bool Session::RemoveObject(absl::string_view collection,
                           const std::string& id) {
  absl::MutexLock lock(&mutex_);
  return objects_.erase(ObjectKey(collection, id)) > 0;
}

absl::Status Session::AddJob(const std::shared_ptr<Job>& job,
                             std::shared_ptr<Job>* dropped) {
  absl::MutexLock lock(&mutex_);
  USHER_RETURN_IF_ERROR(CheckOpen());
  if (RunningLocked() >= limits_.running_jobs_per_session) {
    return LimitReached("running jobs of one session",
                        limits_.running_jobs_per_session,
                        "running_jobs_per_session");
  }
  if (static_cast<int>(jobs_.size()) >= limits_.jobs_per_session) {
    const auto oldest = std::find_if(
        jobs_.begin(), jobs_.end(),
        [](const std::shared_ptr<Job>& kept) { return kept->ended(); });
    if (oldest == jobs_.end()) {
      return LimitReached("jobs of one session", limits_.jobs_per_session,
                          "jobs_per_session");
    }
    *dropped = *oldest;
    jobs_.erase(oldest);
  }
  jobs_.push_back(job);
  return absl::OkStatus();
}

void Session::RestoreJob(std::shared_ptr<Job> job) {
  // With which rights it was begun is not kept.
  job->set_owner({key_.owner, /*is_administrator=*/false});
  absl::MutexLock lock(&mutex_);
  jobs_.push_back(std::move(job));
}

std::shared_ptr<Job> Session::FindJob(const std::string& id) const {
  absl::MutexLock lock(&mutex_);
  const auto it = std::find_if(
      jobs_.begin(), jobs_.end(),
      [&id](const std::shared_ptr<Job>& job) { return job->id() == id; });
  return it == jobs_.end() ? nullptr : *it;
}

std::vector<std::shared_ptr<Job>> Session::Jobs() const {
  absl::MutexLock lock(&mutex_);
  return jobs_;
}

bool Session::RemoveJob(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  return std::erase_if(jobs_, [&id](const std::shared_ptr<Job>& job) {
           return job->id() == id;
         }) > 0;
}

int Session::RunningJobs() const {
  absl::MutexLock lock(&mutex_);
  return RunningLocked();
}

void Session::Touch(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  last_used_ = std::max(last_used_, now);
}

absl::Time Session::Deadline() const {
  absl::MutexLock lock(&mutex_);
  return DeadlineLocked();
}

absl::StatusOr<uint64_t> Session::Hold(std::function<void(SessionEnd)> ended) {
  absl::MutexLock lock(&mutex_);
  USHER_RETURN_IF_ERROR(CheckOpen());
  if (static_cast<int>(holders_.size()) + watches_ >=
      limits_.watches_per_session) {
    return LimitReached("watches of one session", limits_.watches_per_session,
                        "watches_per_session");
  }
  holders_[++next_holder_] = std::move(ended);
  return next_holder_;
}

void Session::Release(uint64_t holder, absl::Time now) {
  std::function<void(SessionEnd)> dropped;  // outlives the lock
  absl::MutexLock lock(&mutex_);
  const auto it = holders_.find(holder);
  if (it == holders_.end()) return;
  dropped = std::move(it->second);
  holders_.erase(it);
  last_used_ = std::max(last_used_, now);
}

absl::Status Session::AddWatch() {
  absl::MutexLock lock(&mutex_);
  if (static_cast<int>(holders_.size()) + watches_ >=
      limits_.watches_per_session) {
    return LimitReached("watches of one session", limits_.watches_per_session,
                        "watches_per_session");
  }
  ++watches_;
  return absl::OkStatus();
}

void Session::RemoveWatch() {
  absl::MutexLock lock(&mutex_);
  --watches_;
}

bool Session::closed() const {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

std::vector<std::shared_ptr<Job>> Session::Close() {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) return {};
    closed_ = true;
    objects_.clear();
    jobs.swap(jobs_);
  }
  TellHolders(SessionEnd::kClosed);
  return jobs;
}

void Session::TellStopping() { TellHolders(SessionEnd::kServiceStopping); }

void Session::TellHolders(SessionEnd end) {
  std::vector<std::function<void(SessionEnd)>> callbacks;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, callback] : holders_) callbacks.push_back(callback);
  }
  for (const auto& callback : callbacks) callback(end);
}

absl::Time Session::DeadlineLocked() const {
  if (!holders_.empty() || RunningLocked() > 0) return absl::InfiniteFuture();
  return last_used_ + limits_.session_idle_timeout;
}

absl::Status Session::CheckOpen() const {
  return closed_ ? UnknownName(SessionName(key_.id)) : absl::OkStatus();
}

int Session::RunningLocked() const {
  return static_cast<int>(std::count_if(
      jobs_.begin(), jobs_.end(),
      [](const std::shared_ptr<Job>& job) { return !job->completed(); }));
}

}  // namespace usher::session
