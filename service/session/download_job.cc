#include "service/session/download_job.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "service/download/content_cache.h"
#include "service/download/download_engine.h"
#include "service/session/core.h"
#include "spdlog/spdlog.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/update.pb.h"

namespace usher::session {
namespace {

// Updates fetched at a time: enough to hide the latency of small ones.
constexpr int kWindow = 4;
// Bundles within bundles.
constexpr int kMaxDepth = 8;
constexpr size_t kMaxFiles = 10'000;

int Percent(int64_t part, int64_t whole) {
  if (whole <= 0) return 0;
  return static_cast<int>(std::clamp<int64_t>(part * 100 / whole, 0, 100));
}

}  // namespace

// Tells the job about one file, as long as there is a job.
class DownloadJob::Observer : public download::FileObserver {
 public:
  Observer(std::shared_ptr<DownloadJob> job, int index, int file)
      : job_(std::move(job)), index_(index), file_(file) {}

  void OnProgress(int64_t bytes) override {
    job_->OnFileProgress(index_, file_, bytes);
  }
  void OnDone(const absl::Status& status) override {
    job_->OnFileDone(index_, file_, status);
  }

 private:
  const std::shared_ptr<DownloadJob> job_;
  const int index_;
  const int file_;
};

DownloadJob::DownloadJob(Core& core, const v1::Job& initial,
                         std::string session_id, std::string id,
                         DownloadPlan plan)
    : Job(core.job_hooks(), initial, std::move(session_id), std::move(id)),
      core_(core),
      plan_(std::move(plan)) {}

DownloadJob::~DownloadJob() = default;

std::shared_ptr<DownloadJob> DownloadJob::Self() {
  return std::static_pointer_cast<DownloadJob>(shared_from_this());
}

void DownloadJob::Begin() {
  ChangeState(Weight::kVisible, [](v1::Job& job) {
    job.set_state(v1::JOB_STATE_RUNNING);
    job.mutable_download_progress()->set_current_update_download_phase(
        v1::DOWNLOAD_PHASE_INITIALIZING);
  });
  core_.work().Post(Caller{plan_.owner, /*is_administrator=*/false},
                    [self = Self()] { self->Plan(); });
}

void DownloadJob::Result(int index, int result_code, HResult hresult,
                         absl::string_view message) {
  v1::UpdateResult result;
  result.set_update_index(index);
  result.set_result_code(static_cast<v1::OperationResultCode>(result_code));
  result.set_hresult(hresult);
  result.set_message(std::string(message));
  SetResult(result);
}

void DownloadJob::Plan() {
  v1::Job state;
  Read(state);
  std::vector<Item> items(plan_.updates.size());
  for (const v1::UpdateResult& result : state.update_results()) {
    if (result.result_code() > v1::OPERATION_RESULT_CODE_IN_PROGRESS) {
      items[result.update_index()].finished = true;
    }
    if (result.result_code() == v1::OPERATION_RESULT_CODE_SUCCEEDED) {
      KeepItem(result.update_index(), items[result.update_index()]);
    }
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].finished || cancel().cancelled() || core_.stopping()) continue;
    MarkBegun(static_cast<int>(i));
    const absl::Status status = PlanItem(static_cast<int>(i), items[i]);
    if (status.ok()) continue;
    items[i].finished = true;
    Result(static_cast<int>(i), v1::OPERATION_RESULT_CODE_FAILED,
           HResultOf(status), status.message());
  }
  {
    absl::MutexLock lock(&items_mutex_);
    items_ = std::move(items);
    for (const Item& item : items_) {
      for (const File& file : item.files) total_bytes_ += file.size;
    }
  }
  cancel().OnCancel([weak = std::weak_ptr<DownloadJob>(Self())] {
    if (const auto job = weak.lock()) job->CancelItems();
  });
  ReportProgress();
  StartMore();
}

