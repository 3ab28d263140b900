#ifndef USHER_CLIENT_INTERNAL_REMOTE_OBJECT_H_
#define USHER_CLIENT_INTERNAL_REMOTE_OBJECT_H_

// The SDK's side of a searcher, downloader or installer of the service.

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "client/internal/session_core.h"
#include "common/error.h"

namespace usher::internal {

// Keeps a copy of the object's properties, so that one that the service lost
// (a restart, an expired session) can be made again. Thread-safe. Drops the
// service's object when destroyed. `Traits` names the messages and calls.
template <typename Traits>
class RemoteObject {
 public:
  using Message = typename Traits::Message;

  // Makes the object at the service.
  template <typename Object>
  static absl::StatusOr<std::shared_ptr<Object>> Make(
      std::shared_ptr<SessionCore> core) {
    auto object = std::make_shared<Object>(std::move(core));
    USHER_RETURN_IF_ERROR(object->Name().status());
    return object;
  }

  explicit RemoteObject(std::shared_ptr<SessionCore> core)
      : core_(std::move(core)) {}
  RemoteObject(const RemoteObject&) = delete;
  RemoteObject& operator=(const RemoteObject&) = delete;

  ~RemoteObject() {
    const LinkPtr link = core_->PresentLink();
    if (link == nullptr || message_.name().empty()) return;
    // Best effort, but waited for: a short-lived program would otherwise leave
    // an object behind each time it runs.
    grpc::ClientContext context;
    SessionCore::Prepare(context, {.deadline = absl::Seconds(1)});
    Traits::Delete(*link, &context, message_.name());
  }

  const std::shared_ptr<SessionCore>& core() const { return core_; }

  Message message() const {
    absl::MutexLock lock(&mutex_);
    return message_;
  }

  // Writes one property: `set` changes the message, `path` names the field.
  template <typename Setter>
  absl::Status Write(const std::string& path, const Setter& set) {
    absl::MutexLock lock(&write_mutex_);
    Message changed;
    set(changed);
    absl::StatusOr<Message> written =
        Call<Message>({}, [&](const Link& link, const std::string& name,
                              grpc::ClientContext* context, Message* response) {
          Message request = changed;
          request.set_name(name);
          return Traits::Write(link, context, request, path, response);
        });
    if (!written.ok()) return written.status();
    absl::MutexLock message_lock(&mutex_);
    written->set_name(message_.name());
    message_ = *std::move(written);
    paths_.insert(path);
    return absl::OkStatus();
  }

  // Reads the object from the service.
  absl::StatusOr<Message> Read() {
    return Call<Message>({},
                         [](const Link& link, const std::string& name,
                            grpc::ClientContext* context, Message* response) {
                           return Traits::Read(link, context, name, response);
                         });
  }

  // Runs `call(link, object name, context, response)`; once more with a new
  // object when the service does not know this one.
  template <typename Response, typename Function>
  absl::StatusOr<Response> Call(const CallRules& wanted, const Function& call) {
    const CallRules rules = SessionCore::Named(wanted);
    for (bool again = true;; again = false) {
      USHER_ASSIGN_OR_RETURN(const std::string name, Name());
      absl::StatusOr<Response> response = core_->Call<Response>(
          rules, [&](const Link& link, grpc::ClientContext* context,
                     Response* out) { return call(link, name, context, out); });
      if (response.ok() || !again || !ForgetIfLost(response.status(), name)) {
        return response;
      }
    }
  }

  // The object's name, made again if it was lost.
  absl::StatusOr<std::string> Name() {
    absl::MutexLock lock(&mutex_);
    if (message_.name().empty()) USHER_RETURN_IF_ERROR(Create());
    return message_.name();
  }

  // True if `error` says that the service does not know `name`; it will then
  // be made again.
  bool ForgetIfLost(const absl::Status& error, const std::string& name) {
    if (error.code() != absl::StatusCode::kNotFound) return false;
    const std::string subject = SubjectOf(error);
    if (!subject.empty() && !absl::StartsWith(subject, "sessions/")) {
      return false;
    }
    absl::MutexLock lock(&mutex_);
    if (message_.name() == name) message_.clear_name();
    return true;
  }

 private:
  absl::Status Create() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Message wanted = message_;
    const std::set<std::string>& paths = paths_;
    USHER_ASSIGN_OR_RETURN(
        message_, core_->Call<Message>({}, [&](const Link& link,
                                               grpc::ClientContext* context,
                                               Message* response) {
          return Traits::Create(link, context, wanted, paths, response);
        }));
    return absl::OkStatus();
  }

  const std::shared_ptr<SessionCore> core_;
  absl::Mutex write_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  Message message_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> paths_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_REMOTE_OBJECT_H_
