#include "service/download/content_layout.h"

#include <chrono>
#include <string>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::download {
namespace {

namespace fs = std::filesystem;

// The entries of a folder; read to the end first, so that removing some does
// not disturb the reading.
absl::StatusOr<std::vector<fs::directory_entry>> EntriesOf(
    const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    entries.push_back(*at);
  }
  if (error) {
    return SystemError(error.default_error_condition().value(),
                       "read the folder", PathToUtf8(folder));
  }
  return entries;
}

bool IsRealFolder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.symlink_status(error).type() == fs::file_type::directory;
}

bool IsRealFile(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.symlink_status(error).type() == fs::file_type::regular;
}

// The digest that `path` is named after in the form that the cache writes.
absl::StatusOr<Sha256Digest> DigestOfName(absl::string_view name) {
  USHER_ASSIGN_OR_RETURN(Sha256Digest digest, ParseSha256Hex(name));
  if (ToHex(digest) == name) return digest;
  return Error(hr::kEInvalidarg, "upper case in a cache file's name");
}

bool OlderThan(const fs::directory_entry& entry, absl::Duration age) {
  std::error_code error;
  const fs::file_time_type time = entry.last_write_time(error);
  return !error &&
         fs::file_time_type::clock::now() - time > absl::ToChronoSeconds(age);
}

}  // namespace

fs::path ContentLayout::Content(const Sha256Digest& digest) const {
  const std::string hex = ToHex(digest);
  return ContentFolder() / hex.substr(0, 2) / hex;
}

fs::path ContentLayout::Partial(const Sha256Digest& digest) const {
  return PartialFolder() / ToHex(digest);
}

absl::Status ContentLayout::Prepare() const {
  USHER_RETURN_IF_ERROR(MakeDirectories(ContentFolder()));
  return MakeDirectories(PartialFolder());
}

absl::Status ContentLayout::ForEachContent(
    absl::FunctionRef<absl::Status(const Sha256Digest&, const fs::path&)> sink)
    const {
  USHER_ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> folders,
                         EntriesOf(ContentFolder()));
  for (const fs::directory_entry& folder : folders) {
    if (!IsRealFolder(folder)) {
      USHER_RETURN_IF_ERROR(RemoveTree(folder.path()));
      continue;
    }
    USHER_ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> files,
                           EntriesOf(folder.path()));
    for (const fs::directory_entry& file : files) {
      const absl::StatusOr<Sha256Digest> digest =
          DigestOfName(PathToUtf8(file.path().filename()));
      if (!digest.ok() || !IsRealFile(file) ||
          file.path() != Content(*digest)) {
        USHER_RETURN_IF_ERROR(RemoveTree(file.path()));
        continue;
      }
      USHER_RETURN_IF_ERROR(sink(*digest, file.path()));
    }
  }
  return absl::OkStatus();
}

absl::Status ContentLayout::RemoveStalePartials(absl::Duration max_age) const {
  USHER_ASSIGN_OR_RETURN(const std::vector<fs::directory_entry> entries,
                         EntriesOf(PartialFolder()));
  for (const fs::directory_entry& entry : entries) {
    const std::string name = PathToUtf8(entry.path().filename());
    const bool known = IsRealFile(entry) &&
                       DigestOfName(absl::StripSuffix(name, kMetaSuffix)).ok();
    if (!known || OlderThan(entry, max_age)) {
      USHER_RETURN_IF_ERROR(RemoveTree(entry.path()));
    }
  }
  return absl::OkStatus();
}

}  // namespace usher::download
