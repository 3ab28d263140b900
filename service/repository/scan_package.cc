#include "service/repository/scan_package.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/platform/filesystem/file.h"

namespace usher::repository {
namespace {

class FolderSink final : public ScanPackageSink {
 public:
  FolderSink(const std::filesystem::path& folder,
             absl::FunctionRef<absl::Status()> metadata_complete)
      : folder_(folder), metadata_complete_(metadata_complete) {}

  absl::Status MetadataComplete() override { return metadata_complete_(); }

  absl::Status Begin(const std::string& name) override {
    path_ = folder_ / PathFromUtf8(name);
    USHER_RETURN_IF_ERROR(MakeDirectories(path_.parent_path()));
    // Nobody else writes here. Where names differ only in case, or in what else
    // the file system does not tell apart, they are one.
    std::error_code error;
    if (std::filesystem::exists(
            std::filesystem::symlink_status(path_, error))) {
      return Error(
          hr::kWuEOlInvalidScanfile,
          absl::StrCat("not a usable scan package: ", name, " is in it twice"),
          name);
    }
    absl::StatusOr<platform::File> file =
        platform::File::Open(path_, platform::OpenMode::kCreateNew);
    USHER_RETURN_IF_ERROR(file.status());
    file_.emplace(*std::move(file));
    written_ = 0;
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view bytes) override {
    USHER_RETURN_IF_ERROR(file_->WriteAt(written_, bytes));
    written_ += static_cast<int64_t>(bytes.size());
    return absl::OkStatus();
  }

  absl::Status End() override {
    USHER_RETURN_IF_ERROR(file_->Sync());
    file_.reset();
    return SyncDirectory(path_.parent_path());
  }

 private:
  const std::filesystem::path folder_;
  const absl::FunctionRef<absl::Status()> metadata_complete_;
  std::filesystem::path path_;
  std::optional<platform::File> file_;
  int64_t written_ = 0;
};

}  // namespace

absl::Status UnpackScanPackage(
    const std::filesystem::path& package, const std::filesystem::path& folder,
    const RepositoryOptions& options, const ScanPackageLimits& limits,
    absl::FunctionRef<absl::Status()> metadata_complete,
    const CancellationToken& cancel) {
  const std::string name = PathToUtf8(package);
  USHER_ASSIGN_OR_RETURN(
      const platform::File file,
      platform::File::Open(package, platform::OpenMode::kReadFollowingLinks));
  USHER_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  if (size > limits.max_bytes) {
    return Error(hr::kWuEOlInvalidScanfile,
                 absl::StrCat(name, " has ", size,
                              " bytes; the limit of a scan package is ",
                              limits.max_bytes),
                 name);
  }
  USHER_RETURN_IF_ERROR(MakeDirectories(folder));
  // Rather no copy than one that leaves others no room until it fails.
  USHER_ASSIGN_OR_RETURN(const int64_t room, platform::FreeBytes(folder));
  if (size > room) {
    return Error(hr::kErrorDiskFull,
                 absl::StrCat("cannot copy ", name, " to ", PathToUtf8(folder),
                              ": it has ", size, " bytes and ", room,
                              " are free; make room and add it again"),
                 PathToUtf8(folder));
  }
  FolderSink sink(folder, metadata_complete);
  int64_t position = 0;
  return ReadScanPackage(
      [&](char* buffer, size_t length) -> absl::StatusOr<size_t> {
        const size_t wanted =
            std::min(length, static_cast<size_t>(size - position));
        USHER_ASSIGN_OR_RETURN(const size_t count,
                               file.ReadAt(position, buffer, wanted));
        position += static_cast<int64_t>(count);
        return count;
      },
      options, limits, sink, cancel);
}

}  // namespace usher::repository
