#ifndef USHER_SERVICE_DOWNLOAD_CACHED_FILE_H_
#define USHER_SERVICE_DOWNLOAD_CACHED_FILE_H_

#include <cstdint>
#include <filesystem>
#include <functional>

#include "absl/status/status.h"
#include "common/sha256.h"
#include "service/download/content_cache.h"
#include "service/platform/filesystem/file.h"

namespace usher::download {

// The CachedFile that the cache hands out. Not thread-safe.
class OpenCachedFile final : public CachedFile {
 public:
  // How the file tells its cache.
  struct Owner {
    // The handle is closed.
    std::function<void()> release;
    // The content is not what its name says.
    std::function<absl::Status()> drop;
  };

  OpenCachedFile(platform::File file, const Sha256Digest& digest, int64_t size,
                 Owner owner);
  ~OpenCachedFile() override;
  OpenCachedFile(const OpenCachedFile&) = delete;
  OpenCachedFile& operator=(const OpenCachedFile&) = delete;

  int64_t size() const override { return size_; }
  absl::Status CopyTo(const std::filesystem::path& destination) override;

 private:
  absl::Status CopyVerified(platform::File& destination);

  platform::File file_;
  const Sha256Digest digest_;
  const int64_t size_;
  const Owner owner_;
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_CACHED_FILE_H_
