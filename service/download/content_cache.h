#ifndef USHER_SERVICE_DOWNLOAD_CONTENT_CACHE_H_
#define USHER_SERVICE_DOWNLOAD_CONTENT_CACHE_H_

// Verified content by SHA-256. A file enters only verified, by rename.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sha256.h"

namespace usher::store {
class Database;
}  // namespace usher::store

namespace usher::download {

// A cached file held open, verified again through this very handle; what is
// copied from it is what was verified. Entries in use are not evicted. Not
// thread-safe; must not outlive its cache.
class CachedFile {
 public:
  virtual ~CachedFile() = default;
  virtual int64_t size() const = 0;
  // Copies the content into a new private file at `destination` (an existing
  // file or link there is refused), hashing it on the way;
  // WU_E_DM_INCORRECTFILEHASH, nothing left at `destination` and the entry
  // dropped from the cache if it is not what the digest says. Not synced.
  virtual absl::Status CopyTo(const std::filesystem::path& destination) = 0;
};

// Content is not evicted as long as such a pin of it lives.
using ContentPin = std::shared_ptr<const void>;

// Thread-safe.
class ContentCache {
 public:
  struct Options {
    std::filesystem::path directory;
    // Least recently used content is dropped beyond this when something new
    // comes in, except what is pinned; 0: no limit.
    int64_t max_bytes = 0;
  };

  // Opens the folder, drops index rows without file and files without row (the
  // latter become unfinished downloads, to be verified by the next request),
  // and unfinished downloads older than 14 days. `database` must outlive the
  // cache.
  static absl::StatusOr<std::unique_ptr<ContentCache>> Open(
      store::Database& database, const Options& options);
  virtual ~ContentCache() = default;

  // Cheap: answered from memory.
  virtual bool Contains(const Sha256Digest& digest) const = 0;
  // WU_E_DM_NOTDOWNLOADED when absent; WU_E_DM_DOWNLOADFILEMISSING when the
  // file vanished (the entry is dropped).
  virtual absl::StatusOr<std::unique_ptr<CachedFile>> Open(
      const Sha256Digest& digest) = 0;
  // Where an unfinished download of `digest` is kept between attempts.
  virtual std::filesystem::path PartialPath(const Sha256Digest& digest) = 0;
  // Takes a finished partial file in. The caller hashed every byte of it while
  // writing; size is checked again.
  virtual absl::Status Commit(const Sha256Digest& digest, int64_t size) = 0;
  virtual absl::Status Remove(const Sha256Digest& digest) = 0;
  // Keeps `digest`, which need not be there yet, from being evicted. The pin
  // may outlive the cache.
  virtual ContentPin Pin(const Sha256Digest& digest) = 0;
  // Options::max_bytes.
  virtual int64_t MaxBytes() const = 0;
  // Bytes of verified content.
  virtual int64_t TotalBytes() const = 0;
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_CONTENT_CACHE_H_
