#include "service/repository/metadata_store.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/metadata_codec.h"

namespace usher::repository {
namespace {

void ReachWritten(absl::string_view role) {
  if (role == "root") USHER_FAULT_POINT("repository.root_written");
  if (role == "timestamp") USHER_FAULT_POINT("repository.timestamp_written");
  if (role == "snapshot") USHER_FAULT_POINT("repository.snapshot_written");
  if (role == "targets") USHER_FAULT_POINT("repository.targets_written");
  if (role == "delegated") USHER_FAULT_POINT("repository.delegated_written");
}

void ReachRemoved(absl::string_view role) {
  if (role == "timestamp") USHER_FAULT_POINT("repository.timestamp_removed");
  if (role == "snapshot") USHER_FAULT_POINT("repository.snapshot_removed");
}

// A file of its own for every role on every file system. Some of them do not
// tell "a" from "A" or know devices named CON; names end at 255 bytes.
std::string StoredFileName(absl::string_view role) {
  constexpr size_t kMaxEncoded = 200;
  constexpr std::array<absl::string_view, 4> kDevices = {"aux", "con", "nul",
                                                         "prn"};
  std::string name;
  for (const char c : role) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_islower(byte) || absl::ascii_isdigit(byte) ||
        absl::StrContains("._~-", c)) {
      name.push_back(c);
    } else {
      absl::StrAppendFormat(&name, "%%%02X", byte);
    }
  }
  const absl::string_view stem =
      absl::string_view(name).substr(0, name.find('.'));
  const bool device =
      std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end() ||
      (stem.size() == 4 &&
       (absl::StartsWith(stem, "com") || absl::StartsWith(stem, "lpt")));
  // No encoded name begins like this.
  if (device || name.size() > kMaxEncoded) {
    return absl::StrCat("%~", ToHex(Sha256Of(role)), ".json");
  }
  return name + ".json";
}

}  // namespace

std::filesystem::path MetadataStore::PathOf(absl::string_view role) const {
  return folder_ / PathFromUtf8(StoredFileName(role));
}

absl::Status MetadataStore::Create() const { return MakeDirectories(folder_); }

absl::Status MetadataStore::RemoveLeftovers() const {
  return RemoveTemporaries(folder_);
}

bool MetadataStore::Has(absl::string_view role) const {
  std::error_code error;
  return std::filesystem::exists(PathOf(role), error);
}

absl::StatusOr<std::string> MetadataStore::Read(absl::string_view role,
                                                int64_t max_bytes) const {
  return ReadFile(PathOf(role), static_cast<uint64_t>(max_bytes));
}

std::optional<std::string> MetadataStore::ReadIfUsable(
    absl::string_view role, int64_t max_bytes) const {
  absl::StatusOr<std::string> bytes = Read(role, max_bytes);
  if (!bytes.ok()) return std::nullopt;
  return *std::move(bytes);
}

absl::Status MetadataStore::Write(absl::string_view role,
                                  absl::string_view bytes) const {
  USHER_RETURN_IF_ERROR(WriteFileAtomically(PathOf(role), bytes));
  ReachWritten(tuf::IsTopLevelRole(role) ? role : "delegated");
  return absl::OkStatus();
}

absl::Status MetadataStore::Remove(absl::string_view role) const {
  USHER_RETURN_IF_ERROR(RemoveTree(PathOf(role)));
  ReachRemoved(role);
  return absl::OkStatus();
}

}  // namespace usher::repository