absl::Status DownloadJob::PlanItem(int index, Item& item) {
  const catalog::UpdateKey& key = plan_.updates[index];
  if (!plan_.is_forced) {
    USHER_ASSIGN_OR_RETURN(const catalog::Catalog::Applicability state,
                           core_.catalog().Evaluate(key));
    if (state.is_installed) {  // UAMG-174
      item.finished = true;
      Result(index, v1::OPERATION_RESULT_CODE_SUCCEEDED,
             hr::kWuSAlreadyInstalled,
             "already installed; set is_forced to download it all the same");
      return absl::OkStatus();
    }
    if (!state.is_installable) {
      return Error(hr::kWuENotApplicable,
                   "not applicable to this machine; set is_forced to download "
                   "it all the same",
                   key.update_id);
    }
  }
  USHER_RETURN_IF_ERROR(CollectFiles(key, 0, item));
  if (item.files.empty()) {  // UAMG-173
    item.finished = true;
    Result(index, v1::OPERATION_RESULT_CODE_SUCCEEDED,
           hr::kWuSAlreadyDownloaded, "");
    return absl::OkStatus();
  }
  // It could be fetched, but never be there as a whole afterwards.
  if (const int64_t limit = core_.cache().MaxBytes();
      limit > 0 && item.bytes > limit) {
    return Error(hr::kWuEDmDownloadlimitedbyupdatesize,
                 absl::StrCat("the update's files have ", item.bytes,
                              " bytes, and the service keeps ", limit,
                              " at most; raise cache_max_bytes in its "
                              "configuration"),
                 key.update_id);
  }
  return absl::OkStatus();
}

void DownloadJob::KeepItem(int index, Item& item) {
  // What the catalog does not know any more is kept by nobody.
  CollectFiles(plan_.updates[index], 0, item).IgnoreError();
  item.files.clear();
}

absl::Status DownloadJob::CollectFiles(const catalog::UpdateKey& key, int depth,
                                       Item& item) {
  if (depth > kMaxDepth) {
    return Error(hr::kWuEInvalidUpdate, "bundles are nested too deeply",
                 key.update_id);
  }
  USHER_ASSIGN_OR_RETURN(const v1::Update update,
                         core_.catalog().Get(key, plan_.locale));
  for (const v1::UpdateDownloadContent& content : update.download_contents()) {
    File file;
    file.url = content.download_url();
    file.size = content.size();
    USHER_ASSIGN_OR_RETURN(file.sha256, ParseSha256Hex(content.sha256()));
    if (!item.pins.contains(file.sha256)) item.bytes += file.size;
    // Before it is looked for, so that it is still there afterwards.
    item.pins[file.sha256] = core_.cache().Pin(file.sha256);
    // Not Contains, which knows nothing of files removed behind its back:
    // "already downloaded" must be true.
    if (core_.cache().Open(file.sha256).ok()) continue;
    if (item.files.size() >= kMaxFiles) {
      return Error(hr::kWuEInvalidUpdate, "the update has too many files",
                   key.update_id);
    }
    item.files.push_back(std::move(file));
  }
  for (const v1::UpdateKey& child : update.bundled_updates()) {
    USHER_RETURN_IF_ERROR(CollectFiles(
        {child.service_id().empty() ? key.service_id : child.service_id(),
         child.update_id(), child.revision_number()},
        depth + 1, item));
  }
  return absl::OkStatus();
}

void DownloadJob::StartMore() {
  struct Start {
    int index;
    int file;
    download::FileRequest request;
    CancellationToken cancel;
  };
  std::vector<Start> starts;
  bool ended = false;
  {
    absl::MutexLock lock(&items_mutex_);
    if (core_.stopping()) stopped_ = true;
    while (!stopped_ && !cancel().cancelled() && running_ < kWindow &&
           next_ < items_.size()) {
      const size_t index = next_++;
      Item& item = items_[index];
      if (item.finished) continue;
      ++running_;
      item.open_files = static_cast<int>(item.files.size());
      for (size_t f = 0; f < item.files.size(); ++f) {
        download::FileRequest request;
        request.url = item.files[f].url;
        request.sha256 = item.files[f].sha256;
        request.size = item.files[f].size;
        request.priority = plan_.priority;
        request.proxy = plan_.proxy;
        request.request_id = request_id();
        starts.push_back({static_cast<int>(index), static_cast<int>(f),
                          std::move(request), item.cancel});
      }
    }
    ended = running_ == 0 && starts.empty();
  }
  for (Start& start : starts) {
    MarkBegun(start.index);
    core_.Fetch(start.request,
                std::make_shared<Observer>(Self(), start.index, start.file),
                start.cancel);
  }
  if (ended) End();
}

void DownloadJob::OnFileProgress(int index, int file, int64_t bytes) {
  {
    absl::MutexLock lock(&items_mutex_);
    File& known = items_[index].files[file];
    const int64_t done = std::min(bytes, known.size);
    if (done <= known.done) return;  // a new attempt starts from the beginning
    done_bytes_ += done - known.done;
    known.done = done;
  }
  ReportProgress();
}

