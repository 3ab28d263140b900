#include "service/session/core.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/error.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/install/install_engine.h"
#include "service/session/job.h"
#include "service/session/restore.h"
#include "service/store/database.h"
#include "spdlog/spdlog.h"
#include "usher/v1/job.pb.h"

namespace usher::session {
namespace {

// Some hundred bytes each: at this pace one caller takes days to fill the log
// files of the defaults, and all together most of one.
constexpr LineLimit::Limits kLines = {60, 600, absl::Minutes(1)};

}  // namespace

CoreParts::CoreParts() = default;
CoreParts::CoreParts(CoreParts&&) noexcept = default;
CoreParts::~CoreParts() = default;

Core::Core(CoreOptions options, CoreParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      start_time_(parts_.clock->Now()),
      log_lines_(kLines,
                 [](const std::string& line) { spdlog::warn("{}", line); }),
      persistence_(*parts_.database),
      sessions_(options_.limits, *parts_.clock, timers_,
                {[this](const std::shared_ptr<Session>& session) {
                   persistence_.SaveSession(session);
                 },
                 [this](const std::shared_ptr<Session>& session) {
                   persistence_.DropSession(session->key().id);
                   DropVolatileServices(session->key().id);
                 }}),
      services_(options_.services, *parts_.database, *parts_.catalog,
                *parts_.repositories, *parts_.clock),
      work_(options_.work_threads, options_.reserved_work_threads),
      network_(options_.network_threads),
      administration_(options_.administration_threads) {
  auto hooks = std::make_shared<JobHooks>();
  hooks->timers = &timers_;
  hooks->clock = parts_.clock.get();
  hooks->changed = [this](const std::shared_ptr<Job>& job) {
    persistence_.SaveJob(job);
  };
  hooks->settled = [this](const std::shared_ptr<Job>& job) {
    OnJobSettled(job);
  };
  hooks->may_log = [this](int level, int kind, const Caller& owner) {
    return MayLogJob(level, kind, owner);
  };
  job_hooks_ = std::move(hooks);
}

absl::StatusOr<std::unique_ptr<Core>> Core::Start(CoreOptions options,
                                                  CoreParts parts) {
  std::unique_ptr<Core> core(new Core(std::move(options), std::move(parts)));
  USHER_RETURN_IF_ERROR(core->services_.Load());
  USHER_RETURN_IF_ERROR(RestoreSessions(*core));
  core->services_.DropVolatileUnless([&core](absl::string_view session_id) {
    const std::vector<std::shared_ptr<Session>> sessions =
        core->sessions_.ListAll();
    return std::any_of(sessions.begin(), sessions.end(),
                       [session_id](const std::shared_ptr<Session>& session) {
                         return session->key().id == session_id;
                       });
  });
  return core;
}

Core::~Core() {
  Stop();
  timers_.Stop();
  network_.Drain();
  administration_.Drain();
  work_.Drain();
  // The engine's observers hold jobs, which must go before what they use.
  parts_.installs.reset();
}

void Core::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  stop_token_.Cancel();
  for (const std::shared_ptr<Session>& session : sessions_.ListAll()) {
    session->TellStopping();
    for (const std::shared_ptr<Job>& job : session->Jobs()) {
      // A search cannot be taken up again by another process.
      if (job->kind() == v1::JOB_KIND_SEARCH) job->RequestAbort();
    }
  }
  std::unique_ptr<download::DownloadEngine> downloads;
  {
    absl::MutexLock lock(&downloads_mutex_);
    downloads = std::move(parts_.downloads);
  }
  downloads.reset();  // its observers are told to park
  parts_.installs->Stop();
}

bool Core::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

absl::Status Core::CheckRunning() const {
  if (!stopping()) return absl::OkStatus();
  return Error(hr::kWuEServiceStop,
               "the service is stopping; try again when it is back");
}

void Core::Fetch(const download::FileRequest& request,
                 std::shared_ptr<download::FileObserver> observer,
                 const CancellationToken& cancel) {
  {
    absl::ReaderMutexLock lock(&downloads_mutex_);
    if (parts_.downloads != nullptr) {
      parts_.downloads->Fetch(request, std::move(observer), cancel);
      return;
    }
  }
  observer->OnDone(Error(hr::kWuEServiceStop, "the service is stopping"));
}

void Core::OnJobSettled(const std::shared_ptr<Job>& job) {
  if (const std::shared_ptr<Session> session =
          sessions_.FindOfAnybody(job->session_id());
      session != nullptr) {
    session->Touch(clock().Now());
  }
  v1::Job state;
  job->Read(state);
  LogSettled(state, job->owner());
  sessions_.ArmExpiry();
}

bool Core::MayLogJob(int level, int kind, const Caller& owner) {
  if (level <= spdlog::level::debug || owner.is_administrator) return true;
  const bool everybody =
      kind == v1::JOB_KIND_SEARCH ||
      (kind == v1::JOB_KIND_DOWNLOAD && policy().users_may_download);
  return !everybody || log_lines_.Admit(owner.user, absl::Now());
}

void Core::LogSettled(const v1::Job& state, const Caller& owner) {
  if (state.state() == v1::JOB_STATE_PARKED) {
    if (!MayLogJob(spdlog::level::info, state.kind(), owner)) return;
    spdlog::info("job request_id={} job={} parked", state.request_id(),
                 state.name());
    return;
  }
  const bool search = state.kind() == v1::JOB_KIND_SEARCH;
  // A search only reads (CallRecord::Kind::kRead).
  const auto level = Failed(state.hresult()) ? spdlog::level::warn
                     : search                ? spdlog::level::debug
                                             : spdlog::level::info;
  if (!spdlog::should_log(level) || !MayLogJob(level, state.kind(), owner)) {
    return;
  }
  spdlog::log(
      level,
      "job request_id={} job={} kind={} updates={} result={} hresult={} "
      "duration_ms={}",
      state.request_id(), state.name(), v1::JobKind_Name(state.kind()),
      state.updates_size(), v1::OperationResultCode_Name(state.result_code()),
      FormatHResult(state.hresult()),
      (state.complete_time().seconds() - state.create_time().seconds()) * 1000 +
          (state.complete_time().nanos() - state.create_time().nanos()) /
              1'000'000);
}

void Core::DropVolatileServices(const std::string& session_id) {
  if (!services_.HasVolatile(session_id)) return;
  administration_.Post(
      [this, session_id] { services_.DropVolatile(session_id); });
}

int Core::RunningJobs() const {
  int running = 0;
  for (const std::shared_ptr<Session>& session : sessions_.ListAll()) {
    running += session->RunningJobs();
  }
  return running;
}

absl::Status Core::TakeRows(const std::string& user, int64_t rows) {
  absl::MutexLock lock(&mutex_);
  int64_t& taken = rows_[user];
  if (taken + rows > options_.limits.search_rows_per_caller) {
    return LimitReached("rows of kept search results of one caller",
                        options_.limits.search_rows_per_caller,
                        "search_rows_per_caller");
  }
  taken += rows;
  return absl::OkStatus();
}

void Core::ReturnRows(const std::string& user, int64_t rows) {
  absl::MutexLock lock(&mutex_);
  const auto it = rows_.find(user);
  if (it == rows_.end()) return;
  it->second -= rows;
  if (it->second <= 0) rows_.erase(it);
}

}  // namespace usher::session
