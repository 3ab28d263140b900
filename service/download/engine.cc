#include "service/download/engine.h"

#include <curl/curl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "service/download/file_url.h"

namespace usher::download {
namespace {

constexpr int kWorkers = 2;
constexpr absl::Duration kProgressInterval = absl::Milliseconds(100);
constexpr int kLongestPoll = 60 * 1000;  // milliseconds
// An attempt that brings the file on by this much counts as a success of its
// own: a large file over a bad line takes more attempts than a small one. The
// same bytes once more, from a server that knows no ranges, do not count.
constexpr int64_t kProgressThatCounts = int64_t{1} << 20;

std::string LogContext(const Transfer& transfer) {
  const FileRequest& request = transfer.source->request;
  return absl::StrCat("request_id=", request.request_id,
                      " sha256=", ToHex(transfer.digest),
                      " url=", RedactUrl(request.url));
}

// For spdlog, which does not know absl::string_view.
std::string AsText(const absl::Status& status) {
  const absl::string_view message = status.message();
  return {message.data(), message.size()};
}

// A time that no change of the clock disturbs.
absl::Time SteadyNow() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::Status Cancelled(const Waiter& waiter) {
  const std::string name = RedactUrl(waiter.request.url);
  return Error(hr::kWuECallCancelled,
               absl::StrCat("the download of ", name, " was cancelled"), name);
}

absl::Status Stopped(const Waiter& waiter) {
  const std::string name = RedactUrl(waiter.request.url);
  return Error(hr::kWuEServiceStop,
               absl::StrCat("the service stops; the download of ", name,
                            " continues when it is asked for again"),
               name);
}

}  // namespace

Engine::Engine(ContentCache& cache, const Options& options, void* multi)
    : cache_(cache),
      options_(options),
      multi_(multi),
      mailbox_(std::make_shared<Mailbox>(multi)),
      workers_(std::make_unique<WorkerPool>(kWorkers)) {}

void Engine::Start() {
  thread_ = std::thread([this] { Loop(); });
}

Engine::~Engine() {
  if (thread_.joinable()) {
    mailbox_->Post([this] { Stop(); });
    thread_.join();
  }
  workers_.reset();
  mailbox_->Close();
  curl_multi_cleanup(multi_);
}

void Engine::Fetch(const FileRequest& request,
                   std::shared_ptr<FileObserver> observer,
                   const CancellationToken& cancel) {
  auto waiter = std::make_shared<Waiter>();
  waiter->request = request;
  waiter->observer = std::move(observer);
  waiter->cancel = cancel;
  // Before Add is posted, so that the id is there when the thread needs it; a
  // cancellation that overtakes Add is found there.
  waiter->cancel_id = cancel.OnCancel(
      [this, mailbox = mailbox_, weak = std::weak_ptr<Waiter>(waiter)] {
        mailbox->Post([this, weak] {
          if (const std::shared_ptr<Waiter> waiting = weak.lock()) {
            Cancel(waiting);
          }
        });
      });
  mailbox_->Post([this, waiter] { Add(waiter); });
}

void Engine::Loop() {
  while (!stopping_ || !transfers_.empty()) {
    for (const std::function<void()>& letter : mailbox_->Take()) letter();
    int running = 0;
    curl_multi_perform(multi_, &running);
    ReadCurlMessages();
    // The same time for all three, so that nothing falls due in between.
    const absl::Time now = SteadyNow();
    StartDue(now);
    ReportProgress(now);
    curl_multi_poll(multi_, nullptr, 0, PollMilliseconds(now), nullptr);
  }
  // A Fetch that came at the last moment gets its answer, too.
  for (const std::function<void()>& letter : mailbox_->Take()) letter();
}

int Engine::PollMilliseconds(absl::Time now) const {
  if (stopping_ && transfers_.empty()) return 0;
  absl::Time wake = now + absl::Milliseconds(kLongestPoll);
  for (const auto& [id, transfer] : transfers_) {
    // Those whose pause is over wait for a free place, not for the time.
    if (transfer->state == Transfer::State::kWaiting &&
        transfer->not_before > now) {
      wake = std::min(wake, transfer->not_before);
    }
    if (transfer->job != nullptr && transfer->Busy() &&
        (transfer->job->HasBacklog() ||
         transfer->state == Transfer::State::kFinishing ||
         transfer->job->written() != transfer->reported)) {
      wake = std::min(wake, now + kProgressInterval);
    }
  }
  // Rounded up: waking a moment too early would turn into a busy loop.
  return static_cast<int>(
      absl::ToInt64Milliseconds(wake - now + absl::Milliseconds(1)));
}

void Engine::Add(std::shared_ptr<Waiter> waiter) {
  if (stopping_) {
    Deliver(*waiter, Stopped(*waiter));
    return;
  }
  // Cancel may have overtaken it.
  if (waiter->cancel.cancelled()) {
    Deliver(*waiter, Cancelled(*waiter));
    return;
  }
  const FileRequest& request = waiter->request;
  absl::Status valid = absl::OkStatus();
  if (request.size < 0) {
    valid = Error(hr::kEInvalidarg, "a file cannot have a negative size",
                  RedactUrl(request.url));
  } else if (IsFileUrl(request.url)) {
    valid = PathFromFileUrl(request.url).status();
  } else {
    absl::StatusOr<std::string> host = HostOfUrl(request.url);
    valid = host.status();
    if (host.ok()) waiter->host = *std::move(host);
  }
  if (!valid.ok()) {
    Deliver(*waiter, valid);
    return;
  }
  const auto known = by_digest_.find(request.sha256);
  if (known != by_digest_.end()) {
    transfers_.at(known->second)->waiters.push_back(std::move(waiter));
    return;
  }
  auto transfer = std::make_unique<Transfer>();
  transfer->id = ++last_id_;
  transfer->digest = request.sha256;
  transfer->source = waiter;
  transfer->waiters.push_back(std::move(waiter));
  by_digest_[transfer->digest] = transfer->id;
  transfers_[transfer->id] = std::move(transfer);
}

void Engine::Cancel(const std::shared_ptr<Waiter>& waiter) {
  const auto known = by_digest_.find(waiter->request.sha256);
  if (known == by_digest_.end()) return;
  Transfer& transfer = *transfers_.at(known->second);
  const auto at =
      std::find(transfer.waiters.begin(), transfer.waiters.end(), waiter);
  if (at == transfer.waiters.end()) return;
  transfer.waiters.erase(at);
  if (transfer.waiters.empty()) Close(transfer);
  Deliver(*waiter, Cancelled(*waiter));
}

void Engine::Stop() {
  stopping_ = true;
  std::vector<std::shared_ptr<Waiter>> waiters;
  std::vector<Transfer*> transfers;
  for (const auto& [id, transfer] : transfers_) {
    waiters.insert(waiters.end(), transfer->waiters.begin(),
                   transfer->waiters.end());
    transfer->waiters.clear();
    transfers.push_back(transfer.get());
  }
  for (Transfer* transfer : transfers) Close(*transfer);
  for (const std::shared_ptr<Waiter>& waiter : waiters) {
    Deliver(*waiter, Stopped(*waiter));
  }
}

void Engine::OnEvent(uint64_t id, const JobEvent& event) {
  const auto at = transfers_.find(id);
  if (at == transfers_.end()) return;
  Transfer& transfer = *at->second;
  if (transfer.state == Transfer::State::kClosing) {
    if (event.kind == JobEvent::Kind::kClosed) OnClosed(transfer);
    return;
  }
  switch (event.kind) {
    case JobEvent::Kind::kPrepared:
      OnPrepared(transfer, event);
      return;
    case JobEvent::Kind::kRoom:
      if (transfer.http != nullptr) transfer.http->Resume();
      return;
    case JobEvent::Kind::kFailed:
      Fail(transfer, event.status, true);
      return;
    case JobEvent::Kind::kFinished:
      OnFinished(transfer, event);
      return;
    case JobEvent::Kind::kClosed:
      return;
  }
}

void Engine::StartDue(absl::Time now) {
  while (true) {
    Transfer* best = nullptr;
    for (const auto& [id, transfer] : transfers_) {
      if (MayStart(*transfer, now) &&
          (best == nullptr || transfer->Priority() > best->Priority())) {
        best = transfer.get();
      }
    }
    if (best == nullptr) return;
    Begin(*best);
  }
}

bool Engine::MayStart(const Transfer& transfer, absl::Time now) const {
  if (transfer.state != Transfer::State::kWaiting ||
      transfer.not_before > now) {
    return false;
  }
  int busy = 0;
  int busy_on_host = 0;
  for (const auto& [id, other] : transfers_) {
    if (!other->Busy()) continue;
    ++busy;
    if (other->source->host == transfer.source->host) ++busy_on_host;
  }
  return busy < options_.max_transfers &&
         busy_on_host < options_.max_connections_per_host;
}

void Engine::Begin(Transfer& transfer) {
  transfer.state = Transfer::State::kPreparing;
  if (transfer.job == nullptr) {
    transfer.job = std::make_shared<TransferJob>(
        *workers_, cache_, transfer.digest, transfer.source->request.size,
        [this, mailbox = mailbox_, id = transfer.id](JobEvent event) {
          mailbox->Post(
              [this, id, event = std::move(event)] { OnEvent(id, event); });
        });
  }
  transfer.job->Prepare();
}

void Engine::OnPrepared(Transfer& transfer, const JobEvent& event) {
  if (!event.status.ok()) {
    Fail(transfer, event.status, true);
    return;
  }
  if (event.cached) {
    Succeed(transfer, event.offset);
    return;
  }
  if (event.offset > 0) transfer.resumed = true;
  const FileRequest& request = transfer.source->request;
  if (event.offset == request.size) {
    transfer.state = Transfer::State::kFinishing;
    transfer.job->Finish();
  } else if (IsFileUrl(request.url)) {
    const absl::StatusOr<std::filesystem::path> path =
        PathFromFileUrl(request.url);
    if (!path.ok()) {
      Fail(transfer, path.status(), false);
      return;
    }
    transfer.state = Transfer::State::kFinishing;
    transfer.job->CopyFrom(*path);
  } else {
    Receive(transfer, event);
  }
}

void Engine::Receive(Transfer& transfer, const JobEvent& event) {
  const FileRequest& request = transfer.source->request;
  Transfer* const self = &transfer;
  absl::StatusOr<std::unique_ptr<HttpTransfer>> http = HttpTransfer::Create(
      {.url = request.url,
       .proxy = request.proxy,
       .size = request.size,
       .offset = event.offset,
       .validators = event.validators,
       .min_speed = options_.min_speed,
       .stall_time = options_.stall_timeout,
       .connect_timeout = options_.connect_timeout},
      {.begin =
           [self](const Validators& validators, bool restart) {
             if (restart) {
               self->resumed = false;
               self->start = 0;
             }
             self->job->Begin(validators, restart);
           },
       .write =
           [self](absl::string_view bytes) {
             if (!self->job->Write(bytes)) return false;
             self->received += static_cast<int64_t>(bytes.size());
             return true;
           }});
  if (!http.ok()) {
    Fail(transfer, http.status(), false);
    return;
  }
  transfer.start = event.offset;
  transfer.received = 0;
  transfer.http = *std::move(http);
  transfer.state = Transfer::State::kReceiving;
  by_handle_[transfer.http->handle()] = transfer.id;
  const CURLMcode code = curl_multi_add_handle(multi_, transfer.http->handle());
  if (code != CURLM_OK) {
    Fail(transfer,
         Error(hr::kWuEDownloadFailed,
               absl::StrCat("cannot begin the download of ",
                            RedactUrl(request.url), ": ",
                            curl_multi_strerror(code)),
               RedactUrl(request.url)),
         true);
  }
}

void Engine::ReadCurlMessages() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    // The message is gone once the handle is removed.
    const CURLcode code = message->data.result;
    const auto at = by_handle_.find(message->easy_handle);
    if (at != by_handle_.end()) OnReceived(*transfers_.at(at->second), code);
  }
}

