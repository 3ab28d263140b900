#include "service/download/partial_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/download/content_layout.h"

namespace usher::download {
namespace {

constexpr int64_t kRehashBlock = int64_t{1} << 20;
constexpr int kRehashBlocks = 8;
// Often enough that Sync finds little left, seldom enough to cost nothing.
constexpr int64_t kWriteback = int64_t{16} << 20;
// Below this, fetching again is cheaper than a side file.
constexpr int64_t kMinSizeForSideFile = int64_t{1} << 20;
constexpr uint64_t kMaxSideFile = uint64_t{64} << 10;
constexpr absl::string_view kSideFileHeader = "usher partial download 1";

}  // namespace

PartialFile::PartialFile(std::filesystem::path path, const Sha256Digest& digest,
                         int64_t size)
    : path_(std::move(path)), digest_(digest), size_(size) {}

std::filesystem::path PartialFile::SideFile() const {
  std::filesystem::path side = path_;
  side += PathFromUtf8(kMetaSuffix);
  return side;
}

absl::Status PartialFile::Open() {
  // Administrators clear caches, folders and all, while the service runs.
  USHER_RETURN_IF_ERROR(MakeDirectories(path_.parent_path()));
  USHER_ASSIGN_OR_RETURN(
      platform::File file,
      platform::File::Open(path_, platform::OpenMode::kReadWrite));
  USHER_ASSIGN_OR_RETURN(found_, file.Size());
  if (found_ > size_) {
    USHER_RETURN_IF_ERROR(file.Truncate(0));
    found_ = 0;
  }
  file_ = std::move(file);
  hash_ = Sha256();
  offset_ = 0;
  flushed_ = found_;
  LoadValidators();
  USHER_ASSIGN_OR_RETURN(const int64_t free,
                         platform::FreeBytes(path_.parent_path()));
  if (free < size_ - found_) {
    return Error(
        hr::kErrorDiskFull,
        absl::StrCat("the download needs ", size_ - found_,
                     " bytes and the disk has ", free, " free; make room in ",
                     PathToUtf8(path_.parent_path())),
        PathToUtf8(path_));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> PartialFile::RehashSome() {
  buffer_.resize(static_cast<size_t>(kRehashBlock));
  for (int i = 0; i < kRehashBlocks && offset_ < found_; ++i) {
    const auto wanted =
        static_cast<size_t>(std::min(kRehashBlock, found_ - offset_));
    USHER_ASSIGN_OR_RETURN(const size_t count,
                           file_->ReadAt(offset_, buffer_.data(), wanted));
    if (count == 0) {
      return Error(hr::kWuEUnexpected,
                   absl::StrCat(PathToUtf8(path_), " shrank while it was read"),
                   PathToUtf8(path_));
    }
    hash_.Update(absl::string_view(buffer_.data(), count));
    offset_ += static_cast<int64_t>(count);
  }
  if (offset_ < found_) return false;
  buffer_ = std::string();
  return true;
}

void PartialFile::LoadValidators() {
  validators_ = Validators();
  const absl::StatusOr<std::string> text = ReadFile(SideFile(), kMaxSideFile);
  if (!text.ok()) return;
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  if (lines.size() != 5 || lines[0] != kSideFileHeader) return;
  validators_ = {lines[1], lines[2], lines[3]};
}

absl::Status PartialFile::SaveValidators(const Validators& validators) {
  if (validators == validators_ || size_ < kMinSizeForSideFile) {
    return absl::OkStatus();
  }
  validators_ = validators;
  return WriteFileAtomically(
      SideFile(),
      absl::StrCat(kSideFileHeader, "\n", validators.url, "\n", validators.etag,
                   "\n", validators.last_modified, "\n"));
}

absl::Status PartialFile::Append(absl::string_view bytes) {
  USHER_RETURN_IF_ERROR(file_->WriteAt(offset_, bytes));
  hash_.Update(bytes);
  offset_ += static_cast<int64_t>(bytes.size());
  if (offset_ - flushed_ >= kWriteback) {
    file_->StartWriteback(flushed_, offset_ - flushed_);
    flushed_ = offset_;
  }
  return absl::OkStatus();
}

absl::Status PartialFile::Restart() {
  USHER_RETURN_IF_ERROR(file_->Truncate(0));
  hash_ = Sha256();
  found_ = 0;
  offset_ = 0;
  flushed_ = 0;
  return absl::OkStatus();
}

absl::Status PartialFile::Finish() {
  const std::string hex = ToHex(digest_);
  if (offset_ != size_) {
    const int64_t had = offset_;
    Discard();
    return Error(hr::kWuEDmIncorrectfilehash,
                 absl::StrCat("the file has ", had, " bytes instead of ", size_,
                              "; the server does not have what the catalog "
                              "names"),
                 hex);
  }
  const Sha256Digest found = hash_.Finish();
  hash_ = Sha256();
  if (found != digest_) {
    Discard();
    return Error(hr::kWuEDmIncorrectfilehash,
                 absl::StrCat("the file has the SHA-256 ", ToHex(found),
                              " instead of ", hex,
                              "; the server does not have what the catalog "
                              "names"),
                 hex);
  }
  USHER_RETURN_IF_ERROR(file_->Sync());
  Close();
  return absl::OkStatus();
}

void PartialFile::Close() {
  file_.reset();
  offset_ = 0;
}

void PartialFile::Discard() {
  Close();
  validators_ = Validators();
  RemoveTree(path_).IgnoreError();
  RemoveSideFile();
}

void PartialFile::RemoveSideFile() { RemoveTree(SideFile()).IgnoreError(); }

}  // namespace usher::download
