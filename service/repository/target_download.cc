#include "service/repository/target_download.h"

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/content_hashes.h"
#include "common/tuf/metadata_codec.h"
#include "common/uuid.h"

namespace usher::repository {
namespace {

absl::Status WrongContent(const TargetFile& target, absl::string_view reason) {
  return Error(hr::kWuEDmIncorrectfilehash,
               absl::StrCat(target.name, ": ", reason,
                            "; the file on the server is not the signed one"),
               target.name);
}

// Nothing is taken that nothing can be said of.
absl::Status CheckHashes(const TargetFile& target) {
  if (tuf::KnownHash(target.hashes) != nullptr) return absl::OkStatus();
  return Error(hr::kWuEMetadataSignatureVerifyFailed,
               absl::StrCat("no sha256 or sha512 of ", target.name,
                            ", so that it cannot be verified"),
               target.name);
}

absl::Status CannotWrite(const std::filesystem::path& path) {
  return SystemError(errno != 0 ? errno : EIO, "write", PathToUtf8(path));
}

absl::Status DownloadInto(Fetcher& fetcher, const std::string& url,
                          const TargetFile& target,
                          const std::filesystem::path& path,
                          const CancellationToken& cancel) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file.is_open()) return CannotWrite(path);
  tuf::ContentHashes hashes(target.hashes);
  int64_t received = 0;
  const absl::Status status = fetcher.Fetch(
      url, target.length,
      [&](absl::string_view data) {
        hashes.Update(data);
        received += static_cast<int64_t>(data.size());
        file.write(data.data(), static_cast<std::streamsize>(data.size()));
        return file.good() ? absl::OkStatus() : CannotWrite(path);
      },
      cancel);
  if (HResultOf(status) == hr::kWuEInvalidFile) {
    return WrongContent(target, absl::StrCat("has more than ", target.length,
                                             " bytes or is no file"));
  }
  if (!status.ok()) return Annotate(status, target.name);
  if (received != target.length) {
    return WrongContent(
        target, absl::StrCat("has ", received, " bytes, not ", target.length));
  }
  if (const absl::Status same = hashes.Finish(); !same.ok()) {
    return WrongContent(target, same.message());
  }
  file.close();
  return file.good() ? absl::OkStatus() : CannotWrite(path);
}

}  // namespace

absl::StatusOr<TargetFile> TargetOf(absl::string_view name,
                                    const tuf::TargetInfo& info) {
  TargetFile target;
  target.name = std::string(name);
  target.length = info.length;
  target.hashes = info.hashes;
  USHER_RETURN_IF_ERROR(CheckHashes(target));
  return target;
}

absl::StatusOr<TargetFile> CatalogOf(absl::string_view name,
                                     const tuf::TargetInfo& info) {
  const auto sha256 = info.hashes.find("sha256");
  const absl::StatusOr<Sha256Digest> digest =
      ParseSha256Hex(sha256 == info.hashes.end() ? "" : sha256->second);
  if (!digest.ok()) {
    return Error(
        hr::kWuEMetadataSignatureVerifyFailed,
        absl::StrCat("no SHA-256 of ", name, ", which every catalog must have"),
        name);
  }
  USHER_ASSIGN_OR_RETURN(TargetFile catalog, TargetOf(name, info));
  catalog.sha256 = *digest;
  return catalog;
}

std::string TargetPath(const TargetFile& target, bool consistent_snapshot) {
  const std::string* const hash = tuf::KnownHash(target.hashes);
  return consistent_snapshot && hash != nullptr
             ? tuf::ConsistentTargetPath(target.name, *hash)
             : target.name;
}

absl::Status DownloadTarget(Fetcher& fetcher, const std::string& url,
                            const TargetFile& target,
                            const std::filesystem::path& destination,
                            const CancellationToken& cancel) {
  USHER_RETURN_IF_ERROR(CheckHashes(target));
  std::filesystem::path temporary = destination;
  temporary += PathFromUtf8(absl::StrCat(".", RandomResourceId(), ".tmp"));
  absl::Status status = DownloadInto(fetcher, url, target, temporary, cancel);
  if (status.ok()) status = RenameDurably(temporary, destination);
  if (!status.ok()) RemoveTree(temporary).IgnoreError();
  return status;
}

}  // namespace usher::repository
