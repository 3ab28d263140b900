#include "tests/unit/download/world.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace usher::download {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

}  // namespace

void Recorder::OnProgress(int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  EXPECT_FALSE(done_) << "progress after the end";
  progress_.push_back(bytes);
}

void Recorder::OnDone(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  EXPECT_FALSE(done_) << "a second end";
  done_ = true;
  status_ = status;
}

absl::Status Recorder::Wait() {
  absl::MutexLock lock(&mutex_);
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&done_), kPatience));
  return status_;
}

bool Recorder::WaitForBytes(int64_t bytes) {
  const auto enough = [this, bytes]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !progress_.empty() && progress_.back() >= bytes;
  };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
}

std::vector<int64_t> Recorder::progress() const {
  absl::MutexLock lock(&mutex_);
  return progress_;
}

DownloadEngine::Options World::QuickOptions() {
  DownloadEngine::Options options;
  options.first_pause = absl::Milliseconds(5);
  options.stall_timeout = absl::Seconds(1);
  return options;
}

World::World(const std::filesystem::path& folder,
             DownloadEngine::Options options, int64_t max_bytes)
    : folder_(folder) {
  absl::StatusOr<std::unique_ptr<store::Database>> database =
      store::Database::Open(folder / "usher.db", {});
  if (!database.ok()) {
    ADD_FAILURE() << database.status();
    return;
  }
  database_ = *std::move(database);
  absl::StatusOr<std::unique_ptr<ContentCache>> cache = ContentCache::Open(
      *database_, {.directory = folder / "cache", .max_bytes = max_bytes});
  if (!cache.ok()) {
    ADD_FAILURE() << cache.status();
    return;
  }
  cache_ = *std::move(cache);
  absl::StatusOr<std::unique_ptr<DownloadEngine>> engine =
      DownloadEngine::Start(*cache_, options);
  if (!engine.ok()) {
    ADD_FAILURE() << engine.status();
    return;
  }
  engine_ = *std::move(engine);
}

FileRequest RequestFor(const std::string& url, const std::string& content) {
  FileRequest request;
  request.url = url;
  request.sha256 = Sha256Of(content);
  request.size = static_cast<int64_t>(content.size());
  request.proxy.auto_detect = false;  // direct
  request.request_id = "test";
  return request;
}

std::shared_ptr<Recorder> World::Fetch(const std::string& url,
                                       const std::string& content,
                                       const CancellationToken& cancel,
                                       int priority) {
  auto recorder = std::make_shared<Recorder>();
  FileRequest request = RequestFor(url, content);
  request.priority = priority;
  engine_->Fetch(request, recorder, cancel);
  return recorder;
}

absl::Status World::Get(const std::string& url, const std::string& content) {
  return Fetch(url, content)->Wait();
}

std::string World::Cached(const std::string& content) {
  const absl::StatusOr<std::unique_ptr<CachedFile>> file =
      cache_->Open(Sha256Of(content));
  if (!file.ok()) {
    ADD_FAILURE() << file.status();
    return "";
  }
  const std::filesystem::path copy = folder_ / "copy";
  const absl::Status copied = (*file)->CopyTo(copy);
  EXPECT_TRUE(copied.ok()) << copied;
  std::string bytes = ReadText(copy);
  std::filesystem::remove(copy);
  return bytes;
}

bool World::HasPartial(const std::string& content) {
  std::filesystem::path meta = cache_->PartialPath(Sha256Of(content));
  if (std::filesystem::exists(meta)) return true;
  meta += ".meta";
  return std::filesystem::exists(meta);
}

}  // namespace usher::download
