#include "service/download/cached_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"

namespace usher::download {
namespace {

constexpr int64_t kBlock = int64_t{1} << 20;

}  // namespace

OpenCachedFile::OpenCachedFile(platform::File file, const Sha256Digest& digest,
                               int64_t size, Owner owner)
    : file_(std::move(file)),
      digest_(digest),
      size_(size),
      owner_(std::move(owner)) {}

OpenCachedFile::~OpenCachedFile() { owner_.release(); }

absl::Status OpenCachedFile::CopyVerified(platform::File& destination) {
  Sha256 hash;
  std::string block(static_cast<size_t>(std::min(size_, kBlock)), '\0');
  for (int64_t offset = 0; offset < size_;) {
    const auto wanted =
        static_cast<size_t>(std::min<int64_t>(kBlock, size_ - offset));
    USHER_ASSIGN_OR_RETURN(const size_t count,
                           file_.ReadAt(offset, block.data(), wanted));
    if (count == 0) break;
    const absl::string_view bytes(block.data(), count);
    hash.Update(bytes);
    USHER_RETURN_IF_ERROR(destination.WriteAt(offset, bytes));
    offset += static_cast<int64_t>(count);
  }
  if (hash.Finish() == digest_) return absl::OkStatus();
  const std::string hex = ToHex(digest_);
  absl::Status dropped = owner_.drop();
  return Error(
      hr::kWuEDmIncorrectfilehash,
      absl::StrCat("the cached content ", hex,
                   " was changed on disk and is not used; ",
                   dropped.ok() ? absl::string_view("download it again")
                                : dropped.message()),
      hex);
}

absl::Status OpenCachedFile::CopyTo(const std::filesystem::path& destination) {
  USHER_ASSIGN_OR_RETURN(
      platform::File copy,
      platform::File::Open(destination, platform::OpenMode::kCreateNew));
  absl::Status status = CopyVerified(copy);
  if (!status.ok()) RemoveTree(destination).IgnoreError();
  return status;
}

}  // namespace usher::download
