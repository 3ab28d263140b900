#ifndef USHER_PUBLISHER_PAYLOAD_STORE_H_
#define USHER_PUBLISHER_PAYLOAD_STORE_H_

// The payload files of a repository. A new one waits in a private folder until
// its update is published; then it moves to where the web server finds it.

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/sha256.h"

namespace usher::publisher {

// Locations that begin so name content that was left out on purpose: only the
// metadata is real.
inline constexpr absl::string_view kAbsentPrefix = "payloads/absent/";

// "payloads/{sha256}/{name}". Characters of the name that would need escaping
// in a URL become '_' here; the handler still sees the name itself.
std::string PayloadLocation(const Sha256Digest& sha256, absl::string_view name);

// Whether the repository itself must hold the file at this location.
bool IsOwnPayload(absl::string_view location);

struct FileFacts {
  int64_t size = 0;
  Sha256Digest sha256{};
};

// Size and SHA-256 of a file, read in pieces.
absl::StatusOr<FileFacts> HashFile(const std::filesystem::path& path);

// Reads `from` once: hashes it, and copies it to the new file `to`, durably.
// WU_E_INVALID_FILE if it goes on beyond `max_size` bytes.
absl::StatusOr<FileFacts> CopyAndHash(const std::filesystem::path& from,
                                      const std::filesystem::path& to,
                                      int64_t max_size);

// Not thread-safe.
class PayloadStore {
 public:
  // `waiting`: the private folder; `published`: the served targets/ folder.
  PayloadStore(std::filesystem::path waiting, std::filesystem::path published)
      : waiting_(std::move(waiting)), published_(std::move(published)) {}

  // Takes a copy of `file` in under `name`, unless the same content is there.
  // With `expected_size` the file is a stranger's: it may be no link, and more
  // than that is not read but WU_E_INVALID_FILE.
  absl::StatusOr<FileFacts> Take(
      const std::filesystem::path& file, absl::string_view name,
      absl::optional<int64_t> expected_size = absl::nullopt);

  // Makes sure that the payload is published: true when it had to be moved
  // there (its content verified), false when a file of that size was there
  // already. WU_E_SOURCE_ABSENT when it is nowhere, WU_E_DM_INCORRECTFILEHASH
  // when the waiting copy was changed.
  absl::StatusOr<bool> Publish(absl::string_view location,
                               const FileFacts& facts);

  enum class By { kSize, kContent };
  // Whether Publish() would find it, by its size, or all of it read. Nothing is
  // written.
  bool Has(absl::string_view location, const FileFacts& facts, By by) const;

  struct Garbage {
    int64_t files = 0;
    int64_t bytes = 0;
    std::vector<std::string> locations;
  };
  // Finds payload files that are not in `referenced`, and removes them unless
  // `dry_run`.
  absl::StatusOr<Garbage> Collect(const std::set<std::string>& referenced,
                                  bool dry_run);

 private:
  absl::Status CollectIn(const std::filesystem::path& folder,
                         const std::set<std::string>& referenced, bool dry_run,
                         Garbage& garbage);

  std::filesystem::path waiting_;
  std::filesystem::path published_;
};

}  // namespace usher::publisher

#endif  // USHER_PUBLISHER_PAYLOAD_STORE_H_
