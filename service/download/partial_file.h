#ifndef USHER_SERVICE_DOWNLOAD_PARTIAL_FILE_H_
#define USHER_SERVICE_DOWNLOAD_PARTIAL_FILE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/sha256.h"
#include "service/platform/filesystem/file.h"

namespace usher::download {

// What a server said about the file whose beginning we have, so that it can be
// asked for the rest of that very file (RFC 9110, If-Range).
struct Validators {
  std::string url;
  std::string etag;           // strong, quotes included; or empty
  std::string last_modified;  // HTTP date; or empty

  bool operator==(const Validators&) const = default;
};

// An unfinished download: the bytes so far, their hash, and a small side file
// with the validators. A lost or damaged side file costs nothing but the
// If-Range. Used by one thread at a time.
class PartialFile {
 public:
  // `size` and `digest` are what the finished file must have.
  PartialFile(std::filesystem::path path, const Sha256Digest& digest,
              int64_t size);

  // Opens the file, made when missing, and reads the side file. A file that
  // is too long is emptied. ERROR_DISK_FULL when the disk has no room for the
  // rest.
  absl::Status Open();
  bool is_open() const { return file_.has_value(); }
  // Hashes a part (a few MiB) of what was there at Open; true when all of it
  // is hashed. Nothing may be appended before.
  absl::StatusOr<bool> RehashSome();

  // Bytes on disk and hashed.
  int64_t offset() const { return offset_; }
  // Open, with nothing in it, hashed or not.
  bool IsEmpty() const { return is_open() && found_ == 0 && offset_ == 0; }
  const Validators& validators() const { return validators_; }

  // Remembers where the following bytes come from.
  absl::Status SaveValidators(const Validators& validators);
  // `bytes` must fit into what is missing.
  absl::Status Append(absl::string_view bytes);
  // Empties the file.
  absl::Status Restart();
  // Checks size and hash, syncs and closes. WU_E_DM_INCORRECTFILEHASH, and
  // nothing left on disk, when they are wrong.
  absl::Status Finish();
  // Closes the file and leaves it. Open may follow.
  void Close();
  // Removes both files. Open may follow.
  void Discard();
  // Removes what stands beside the file itself.
  void RemoveSideFile();

 private:
  std::filesystem::path SideFile() const;
  void LoadValidators();

  const std::filesystem::path path_;
  const Sha256Digest digest_;
  const int64_t size_;
  std::optional<platform::File> file_;
  std::string buffer_;
  Sha256 hash_;
  Validators validators_;
  int64_t found_ = 0;    // bytes there at Open
  int64_t offset_ = 0;   // bytes hashed
  int64_t flushed_ = 0;  // bytes handed to the disk
};

}  // namespace usher::download

#endif  // USHER_SERVICE_DOWNLOAD_PARTIAL_FILE_H_
