#include "service/repository/metadata_store.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/tuf/metadata_codec.h"

namespace usher::repository {
namespace {

void ReachWritten(absl::string_view role) {
  if (role == "root") USHER_FAULT_POINT("repository.root_written");
  if (role == "timestamp") USHER_FAULT_POINT("repository.timestamp_written");
  if (role == "snapshot") USHER_FAULT_POINT("repository.snapshot_written");
  if (role == "targets") USHER_FAULT_POINT("repository.targets_written");
}

}  // namespace

std::filesystem::path MetadataStore::PathOf(absl::string_view role) const {
  return folder_ / PathFromUtf8(tuf::RoleFileName(role));
}

absl::Status MetadataStore::Create() const { return MakeDirectories(folder_); }

absl::Status MetadataStore::RemoveLeftovers() const {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder_, error), end;
       !error && it != end; it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    if (absl::StartsWith(name, ".") && absl::EndsWith(name, ".tmp")) {
      USHER_RETURN_IF_ERROR(RemoveTree(it->path()));
    }
  }
  if (!error) return absl::OkStatus();
  return SystemError(error.default_error_condition().value(), "read",
                     PathToUtf8(folder_));
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
  ReachWritten(role);
  return absl::OkStatus();
}

absl::Status MetadataStore::Remove(absl::string_view role) const {
  return RemoveTree(PathOf(role));
}

}  // namespace usher::repository
