#include "service/session/install_job.h"

#include <algorithm>
#include <utility>

#include "common/error.h"
#include "service/session/core.h"
#include "service/session/proto_time.h"
#include "service/store/history_store.h"
#include "spdlog/spdlog.h"
#include "usher/v1/history.pb.h"
#include "usher/v1/job.pb.h"

namespace usher::session {
namespace {

// Entries of one update that are looked at when a result was not stored.
constexpr int64_t kHistoryLook = 16;

v1::UpdateResult ToWire(int index, const install::InstallResult& result) {
  v1::UpdateResult wire;
  wire.set_update_index(index);
  wire.set_result_code(
      static_cast<v1::OperationResultCode>(result.result_code));
  wire.set_hresult(result.hresult);
  wire.set_reboot_required(result.reboot_required);
  wire.set_message(result.message);
  wire.set_unmapped_result_code(result.unmapped_result_code);
  return wire;
}

}  // namespace

// Keeps the job alive as long as the engine works for it.
class InstallJob::Observer : public install::InstallObserver {
 public:
  explicit Observer(std::shared_ptr<InstallJob> job) : job_(std::move(job)) {}

  void OnProgress(int index, int percent) override {
    job_->OnProgress(index, percent);
  }
  void OnUpdateDone(int index, const install::InstallResult& result) override {
    job_->OnUpdateDone(index, result);
  }
  void OnFinished(bool parked) override {
    if (parked) {
      job_->Park();
    } else {
      job_->Finish();
    }
  }

 private:
  const std::shared_ptr<InstallJob> job_;
};

InstallJob::InstallJob(Core& core, const v1::Job& initial,
                       std::string session_id, std::string id,
                       install::InstallRequest request)
    : Job(core.job_hooks(), initial, std::move(session_id), std::move(id)),
      core_(core),
      request_(std::move(request)) {}

InstallJob::~InstallJob() = default;

std::shared_ptr<InstallJob> InstallJob::Self() {
  return std::static_pointer_cast<InstallJob>(shared_from_this());
}

void InstallJob::SetRunning() {
  ChangeState(Weight::kVisible, [](v1::Job& job) {
    if (job.state() != v1::JOB_STATE_QUEUED) return;
    job.set_state(v1::JOB_STATE_RUNNING);
    job.mutable_installation_progress();
  });
}

absl::Status InstallJob::Begin() {
  USHER_RETURN_IF_ERROR(core_.installs().Begin(
      request_, std::make_shared<Observer>(Self()), cancel()));
  SetRunning();
  return absl::OkStatus();
}

absl::Status InstallJob::Resume(
    const std::vector<install::InstallResult>& results) {
  for (size_t i = 0; i < results.size() && i < request_.updates.size(); ++i) {
    if (results[i].result_code > v1::OPERATION_RESULT_CODE_IN_PROGRESS) {
      SetResult(ToWire(static_cast<int>(i), results[i]));
    }
  }
  USHER_RETURN_IF_ERROR(core_.installs().Resume(
      request_.job_id, std::make_shared<Observer>(Self()), cancel()));
  SetRunning();
  return absl::OkStatus();
}

void InstallJob::Settle() {
  v1::Job state;
  Read(state);
  std::vector<bool> known(request_.updates.size(), false);
  for (const v1::UpdateResult& result : state.update_results()) {
    if (result.result_code() > v1::OPERATION_RESULT_CODE_IN_PROGRESS) {
      known[result.update_index()] = true;
    }
  }
  const absl::Time begun = ToTime(state.create_time());
  for (size_t i = 0; i < request_.updates.size(); ++i) {
    if (known[i]) continue;
    const catalog::UpdateKey& key = request_.updates[i];
    install::InstallResult result;
    result.result_code = v1::OPERATION_RESULT_CODE_FAILED;
    result.hresult = hr::kWuEServiceStop;
    result.message = "the service stopped before this update was tried";
    bool found = false;
    const absl::Status status = store::QueryHistory(
        core_.database(), key.update_id, 0, kHistoryLook,
        [&](const v1::UpdateHistoryEntry& entry) {
          if (found || ToTime(entry.date()) < begun ||
              entry.operation() != static_cast<int>(request_.operation) ||
              entry.update_identity().revision_number() != key.revision) {
            return absl::OkStatus();
          }
          found = true;
          result.result_code = entry.result_code();
          result.hresult = entry.hresult();
          result.message = entry.message();
          result.unmapped_result_code = entry.unmapped_result_code();
          return absl::OkStatus();
        });
    if (!status.ok() && HResultOf(status) != hr::kWuEInvalidindex) {
      spdlog::warn("request_id={} cannot look up history: {}", request_id(),
                   std::string(status.message()));
    }
    SetResult(ToWire(static_cast<int>(i), result));
  }
  Finish();
}

void InstallJob::OnProgress(int index, int percent) {
  if (percent == 0) MarkBegun(index);
  const auto count = static_cast<int>(request_.updates.size());
  const int whole =
      std::clamp((index * 100 + percent) / std::max(count, 1), 0, 100);
  ChangeState(Weight::kProgress, [&](v1::Job& job) {
    v1::InstallationProgress& shown = *job.mutable_installation_progress();
    if (index < shown.current_update_index() ||
        whole < shown.percent_complete()) {
      return;
    }
    shown.set_current_update_index(index);
    shown.set_current_update_percent_complete(std::clamp(percent, 0, 100));
    shown.set_percent_complete(whole);
  });
}

void InstallJob::OnUpdateDone(int index, const install::InstallResult& result) {
  OnProgress(index, 100);
  SetResult(ToWire(index, result));
}

void InstallJob::Finish() {
  v1::Job state;
  Read(state);
  const Outcome outcome = OverallOutcome(state);
  Complete(outcome.result_code, outcome.hresult, "");
}

}  // namespace usher::session