void Engine::OnReceived(Transfer& transfer, int code) {
  const std::optional<HttpFault> fault = transfer.http->End(code);
  DropHttp(transfer);
  if (fault.has_value()) {
    OnFault(transfer, *fault);
    return;
  }
  transfer.state = Transfer::State::kFinishing;
  transfer.job->Finish();
}

void Engine::DropHttp(Transfer& transfer) {
  if (transfer.http == nullptr) return;
  curl_multi_remove_handle(multi_, transfer.http->handle());
  by_handle_.erase(transfer.http->handle());
  transfer.http.reset();
}

void Engine::OnFault(Transfer& transfer, const HttpFault& fault) {
  switch (fault.remedy) {
    case Remedy::kNone:
      Fail(transfer, fault.status, false);
      return;
    case Remedy::kRetry: {
      const int64_t reached = transfer.start + transfer.received;
      if (reached - transfer.furthest >= kProgressThatCounts) {
        transfer.furthest = reached;
        transfer.failures = 0;
      }
      ++transfer.failures;
      if (transfer.failures >= options_.max_attempts) {
        Fail(transfer, fault.status, false);
        return;
      }
      const absl::Duration pause = std::max(
          fault.pause, RetryPause(transfer.failures, options_.first_pause));
      spdlog::debug("download interrupted, next attempt in {} ms: {} error={}",
                    absl::ToInt64Milliseconds(pause), LogContext(transfer),
                    AsText(fault.status));
      TryAgain(transfer, pause);
      return;
    }
    case Remedy::kRestart:
      if (!MayRestart(transfer)) {
        transfer.job->Discard();
        Fail(transfer, fault.status, false);
        return;
      }
      transfer.job->Restart();
      TryAgain(transfer, absl::ZeroDuration());
      return;
  }
}

