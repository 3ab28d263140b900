#ifndef USHER_SERVICE_DOWNLOAD_CONTENT_LAYOUT_H_
#define USHER_SERVICE_DOWNLOAD_CONTENT_LAYOUT_H_

// Where the cache keeps what: content/{hex[0:2]}/{hex}, partial/{hex}, and
// partial/{hex}.meta beside it.

#include <filesystem>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/sha256.h"

namespace usher::download {

// What stands behind a partial file's name for its side file.
inline constexpr absl::string_view kMetaSuffix = ".meta";

class ContentLayout {
 public:
  explicit ContentLayout(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path ContentFolder() const { return root_ / "content"; }
  std::filesystem::path PartialFolder() const { return root_ / "partial"; }
  std::filesystem::path Content(const Sha256Digest& digest) const;
  std::filesystem::path Partial(const Sha256Digest& digest) const;

  // Makes the two folders.
  absl::Status Prepare() const;

  // Calls `sink` for each file of content/ that has a name that the cache
  // gives, and removes everything else there.
  absl::Status ForEachContent(
      absl::FunctionRef<absl::Status(const Sha256Digest& digest,
                                     const std::filesystem::path& path)>
          sink) const;

  // Removes unfinished downloads that nobody has touched for `max_age`, and
  // everything else in partial/ that is none.
  absl::Status RemoveStalePartials(absl::Duration max_age) const;

 private:
  std::filesystem::path root_;
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_CONTENT_LAYOUT_H_
