#include "service/install/payloads.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/download/content_cache.h"
#include "service/install/file_name.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

constexpr size_t kMaxName = 255;

bool IsPlainName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxName || name == "." || name == ".." ||
      !IsFileName(name)) {
    return false;
  }
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '\\' || c == ':' || absl::ascii_iscntrl(c);
  });
}

// Copies `source`, which lies in a private folder, hashing what is copied.
absl::Status CopyKept(const std::filesystem::path& source,
                      const Sha256Digest& digest,
                      const std::filesystem::path& destination) {
  std::ifstream in(AnyLength(source), std::ios::binary);
  std::ofstream out(AnyLength(destination), std::ios::binary | std::ios::trunc);
  std::vector<char> buffer(size_t{256} * 1024);
  Sha256 hash;
  while (in && out) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const std::streamsize count = in.gcount();
    hash.Update(absl::string_view(buffer.data(), static_cast<size_t>(count)));
    out.write(buffer.data(), count);
  }
  out.close();
  if (in.bad() || !out || hash.Finish() != digest) {
    USHER_RETURN_IF_ERROR(RemoveTree(destination));
    return Error(hr::kWuEDmIncorrectfilehash,
                 absl::StrCat("the kept copy ", PathToUtf8(source),
                              " is damaged; download the update again"),
                 PathToUtf8(source));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CancelledError() {
  return Error(hr::kWuEUhOperationcancelled, "the operation was cancelled");
}

absl::Status CheckPayloadNames(
    const repository::v1::UpdateDescription& description) {
  absl::flat_hash_set<std::string> seen;
  for (const auto& payload : description.payloads()) {
    if (!IsPlainName(payload.name())) {
      return Error(hr::kWuEUhInvalidmetadata,
                   "a payload's name is not a plain file name", payload.name());
    }
    if (!seen.insert(absl::AsciiStrToLower(payload.name())).second) {
      return Error(hr::kWuEUhInvalidmetadata,
                   absl::StrCat("two payloads are called ", payload.name()),
                   payload.name());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Sha256Digest> DigestOf(absl::string_view bytes) {
  Sha256Digest digest{};
  if (bytes.size() != digest.size()) {
    return Error(hr::kWuEUhInvalidmetadata,
                 "a payload's SHA-256 does not have 32 bytes", "sha256");
  }
  std::transform(bytes.begin(), bytes.end(), digest.begin(),
                 [](char c) { return static_cast<uint8_t>(c); });
  return digest;
}

absl::Status CopyPayload(const Attempt& attempt, int index,
                         const std::filesystem::path& destination) {
  const auto& payload = attempt.description->payloads(index);
  USHER_ASSIGN_OR_RETURN(const Sha256Digest digest, DigestOf(payload.sha256()));
  auto file = attempt.cache->Open(digest);
  if (file.ok()) return (*file)->CopyTo(destination);
  const std::filesystem::path kept =
      attempt.kept_dir / PathFromUtf8(payload.name());
  std::error_code error;
  if (std::filesystem::is_regular_file(AnyLength(kept), error)) {
    return CopyKept(kept, digest, destination);
  }
  return Annotate(file.status(), payload.name());
}

absl::Status CopyPayloads(const Attempt& attempt,
                          const std::filesystem::path& directory) {
  USHER_RETURN_IF_ERROR(CheckPayloadNames(*attempt.description));
  USHER_RETURN_IF_ERROR(MakeDirectories(directory));
  const int count = attempt.description->payloads_size();
  for (int i = 0; i < count; ++i) {
    if (attempt.stopping()) return CancelledError();
    const std::string& name = attempt.description->payloads(i).name();
    USHER_RETURN_IF_ERROR(
        CopyPayload(attempt, i, directory / PathFromUtf8(name)));
    attempt.Report(100 * (i + 1) / count);
  }
  return absl::OkStatus();
}

}  // namespace usher::install