bool Engine::MayRestart(Transfer& transfer) {
  if (!transfer.resumed || transfer.restarted) return false;
  spdlog::debug("the partial file is of no use, from the beginning: {}",
                LogContext(transfer));
  transfer.restarted = true;
  transfer.resumed = false;
  return true;
}

void Engine::OnFinished(Transfer& transfer, const JobEvent& event) {
  if (event.status.ok()) {
    Succeed(transfer, transfer.source->request.size);
    return;
  }
  if (HResultOf(event.status) == hr::kWuEDmIncorrectfilehash &&
      !event.local_fault && MayRestart(transfer)) {
    TryAgain(transfer, absl::ZeroDuration());
    return;
  }
  Fail(transfer,
       Annotate(event.status,
                absl::StrCat("cannot download ",
                             RedactUrl(transfer.source->request.url))),
       event.local_fault);
}

void Engine::Succeed(Transfer& transfer, int64_t size) {
  spdlog::debug("download complete: {} bytes={}", LogContext(transfer), size);
  const int64_t reported = transfer.reported;
  const std::vector<std::shared_ptr<Waiter>> waiters =
      std::move(transfer.waiters);
  by_digest_.erase(transfer.digest);
  transfers_.erase(transfer.id);
  for (const std::shared_ptr<Waiter>& waiter : waiters) {
    if (waiter->request.size != size) {
      Deliver(*waiter,
              Error(hr::kWuEDmIncorrectfilehash,
                    absl::StrCat("the content has ", size, " bytes, not ",
                                 waiter->request.size, " as the catalog says"),
                    RedactUrl(waiter->request.url)));
      continue;
    }
    if (reported != size) waiter->observer->OnProgress(size);
    Deliver(*waiter, absl::OkStatus());
  }
}

