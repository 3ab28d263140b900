#include "service/session/job.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/error.h"
#include "common/hresult.h"
#include "service/session/clock.h"
#include "service/session/names.h"
#include "service/session/proto_time.h"
#include "service/session/text.h"
#include "service/session/timers.h"
#include "spdlog/spdlog.h"
#include "usher/v1/job.pb.h"

namespace usher::session {
namespace {

// Mere progress is told at most this often.
constexpr absl::Duration kTellInterval = absl::Milliseconds(100);

bool IsSettled(const v1::Job& job) {
  return job.state() == v1::JOB_STATE_COMPLETED ||
         job.state() == v1::JOB_STATE_PARKED;
}

}  // namespace

Job::Job(std::shared_ptr<const JobHooks> hooks, const v1::Job& initial,
         std::string session_id, std::string id)
    : hooks_(std::move(hooks)),
      session_id_(std::move(session_id)),
      id_(std::move(id)),
      request_id_(initial.request_id()),
      kind_(initial.kind()),
      create_time_(ToTime(initial.create_time())),
      state_(std::make_unique<v1::Job>(initial)) {
  for (const v1::UpdateResult& result : initial.update_results()) {
    result_versions_[result.update_index()] = version_;
  }
  if (initial.abort_requested()) CancellationToken(cancel_).Cancel();
}

Job::~Job() = default;

void Job::Read(v1::Job& out) const {
  absl::MutexLock lock(&mutex_);
  out = *state_;
}

bool Job::completed() const {
  absl::MutexLock lock(&mutex_);
  return state_->state() == v1::JOB_STATE_COMPLETED;
}

bool Job::settled() const {
  absl::MutexLock lock(&mutex_);
  return IsSettled(*state_);
}

bool Job::parked() const {
  absl::MutexLock lock(&mutex_);
  return state_->state() == v1::JOB_STATE_PARKED;
}

bool Job::ended() const {
  absl::MutexLock lock(&mutex_);
  return state_->ended();
}

void Job::RequestAbort() {
  {
    absl::MutexLock lock(&mutex_);
    if (state_->state() == v1::JOB_STATE_COMPLETED ||
        state_->abort_requested()) {
      return;
    }
    state_->set_abort_requested(true);
    ++version_;
  }
  Tell(Weight::kVisible);
  CancellationToken(cancel_).Cancel();
}

void Job::Refuse(const absl::Status& why) {
  Complete(v1::OPERATION_RESULT_CODE_FAILED, HResultOf(why), why.message());
}

absl::Status Job::BeginEnd(int kind) {
  absl::MutexLock lock(&mutex_);
  if (kind != kind_) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat(state_->name(), " is a job of another kind"),
                 state_->name());
  }
  if (state_->ended() || ending_) {
    return Error(
        hr::kWuEInvalidOperation,
        absl::StrCat("the result of ", state_->name(), " was taken already"),
        state_->name());
  }
  ending_ = true;
  return absl::OkStatus();
}

void Job::FinishEnd() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = false;
    state_->set_ended(true);
    ++version_;
  }
  Tell(Weight::kVisible);
}

void Job::AbandonEnd() {
  absl::MutexLock lock(&mutex_);
  ending_ = false;
}

uint64_t Job::OnSettled(std::function<void()> callback) {
  {
    absl::MutexLock lock(&mutex_);
    if (!IsSettled(*state_)) {
      const uint64_t id = ++next_callback_;
      on_settled_[id] =
          std::make_shared<std::function<void()>>(std::move(callback));
      return id;
    }
  }
  callback();
  return 0;
}

uint64_t Job::OnChange(std::function<void()> callback) {
  absl::MutexLock lock(&mutex_);
  const uint64_t id = ++next_callback_;
  on_change_[id] = std::make_shared<std::function<void()>>(std::move(callback));
  return id;
}

void Job::Forget(uint64_t callback_id) {
  std::shared_ptr<std::function<void()>> dropped;  // outlives the lock
  absl::MutexLock lock(&mutex_);
  for (Callbacks* callbacks : {&on_settled_, &on_change_}) {
    const auto it = callbacks->find(callback_id);
    if (it == callbacks->end()) continue;
    dropped = std::move(it->second);
    callbacks->erase(it);
  }
}

Job::Change Job::Next(Seen& seen, v1::JobEvent& event) const {
  absl::MutexLock lock(&mutex_);
  if (seen.version == version_) return Change::kNone;
  const bool last = IsSettled(*state_);
  v1::Job& job = *event.mutable_job();
  job = *state_;
  job.clear_updates();
  if (!last) {
    job.clear_update_results();
    for (const v1::UpdateResult& result : state_->update_results()) {
      const auto it = result_versions_.find(result.update_index());
      if (it != result_versions_.end() && it->second > seen.version) {
        *job.add_update_results() = result;
      }
    }
  }
  seen.version = version_;
  return last ? Change::kLast : Change::kEvent;
}

void Job::ChangeState(Weight weight,
                      const std::function<void(v1::Job&)>& change) {
  {
    absl::MutexLock lock(&mutex_);
    if (state_->state() == v1::JOB_STATE_COMPLETED) return;
    change(*state_);
    ++version_;
  }
  Tell(weight);
}

void Job::MarkBegun(int update_index) {
  absl::MutexLock lock(&mutex_);
  begun_[update_index] = absl::Now();
}

