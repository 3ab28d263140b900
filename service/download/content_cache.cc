#include "service/download/content_cache.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "service/download/cached_file.h"
#include "service/download/content_layout.h"
#include "service/download/content_pins.h"
#include "service/download/content_rows.h"
#include "service/platform/filesystem/file.h"
#include "service/store/database.h"

namespace usher::download {
namespace {

namespace fs = std::filesystem;

// An unfinished download that nobody continued for so long is dropped.
constexpr absl::Duration kMaxPartialAge = absl::Hours(24 * 14);

// Two locks: `change_` is held for the whole of a change of files and rows,
// `mutex_` only while memory is read or changed, so that Contains never waits
// for a disk. `change_` comes first.
class Cache final : public ContentCache {
 public:
  Cache(store::Database& database, const Options& options)
      : database_(database),
        layout_(options.directory),
        max_bytes_(options.max_bytes) {}
  ~Cache() override;

  absl::Status Load();

  bool Contains(const Sha256Digest& digest) const override;
  absl::StatusOr<std::unique_ptr<CachedFile>> Open(
      const Sha256Digest& digest) override;
  fs::path PartialPath(const Sha256Digest& digest) override {
    return layout_.Partial(digest);
  }
  absl::Status Commit(const Sha256Digest& digest, int64_t size) override;
  absl::Status Remove(const Sha256Digest& digest) override;
  ContentPin Pin(const Sha256Digest& digest) override {
    return pins_->Pin(digest);
  }
  int64_t MaxBytes() const override { return max_bytes_; }
  int64_t TotalBytes() const override;

 private:
  struct Entry {
    int64_t size = 0;
    int64_t last_used = 0;
    int open_files = 0;
    // Not the same as that of an entry that replaced it.
    uint64_t generation = 0;
    // last_used is newer than in the index.
    bool touched = false;
  };