void Engine::Fail(Transfer& transfer, const absl::Status& status,
                  bool everyone) {
  spdlog::debug("download failed: {} error={}", LogContext(transfer),
                AsText(status));
  // Others may know a better source.
  const auto others = std::stable_partition(
      transfer.waiters.begin(), transfer.waiters.end(),
      [&](const std::shared_ptr<Waiter>& waiter) {
        return everyone ||
               SameSource(waiter->request, transfer.source->request);
      });
  // Told when the files are closed, or gone.
  transfer.failed.assign(transfer.waiters.begin(), others);
  transfer.failure = status;
  transfer.waiters.erase(transfer.waiters.begin(), others);
  DropHttp(transfer);
  if (transfer.job != nullptr) transfer.job->DiscardIfEmpty();
  Close(transfer);
}

void Engine::TryAgain(Transfer& transfer, absl::Duration pause) {
  transfer.job->Flush();
  transfer.state = Transfer::State::kWaiting;
  transfer.not_before = SteadyNow() + pause;
}

void Engine::Close(Transfer& transfer) {
  if (transfer.state == Transfer::State::kClosing) return;
  DropHttp(transfer);
  transfer.state = Transfer::State::kClosing;
  if (transfer.job == nullptr) {
    OnClosed(transfer);
  } else {
    transfer.job->Close();
  }
}

void Engine::OnClosed(Transfer& transfer) {
  for (const std::shared_ptr<Waiter>& waiter : transfer.failed) {
    Deliver(*waiter, transfer.failure);
  }
  transfer.failed.clear();
  if (transfer.waiters.empty()) {
    by_digest_.erase(transfer.digest);
    transfers_.erase(transfer.id);
    return;
  }
  // Somebody came meanwhile, or has another source.
  transfer.state = Transfer::State::kWaiting;
  transfer.source = transfer.waiters.front();
  transfer.job.reset();
  transfer.not_before = absl::InfinitePast();
  transfer.failures = 0;
  transfer.furthest = 0;
  transfer.resumed = false;
  transfer.restarted = false;
  transfer.reported = 0;
}

void Engine::ReportProgress(absl::Time now) {
  for (const auto& [id, transfer] : transfers_) {
    if (transfer->job == nullptr || !transfer->Busy()) continue;
    if (now < transfer->report_after) continue;
    // On a slow line nothing else would make what was gathered go on.
    transfer->job->Flush();
    const int64_t written = transfer->job->written();
    if (written == transfer->reported) continue;
    transfer->reported = written;
    transfer->report_after = now + kProgressInterval;
    for (const std::shared_ptr<Waiter>& waiter : transfer->waiters) {
      waiter->observer->OnProgress(written);
    }
  }
}

}  // namespace usher::download