void Job::LogResult(const v1::UpdateResult& result, const v1::UpdateKey& key,
                    absl::Duration took) const {
  const auto level = result.result_code() == v1::OPERATION_RESULT_CODE_FAILED
                         ? spdlog::level::warn
                         : spdlog::level::info;
  if (!spdlog::should_log(level) ||
      (hooks_->may_log && !hooks_->may_log(level, kind_, owner_))) {
    return;
  }
  // Messages quote what publishers and installers write: escaped, so that none
  // of them writes lines of its own into the log.
  spdlog::log(
      level,
      "update request_id={} job={} kind={} service={} update={} revision={} "
      "result={} hresult={} duration_ms={}{}{}",
      request_id_, ChildName(session_id_, kJobs, id_),
      v1::JobKind_Name(static_cast<v1::JobKind>(kind_)), key.service_id(),
      key.update_id(), key.revision_number(),
      v1::OperationResultCode_Name(result.result_code()),
      FormatHResult(result.hresult()), absl::ToInt64Milliseconds(took),
      result.message().empty() ? "" : " message=",
      absl::Utf8SafeCEscape(result.message()));
}

void Job::SetResult(const v1::UpdateResult& result) {
  bool final_result = false;
  v1::UpdateKey key;
  v1::UpdateResult kept;
  absl::Duration took;
  {
    absl::MutexLock lock(&mutex_);
    if (state_->state() == v1::JOB_STATE_COMPLETED) return;
    v1::UpdateResult* slot = nullptr;
    for (v1::UpdateResult& known : *state_->mutable_update_results()) {
      if (known.update_index() == result.update_index()) slot = &known;
    }
    if (slot == nullptr) {
      slot = state_->add_update_results();
    } else if (slot->result_code() > v1::OPERATION_RESULT_CODE_IN_PROGRESS) {
      return;
    }
    *slot = result;
    slot->set_message(Shorten(result.message(), kMaxResultMessageBytes));
    result_versions_[result.update_index()] = ++version_;
    final_result = result.result_code() > v1::OPERATION_RESULT_CODE_IN_PROGRESS;
    if (final_result) {
      kept = *slot;
      if (result.update_index() < state_->updates_size()) {
        key = state_->updates(result.update_index());
      }
      const auto begun = begun_.find(result.update_index());
      if (begun != begun_.end()) {
        took = absl::Now() - begun->second;
        begun_.erase(begun);
      }
    }
  }
  if (final_result) LogResult(kept, key, took);
  Tell(final_result ? Weight::kVisible : Weight::kProgress);
}

void Job::Complete(int result_code, HResult hresult,
                   absl::string_view message) {
  {
    absl::MutexLock lock(&mutex_);
    if (state_->state() == v1::JOB_STATE_COMPLETED) return;
    state_->set_state(v1::JOB_STATE_COMPLETED);
    state_->set_result_code(static_cast<v1::OperationResultCode>(result_code));
    state_->set_hresult(hresult);
    state_->set_message(Shorten(message, kMaxResultMessageBytes));
    SetTime(hooks_->clock->Now(), *state_->mutable_complete_time());
    ++version_;
  }
  Tell(Weight::kVisible);
  Settle();
}

void Job::Park() {
  {
    absl::MutexLock lock(&mutex_);
    if (IsSettled(*state_)) return;
    state_->set_state(v1::JOB_STATE_PARKED);
    ++version_;
  }
  Tell(Weight::kVisible);
  Settle();
}

void Job::Settle() {
  Callbacks callbacks;
  {
    absl::MutexLock lock(&mutex_);
    if (settle_told_) return;
    settle_told_ = true;
    callbacks.swap(on_settled_);
  }
  if (hooks_->settled) hooks_->settled(shared_from_this());
  for (const auto& [id, callback] : callbacks) (*callback)();
}

void Job::Tell(Weight weight) {
  if (weight == Weight::kVisible) {
    if (hooks_->changed) hooks_->changed(shared_from_this());
    TellNow();
    return;
  }
  absl::Duration wait;
  {
    absl::MutexLock lock(&mutex_);
    if (tell_pending_ || on_change_.empty()) return;
    wait = last_told_ + kTellInterval - absl::Now();
    if (wait > absl::ZeroDuration()) tell_pending_ = true;
  }
  if (wait <= absl::ZeroDuration()) {
    TellNow();
    return;
  }
  hooks_->timers->After(wait, [weak = weak_from_this()] {
    if (const std::shared_ptr<Job> self = weak.lock()) self->TellNow();
  });
}

void Job::TellNow() {
  Callbacks callbacks;
  {
    absl::MutexLock lock(&mutex_);
    tell_pending_ = false;
    last_told_ = absl::Now();
    callbacks = on_change_;
  }
  for (const auto& [id, callback] : callbacks) (*callback)();
}

Outcome OverallOutcome(const v1::Job& job) {
  int succeeded = 0;
  int failed = 0;
  bool aborted = job.abort_requested();
  bool partly = false;
  for (const v1::UpdateResult& result : job.update_results()) {
    switch (result.result_code()) {
      case v1::OPERATION_RESULT_CODE_SUCCEEDED:
        ++succeeded;
        break;
      case v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS:
        ++succeeded;
        partly = true;
        break;
      case v1::OPERATION_RESULT_CODE_ABORTED:
        aborted = true;
        break;
      default:
        ++failed;
        break;
    }
  }
  // An abort that came after everything had finished changes nothing.
  if (aborted && succeeded + failed < job.updates_size()) {
    return {v1::OPERATION_RESULT_CODE_ABORTED, hr::kWuECallCancelled};
  }
  if (failed > 0 && succeeded == 0) {
    return {v1::OPERATION_RESULT_CODE_FAILED, hr::kWuEAllUpdatesFailed};
  }
  if (failed > 0 || partly) {
    return {v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS,
            hr::kWuSUpdateError};
  }
  return {v1::OPERATION_RESULT_CODE_SUCCEEDED, hr::kSOk};
}

}  // namespace usher::session
