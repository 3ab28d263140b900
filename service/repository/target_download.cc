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
  Sha256 hash;
  int64_t received = 0;
  const absl::Status status = fetcher.Fetch(
      url, target.length,
      [&](absl::string_view data) {
        hash.Update(data);
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
  if (const Sha256Digest found = hash.Finish(); found != target.sha256) {
    return WrongContent(target, absl::StrCat("has the SHA-256 ", ToHex(found),
                                             ", not ", ToHex(target.sha256)));
  }
  file.close();
  return file.good() ? absl::OkStatus() : CannotWrite(path);
}

}  // namespace

absl::StatusOr<TargetFile> TargetOf(absl::string_view name,
                                    const tuf::TargetInfo& info) {
  const auto sha256 = info.hashes.find("sha256");
  const absl::StatusOr<Sha256Digest> digest =
      ParseSha256Hex(sha256 == info.hashes.end() ? "" : sha256->second);
  if (!digest.ok()) {
    return Error(hr::kWuEMetadataSignatureVerifyFailed,
                 absl::StrCat("no SHA-256 of ", name), name);
  }
  return TargetFile{std::string(name), info.length, *digest};
}

std::string TargetPath(const TargetFile& target, bool consistent_snapshot) {
  return consistent_snapshot
             ? tuf::ConsistentTargetPath(target.name, ToHex(target.sha256))
             : target.name;
}

absl::Status DownloadTarget(Fetcher& fetcher, const std::string& url,
                            const TargetFile& target,
                            const std::filesystem::path& destination,
                            const CancellationToken& cancel) {
  std::filesystem::path temporary = destination;
  temporary += PathFromUtf8(absl::StrCat(".", RandomResourceId(), ".tmp"));
  absl::Status status = DownloadInto(fetcher, url, target, temporary, cancel);
  if (status.ok()) status = RenameDurably(temporary, destination);
  if (!status.ok()) RemoveTree(temporary).IgnoreError();
  return status;
}

}  // namespace usher::repository
