#ifndef USHER_PUBLISHER_REPOSITORY_SOURCE_H_
#define USHER_PUBLISHER_REPOSITORY_SOURCE_H_

// Where a published repository's files are read from.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "publisher/payload_store.h"

namespace usher::publisher {

// Not thread-safe.
class RepositorySource {
 public:
  virtual ~RepositorySource() = default;

  // Reads a file of at most `max_bytes`, named relative to the served folder.
  // Its not being there is ERROR_FILE_NOT_FOUND or
  // WU_E_PT_HTTP_STATUS_NOT_FOUND.
  virtual absl::StatusOr<std::string> Read(absl::string_view name,
                                           uint64_t max_bytes) = 0;

  // Copies a file of `size` bytes into the new file `to` and says what came.
  // More than that is WU_E_INVALID_FILE. What is in `to` after an error is
  // nothing.
  virtual absl::StatusOr<FileFacts> Copy(absl::string_view name, int64_t size,
                                         const std::filesystem::path& to) = 0;

  // The served folder; absent when it is not on this machine.
  virtual absl::optional<std::filesystem::path> folder() const = 0;
};

// `location`: a publisher's folder, a served folder, or an http(s) URL.
std::unique_ptr<RepositorySource> OpenRepositorySource(
    absl::string_view location);

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_REPOSITORY_SOURCE_H_