void DownloadJob::OnFileDone(int index, int file, const absl::Status& status) {
  bool cancel_rest = false;
  bool last = false;
  absl::Status error;
  CancellationToken rest;
  {
    absl::MutexLock lock(&items_mutex_);
    Item& item = items_[index];
    File& known = item.files[file];
    if (status.ok()) {
      done_bytes_ += known.size - known.done;
      known.done = known.size;
    } else if (item.error.ok()) {
      item.error = Annotate(status, known.url);
      cancel_rest = true;
    }
    last = --item.open_files == 0;
    error = item.error;
    rest = item.cancel;
  }
  if (cancel_rest && !last) rest.Cancel();
  if (last) {
    FinishItem(index, error);
    StartMore();
  } else {
    ReportProgress();
  }
}

void DownloadJob::FinishItem(int index, const absl::Status& error) {
  const bool aborted = cancel().cancelled();
  const bool parked =
      !error.ok() && !aborted &&
      (HResultOf(error) == hr::kWuEServiceStop || core_.stopping());
  // The result first: once this update counts as finished, the job may end.
  if (error.ok()) {
    Result(index, v1::OPERATION_RESULT_CODE_SUCCEEDED, hr::kSOk, "");
  } else if (aborted) {
    Result(index, v1::OPERATION_RESULT_CODE_ABORTED, hr::kWuECallCancelled,
           "the download was aborted");
  } else if (!parked) {
    Result(index, v1::OPERATION_RESULT_CODE_FAILED, HResultOf(error),
           error.message());
  }
  {
    absl::MutexLock lock(&items_mutex_);
    --running_;
    if (parked) {
      stopped_ = true;
    } else {
      items_[index].finished = true;
    }
  }
  ReportProgress();
}

void DownloadJob::ReportProgress() {
  v1::DownloadProgress progress;
  {
    absl::MutexLock lock(&items_mutex_);
    if (items_.empty()) return;
    size_t current = 0;
    size_t finished = 0;
    for (size_t i = items_.size(); i > 0; --i) {
      if (items_[i - 1].finished) {
        ++finished;
      } else {
        current = i - 1;
      }
    }
    if (finished == items_.size()) current = items_.size() - 1;
    int64_t bytes = 0;
    int64_t size = 0;
    for (const File& file : items_[current].files) {
      bytes += file.done;
      size += file.size;
    }
    progress.set_current_update_index(static_cast<int32_t>(current));
    progress.set_current_update_download_phase(
        bytes == 0     ? v1::DOWNLOAD_PHASE_INITIALIZING
        : bytes < size ? v1::DOWNLOAD_PHASE_DOWNLOADING
                       : v1::DOWNLOAD_PHASE_VERIFYING);
    progress.set_current_update_bytes_downloaded(bytes);
    progress.set_current_update_bytes_to_download(size);
    progress.set_current_update_percent_complete(
        items_[current].finished ? 100 : Percent(bytes, size));
    progress.set_total_bytes_downloaded(done_bytes_);
    progress.set_total_bytes_to_download(total_bytes_);
    progress.set_percent_complete(
        total_bytes_ > 0 ? Percent(done_bytes_, total_bytes_)
                         : Percent(static_cast<int64_t>(finished),
                                   static_cast<int64_t>(items_.size())));
  }
  ChangeState(Weight::kProgress, [&progress](v1::Job& job) {
    v1::DownloadProgress& shown = *job.mutable_download_progress();
    // Two threads may report at a time; what is shown never goes back.
    if (progress.total_bytes_downloaded() < shown.total_bytes_downloaded() ||
        progress.current_update_index() < shown.current_update_index() ||
        progress.percent_complete() < shown.percent_complete()) {
      return;
    }
    shown = progress;
  });
}

void DownloadJob::CancelItems() {
  std::vector<CancellationToken> tokens;
  {
    absl::MutexLock lock(&items_mutex_);
    for (const Item& item : items_) tokens.push_back(item.cancel);
  }
  for (CancellationToken& token : tokens) token.Cancel();
}

void DownloadJob::End() {
  bool parked = false;
  std::vector<int> untried;
  {
    absl::MutexLock lock(&items_mutex_);
    for (size_t i = 0; i < items_.size(); ++i) {
      if (!items_[i].finished) untried.push_back(static_cast<int>(i));
      items_[i].pins.clear();
    }
    parked = stopped_ && !untried.empty() && !cancel().cancelled();
  }
  if (parked) {
    Park();
    return;
  }
  for (const int index : untried) {
    Result(index, v1::OPERATION_RESULT_CODE_ABORTED, hr::kWuECallCancelled,
           "the download was aborted before this update");
  }
  v1::Job state;
  Read(state);
  const Outcome outcome = OverallOutcome(state);
  Complete(outcome.result_code, outcome.hresult, "");
}

}  // namespace usher::session