  void Insert(const Sha256Digest& digest, int64_t size, int64_t last_used,
              bool touched) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True if there was such an entry.
  bool Erase(const Sha256Digest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A time stamp later than all before.
  int64_t NextUse() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Forgets the least recently used entries that are neither open nor pinned
  // nor `keep` until the rest fits; returns them.
  std::vector<Sha256Digest> TakeSurplus(const Sha256Digest& keep)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Rows whose last_used changed since they were saved.
  std::vector<ContentRow> TakeTouched() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Status AdoptOrDrop(const Sha256Digest& digest, const fs::path& path);
  absl::Status MoveIn(const Sha256Digest& digest, int64_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_);
  // Removes an entry with its file and row; with `generation` not 0 only when
  // it is still that one.
  absl::Status Drop(const Sha256Digest& digest, uint64_t generation)
      ABSL_LOCKS_EXCLUDED(change_, mutex_);
  absl::StatusOr<platform::File> OpenContent(const Sha256Digest& digest,
                                             int64_t size);
  void Release(const Sha256Digest& digest, uint64_t generation)
      ABSL_LOCKS_EXCLUDED(mutex_);

  store::Database& database_;
  const ContentLayout layout_;
  const int64_t max_bytes_;
  const std::shared_ptr<ContentPins> pins_ = std::make_shared<ContentPins>();

  absl::Mutex change_;
  mutable absl::Mutex mutex_ ABSL_ACQUIRED_AFTER(change_);
  absl::flat_hash_map<Sha256Digest, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<int64_t, Sha256Digest>> by_use_ ABSL_GUARDED_BY(mutex_);
  int64_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t latest_use_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

void Cache::Insert(const Sha256Digest& digest, int64_t size, int64_t last_used,
                   bool touched) {
  Erase(digest);
  entries_[digest] = Entry{.size = size,
                           .last_used = last_used,
                           .generation = ++last_generation_,
                           .touched = touched};
  by_use_.emplace(last_used, digest);
  total_ += size;
  latest_use_ = std::max(latest_use_, last_used);
}

bool Cache::Erase(const Sha256Digest& digest) {
  const auto at = entries_.find(digest);
  if (at == entries_.end()) return false;
  total_ -= at->second.size;
  by_use_.erase({at->second.last_used, digest});
  entries_.erase(at);
  return true;
}

int64_t Cache::NextUse() {
  // Strictly growing also when the clock is set back.
  latest_use_ = std::max(latest_use_ + 1, absl::ToUnixMicros(absl::Now()));
  return latest_use_;
}

// A file without row was moved in, but not recorded, when the power went: it
// counts as unfinished, so that the next request hashes it and takes it in
// without any transfer.
absl::Status Cache::AdoptOrDrop(const Sha256Digest& digest,
                                const fs::path& path) {
  absl::Status moved = RenameDurably(path, layout_.Partial(digest));
  return moved.ok() ? moved : RemoveTree(path);
}

absl::Status Cache::Load() {
  USHER_RETURN_IF_ERROR(layout_.Prepare());
  USHER_RETURN_IF_ERROR(layout_.RemoveStalePartials(kMaxPartialAge));
  USHER_ASSIGN_OR_RETURN(const std::vector<ContentRow> rows,
                         LoadContentRows(database_));
  absl::flat_hash_map<Sha256Digest, ContentRow> missing;
  for (const ContentRow& row : rows) missing.emplace(row.digest, row);

  absl::MutexLock lock(&mutex_);
  USHER_RETURN_IF_ERROR(layout_.ForEachContent(
      [&](const Sha256Digest& digest, const fs::path& path) -> absl::Status {
        mutex_.AssertHeld();
        const auto row = missing.find(digest);
        if (row == missing.end()) return AdoptOrDrop(digest, path);
        std::error_code error;
        const auto size = fs::file_size(path, error);
        // A row that stays in `missing` is dropped below.
        if (error || size != static_cast<uint64_t>(row->second.size)) {
          return RemoveTree(path);
        }
        Insert(digest, row->second.size, row->second.last_used, false);
        missing.erase(row);
        return absl::OkStatus();
      }));
  if (missing.empty()) return absl::OkStatus();
  return database_.Write([&missing](store::Connection& connection) {
    for (const auto& [digest, row] : missing) {
      USHER_RETURN_IF_ERROR(DeleteContentRow(connection, digest));
    }
    return absl::OkStatus();
  });
}

Cache::~Cache() {
  const std::vector<ContentRow> touched = TakeTouched();
  if (touched.empty()) return;
  // Only the order of eviction is at stake.
  database_
      .Write([&touched](store::Connection& connection) {
        for (const ContentRow& row : touched) {
          USHER_RETURN_IF_ERROR(SaveContentRow(connection, row));
        }
        return absl::OkStatus();
      })
      .IgnoreError();
}

bool Cache::Contains(const Sha256Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  return entries_.contains(digest);
}

int64_t Cache::TotalBytes() const {
  absl::MutexLock lock(&mutex_);
  return total_;
}

absl::StatusOr<std::unique_ptr<CachedFile>> Cache::Open(
    const Sha256Digest& digest) {
  int64_t size = 0;
  uint64_t generation = 0;
  {
    absl::MutexLock lock(&mutex_);
    const auto at = entries_.find(digest);
    if (at == entries_.end()) {
      const std::string hex = ToHex(digest);
      return Error(hr::kWuEDmNotdownloaded,
                   absl::StrCat("the content ", hex,
                                " is not in the cache; download it first"),
                   hex);
    }
    Entry& entry = at->second;
    by_use_.erase({entry.last_used, digest});
    entry.last_used = NextUse();
    entry.touched = true;
    by_use_.emplace(entry.last_used, digest);
    // From here on it is not evicted.
    ++entry.open_files;
    size = entry.size;
    generation = entry.generation;
  }
  absl::StatusOr<platform::File> file = OpenContent(digest, size);
  if (!file.ok()) {
    Release(digest, generation);
    USHER_RETURN_IF_ERROR(Drop(digest, generation));
    return std::move(file).status();
  }
  return std::make_unique<OpenCachedFile>(
      *std::move(file), digest, size,
      OpenCachedFile::Owner{
          .release = [this, digest,
                      generation] { Release(digest, generation); },
          .drop = [this, digest,
                   generation] { return Drop(digest, generation); }});
}

absl::StatusOr<platform::File> Cache::OpenContent(const Sha256Digest& digest,
                                                  int64_t size) {
  const std::string hex = ToHex(digest);
  absl::StatusOr<platform::File> file =
      platform::File::Open(layout_.Content(digest), platform::OpenMode::kRead);
  if (!file.ok()) {
    return Error(hr::kWuEDmDownloadfilemissing,
                 absl::StrCat("the content ", hex,
                              " is gone from the cache; download it again (",
                              file.status().message(), ")"),
                 hex);
  }
  USHER_ASSIGN_OR_RETURN(const int64_t found, file->Size());
  if (found != size) {
    return Error(
        hr::kWuEDmDownloadfilemissing,
        absl::StrCat("the cached content ", hex, " has ", found,
                     " bytes instead of ", size, "; download it again"),
        hex);
  }
  return file;
}

void Cache::Release(const Sha256Digest& digest, uint64_t generation) {
  absl::MutexLock lock(&mutex_);
  const auto at = entries_.find(digest);
  if (at != entries_.end() && at->second.generation == generation) {
    --at->second.open_files;
  }
}

absl::Status Cache::MoveIn(const Sha256Digest& digest, int64_t size) {
  const fs::path partial = layout_.Partial(digest);
  {
    USHER_ASSIGN_OR_RETURN(
        const platform::File file,
        platform::File::Open(partial, platform::OpenMode::kRead));
    USHER_ASSIGN_OR_RETURN(const int64_t found, file.Size());
    if (found != size) {
      return Error(hr::kWuEDmIncorrectfilehash,
                   absl::StrCat(PathToUtf8(partial), " has ", found,
                                " bytes where ", size, " were verified"),
                   PathToUtf8(partial));
    }
  }
  const fs::path content = layout_.Content(digest);
  USHER_RETURN_IF_ERROR(MakeDirectories(content.parent_path()));
  return RenameDurably(partial, content);
}

std::vector<Sha256Digest> Cache::TakeSurplus(const Sha256Digest& keep) {
  std::vector<Sha256Digest> surplus;
  absl::MutexLock lock(&mutex_);
  if (max_bytes_ <= 0) return surplus;
  int64_t excess = total_ - max_bytes_;
  for (const auto& [last_used, digest] : by_use_) {
    if (excess <= 0) break;
    const Entry& entry = entries_.at(digest);
    if (entry.open_files > 0 || digest == keep || pins_->IsPinned(digest)) {
      continue;
    }
    surplus.push_back(digest);
    excess -= entry.size;
  }
  for (const Sha256Digest& digest : surplus) Erase(digest);
  return surplus;
}

std::vector<ContentRow> Cache::TakeTouched() {
  std::vector<ContentRow> rows;
  absl::MutexLock lock(&mutex_);
  for (auto& [digest, entry] : entries_) {
    if (!entry.touched) continue;
    entry.touched = false;
    rows.push_back({digest, entry.size, entry.last_used});
  }
  return rows;
}

absl::Status Cache::Commit(const Sha256Digest& digest, int64_t size) {
  absl::MutexLock change(&change_);
  USHER_RETURN_IF_ERROR(MoveIn(digest, size));
  USHER_FAULT_POINT("download.after_rename");
  {
    absl::MutexLock lock(&mutex_);
    // Touched, so that its row is among those that are saved.
    Insert(digest, size, NextUse(), true);
  }
  // Files go before their rows: after a power cut in between the rows without
  // file are dropped.
  const std::vector<Sha256Digest> surplus = TakeSurplus(digest);
  for (const Sha256Digest& old : surplus) {
    RemoveTree(layout_.Content(old)).IgnoreError();
  }
  const std::vector<ContentRow> rows = TakeTouched();
  absl::Status saved =
      database_.Write([&](store::Connection& connection) -> absl::Status {
        USHER_FAULT_POINT("cache.before_index");
        for (const Sha256Digest& old : surplus) {
          USHER_RETURN_IF_ERROR(DeleteContentRow(connection, old));
        }
        for (const ContentRow& row : rows) {
          USHER_RETURN_IF_ERROR(SaveContentRow(connection, row));
        }
        return absl::OkStatus();
      });
  if (saved.ok()) return saved;
  {
    absl::MutexLock lock(&mutex_);
    Erase(digest);
  }
  AdoptOrDrop(digest, layout_.Content(digest)).IgnoreError();
  return saved;
}

absl::Status Cache::Remove(const Sha256Digest& digest) {
  return Drop(digest, 0);
}

absl::Status Cache::Drop(const Sha256Digest& digest, uint64_t generation) {
  absl::MutexLock change(&change_);
  {
    absl::MutexLock lock(&mutex_);
    const auto at = entries_.find(digest);
    if (generation != 0 &&
        (at == entries_.end() || at->second.generation != generation)) {
      return absl::OkStatus();
    }
    if (!Erase(digest)) return absl::OkStatus();
  }
  USHER_RETURN_IF_ERROR(RemoveTree(layout_.Content(digest)));
  return database_.Write([&digest](store::Connection& connection) {
    return DeleteContentRow(connection, digest);
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<ContentCache>> ContentCache::Open(
    store::Database& database, const Options& options) {
  auto cache = std::make_unique<Cache>(database, options);
  USHER_RETURN_IF_ERROR(cache->Load());
  return cache;
}

}  // namespace usher::download
