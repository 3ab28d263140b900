#include "service/download/transfer_job.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"

namespace usher::download {
namespace {

constexpr size_t kBlock = size_t{256} << 10;
// With this much waiting the connection is held back until half is written.
constexpr size_t kMaxPending = size_t{4} << 20;
constexpr int64_t kCopySlice = int64_t{8} << 20;

}  // namespace

TransferJob::TransferJob(WorkerPool& pool, ContentCache& cache,
                         const Sha256Digest& digest, int64_t size,
                         Listener listener)
    : cache_(cache),
      digest_(digest),
      size_(size),
      listener_(std::move(listener)),
      strand_(std::make_shared<Strand>(pool)),
      partial_(cache.PartialPath(digest), digest, size) {}

void TransferJob::Prepare() {
  strand_->Post([self = shared_from_this()] { self->PrepareOnWorker(); });
}

void TransferJob::PrepareOnWorker() {
  if (abandoned()) return;
  JobEvent event{.kind = JobEvent::Kind::kPrepared};
  if (cache_.Contains(digest_)) {
    // Opening finds out whether the file is still there.
    const absl::StatusOr<std::unique_ptr<CachedFile>> file =
        cache_.Open(digest_);
    if (file.ok()) {
      partial_.Discard();
      event.cached = true;
      event.offset = (*file)->size();
      Tell(std::move(event));
      return;
    }
  }
  if (failure_.ok() && !partial_.is_open()) failure_ = partial_.Open();
  if (!failure_.ok()) {
    event.status = failure_;
    Tell(std::move(event));
    return;
  }
  RehashOnWorker();
}

void TransferJob::RehashOnWorker() {
  if (abandoned()) return;
  const absl::StatusOr<bool> done = partial_.RehashSome();
  if (done.ok() && !*done) {
    strand_->PostNext([self = shared_from_this()] { self->RehashOnWorker(); });
    return;
  }
  UpdateWritten();
  Tell({.kind = JobEvent::Kind::kPrepared,
        .status = done.status(),
        .offset = partial_.offset(),
        .validators = partial_.validators()});
}

void TransferJob::Begin(const Validators& validators, bool restart) {
  strand_->Post([self = shared_from_this(), validators, restart] {
    if (!self->failure_.ok()) return;
    absl::Status status = restart ? self->partial_.Restart() : absl::OkStatus();
    self->UpdateWritten();
    if (status.ok()) status = self->partial_.SaveValidators(validators);
    if (!status.ok()) self->Fail(status);
  });
}

bool TransferJob::Write(absl::string_view bytes) {
  bool idle = false;
  {
    absl::MutexLock lock(&mutex_);
    if (pending_ + current_.size() >= kMaxPending) {
      wants_room_ = true;
      return false;
    }
    idle = pending_ == 0;
    if (current_.empty() && !spare_.empty()) {
      current_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  current_.reserve(kBlock);
  current_.append(bytes.data(), bytes.size());
  // Small pieces are gathered only while the worker is busy anyway.
  if (idle || current_.size() >= kBlock) Flush();
  return true;
}

void TransferJob::Flush() {
  if (current_.empty()) return;
  {
    absl::MutexLock lock(&mutex_);
    pending_ += current_.size();
  }
  strand_->Post(
      [self = shared_from_this(), block = std::move(current_)]() mutable {
        self->AppendOnWorker(block);
      });
  current_ = std::string();
}

void TransferJob::AppendOnWorker(std::string& block) {
  if (failure_.ok()) {
    const absl::Status status = partial_.Append(block);
    UpdateWritten();
    if (!status.ok()) Fail(status);
  }
  GiveBack(std::move(block));
}

void TransferJob::GiveBack(std::string block) {
  const size_t size = block.size();
  block.clear();
  bool room = false;
  {
    absl::MutexLock lock(&mutex_);
    pending_ -= size;
    if (spare_.size() < kMaxPending / kBlock) {
      spare_.push_back(std::move(block));
    }
    if (wants_room_ && pending_ <= kMaxPending / 2) {
      wants_room_ = false;
      room = true;
    }
  }
  if (room) Tell({.kind = JobEvent::Kind::kRoom});
}

bool TransferJob::HasBacklog() const {
  if (!current_.empty()) return true;
  absl::MutexLock lock(&mutex_);
  return pending_ > 0;
}

void TransferJob::Fail(const absl::Status& status) {
  failure_ = status;
  if (HResultOf(status) == hr::kErrorDiskFull) partial_.Discard();
  Tell({.kind = JobEvent::Kind::kFailed, .status = status});
}

void TransferJob::Finish() {
  Flush();
  strand_->Post([self = shared_from_this()] { self->FinishOnWorker(); });
}

void TransferJob::FinishOnWorker() {
  if (abandoned() || !failure_.ok()) return;
  absl::Status status = partial_.Finish();
  if (!status.ok()) {
    TellFinished(status, HResultOf(status) != hr::kWuEDmIncorrectfilehash);
    return;
  }
  USHER_FAULT_POINT("download.before_commit");
  status = cache_.Commit(digest_, size_);
  if (status.ok()) partial_.RemoveSideFile();
  TellFinished(status, true);
}

void TransferJob::TellFinished(const absl::Status& status, bool local_fault) {
  Tell({.kind = JobEvent::Kind::kFinished,
        .status = status,
        .local_fault = local_fault});
}

void TransferJob::CopyFrom(const std::filesystem::path& source) {
  strand_->Post([self = shared_from_this(), source] {
    if (self->abandoned() || !self->failure_.ok()) return;
    absl::StatusOr<platform::File> file =
        platform::File::Open(source, platform::OpenMode::kReadFollowingLinks);
    absl::StatusOr<int64_t> size =
        file.ok() ? file->Size() : absl::StatusOr<int64_t>(file.status());
    if (!size.ok()) {
      self->TellFinished(size.status(), false);
      return;
    }
    if (*size != self->size_) {
      self->partial_.Discard();
      self->TellFinished(Error(hr::kWuEDmIncorrectfilehash,
                               absl::StrCat(PathToUtf8(source), " has ", *size,
                                            " bytes instead of ", self->size_),
                               PathToUtf8(source)),
                         false);
      return;
    }
    self->CopyOnWorker(std::make_shared<platform::File>(*std::move(file)));
  });
}

void TransferJob::CopyOnWorker(std::shared_ptr<platform::File> source) {
  if (abandoned()) return;
  std::string block(static_cast<size_t>(std::min<int64_t>(size_, kBlock)), 0);
  const int64_t end = std::min(size_, partial_.offset() + kCopySlice);
  while (partial_.offset() < end) {
    const auto wanted =
        static_cast<size_t>(std::min<int64_t>(kBlock, end - partial_.offset()));
    const absl::StatusOr<size_t> count =
        source->ReadAt(partial_.offset(), block.data(), wanted);
    if (!count.ok()) {
      TellFinished(count.status(), false);
      return;
    }
    // Shorter than it was a moment ago; Finish says so.
    if (*count == 0) break;
    const absl::Status status =
        partial_.Append(absl::string_view(block.data(), *count));
    UpdateWritten();
    if (!status.ok()) {
      Fail(status);
      return;
    }
  }
  if (partial_.offset() < end || end == size_) {
    FinishOnWorker();
    return;
  }
  strand_->PostNext([self = shared_from_this(), source = std::move(source)] {
    self->CopyOnWorker(source);
  });
}

void TransferJob::Restart() {
  current_.clear();
  strand_->Post([self = shared_from_this()] {
    if (!self->failure_.ok() || !self->partial_.is_open()) return;
    const absl::Status status = self->partial_.Restart();
    self->UpdateWritten();
    if (!status.ok()) self->Fail(status);
  });
}

void TransferJob::Discard() {
  current_.clear();
  strand_->Post([self = shared_from_this()] {
    self->partial_.Discard();
    self->UpdateWritten();
  });
}

void TransferJob::DiscardIfEmpty() {
  strand_->Post([self = shared_from_this()] {
    if (self->partial_.IsEmpty()) self->partial_.Discard();
  });
}

void TransferJob::Close() {
  Flush();
  abandoned_.store(true, std::memory_order_relaxed);
  strand_->Post([self = shared_from_this()] {
    self->partial_.Close();
    self->Tell({.kind = JobEvent::Kind::kClosed});
  });
}

}  // namespace usher::download
