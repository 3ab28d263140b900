#include "publisher/published_metadata.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/fault_point.h"
#include "common/missing_file.h"
#include "common/tuf/trusted_metadata_set.h"
#include "publisher/real_folders.h"

namespace usher::publisher {

std::string VersionedName(int64_t version, absl::string_view role) {
  return absl::StrCat(version, ".", role, ".json");
}

bool IsAgeing(absl::Time expires, absl::Time renewed, absl::Time now) {
  return expires < now + (renewed - now) / 2;
}

absl::StatusOr<std::vector<int64_t>> VersionsOf(
    const std::filesystem::path& metadata_dir, absl::string_view role) {
  std::vector<int64_t> versions;
  std::error_code error;
  for (std::filesystem::directory_iterator it(metadata_dir, error), end;
       !error && it != end; it.increment(error)) {
    const std::string name = PathToUtf8(it->path().filename());
    absl::string_view digits = name;
    int64_t version = 0;
    if (absl::ConsumeSuffix(&digits, absl::StrCat(".", role, ".json")) &&
        absl::SimpleAtoi(digits, &version) && version > 0 &&
        VersionedName(version, role) == name) {
      versions.push_back(version);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return SystemError(error.default_error_condition().value(),
                       "list the folder", PathToUtf8(metadata_dir));
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

absl::StatusOr<int64_t> NextVersion(int64_t last, absl::string_view role) {
  constexpr int64_t kMaxVersion = (int64_t{1} << 53) - 1;
  if (last >= 0 && last < kMaxVersion) return last + 1;
  return Error(hr::kWuEMaxCapacityReached,
               absl::StrCat("the ", role, " has version ", last,
                            ", after which none is left"),
               role);
}

bool IsRecorded(const Settings& settings, const SignedRecord& found) {
  return std::any_of(settings.signed_last.begin(), settings.signed_last.end(),
                     [&found](const SignedRecord& record) {
                       return record.version == found.version &&
                              record.sha256 == found.sha256;
                     });
}

absl::Status CheckIsLast(const Settings& settings, const SignedRecord& found,
                         absl::string_view name) {
  if (settings.signed_last.empty() || IsRecorded(settings, found)) {
    return absl::OkStatus();
  }
  int64_t last = 0;
  for (const SignedRecord& record : settings.signed_last) {
    last = std::max(last, record.version);
  }
  if (found.version <= last) {
    return Error(hr::kWuERedirectorIdSmaller,
                 absl::StrCat(name, " has version ", found.version,
                              ", and is not the one of version ", last,
                              " that was signed last"),
                 name);
  }
  if (found.version - last > kMaxVersionStep) {
    return Error(hr::kWuEInvalidOperation,
                 absl::StrCat(name, " has version ", found.version,
                              ", far beyond version ", last,
                              " that was signed last; its key may have been "
                              "stolen"),
                 name);
  }
  return absl::OkStatus();
}

absl::Status BeginSigned(Workspace& workspace,
                         const absl::optional<SignedRecord>& present,
                         SignedRecord next) {
  std::vector<SignedRecord>& records = workspace.settings().signed_last;
  records.clear();
  if (present.has_value()) records.push_back(*present);
  records.push_back(std::move(next));
  return workspace.SaveSettings();
}

absl::Status ConfirmSigned(Workspace& workspace, const SignedRecord& present) {
  std::vector<SignedRecord>& records = workspace.settings().signed_last;
  if (records.size() == 1 && IsRecorded(workspace.settings(), present)) {
    return absl::OkStatus();
  }
  records = {present};
  return workspace.SaveSettings();
}

namespace {

// From {dir}/root.json to the newest one that follows from it.
absl::Status LoadRoot(const Workspace& workspace,
                      PublishedMetadata& published) {
  const std::filesystem::path copy = workspace.dir() / "root.json";
  auto text = ReadFile(copy, kMaxMetadataBytes);
  if (!text.ok()) {
    return Annotate(text.status(),
                    "the root that clients are given is gone; restore it from "
                    "a backup");
  }
  // When it expires is another matter.
  auto trusted = tuf::TrustedMetadataSet::Create(*text, absl::UnixEpoch());
  if (!trusted.ok()) return Annotate(trusted.status(), PathToUtf8(copy));
  const std::filesystem::path folder = workspace.metadata_dir();
  const std::filesystem::path own =
      folder / VersionedName(trusted->root().version, "root");
  const auto same = ReadFile(own, kMaxMetadataBytes);
  if (!same.ok() || *same != *text) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(PathToUtf8(own),
                              same.ok() ? " is another root than "
                                        : " is missing or cannot be read; it "
                                          "is the same as ",
                              PathToUtf8(copy),
                              "; restore it, and all older roots, from a "
                              "backup or from the web server, or this one from "
                              "this copy"),
                 PathToUtf8(own));
  }
  while (true) {
    const std::filesystem::path path =
        folder / VersionedName(trusted->root().version + 1, "root");
    auto next = ReadFile(path, kMaxMetadataBytes);
    if (!next.ok() && IsMissingFile(next.status())) break;
    absl::Status status = next.status();
    if (status.ok()) status = trusted->UpdateRoot(*next);
    if (!status.ok()) {
      return Annotate(status,
                      absl::StrCat(PathToUtf8(path),
                                   " does not follow the root before it and "
                                   "did not come from here; remove it"));
    }
    text = std::move(next);
    published.root_copy_is_old = true;
  }
  USHER_ASSIGN_OR_RETURN(const std::vector<int64_t> versions,
                         VersionsOf(folder, "root"));
  const int64_t newest = versions.empty() ? 0 : versions.back();
  if (newest != trusted->root().version) {
    const std::string name = PathToUtf8(folder / VersionedName(newest, "root"));
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(name, " follows no other root, the newest is ",
                              trusted->root().version, "; remove it"),
                 name);
  }
  constexpr size_t kMaxListed = 5;
  for (int64_t version = newest - 1;
       version > 0 && published.missing_roots.size() < kMaxListed; --version) {
    if (versions.size() == static_cast<size_t>(newest)) break;  // all there
    if (!std::binary_search(versions.begin(), versions.end(), version)) {
      published.missing_roots.push_back(VersionedName(version, "root"));
    }
  }
  USHER_ASSIGN_OR_RETURN(published.root, tuf::Parse<tuf::Root>(*text));
  published.root_text = *std::move(text);
  return absl::OkStatus();
}

// Absent if it is missing. `named`: what its parent says of it; null for the
// timestamp, which has none.
template <typename Body>
absl::StatusOr<absl::optional<tuf::Metadata<Body>>> ReadVerified(
    const Workspace& workspace, const tuf::Root& root, absl::string_view name,
    const tuf::MetaFile* named) {
  const std::filesystem::path path =
      workspace.metadata_dir() / PathFromUtf8(name);
  const auto text = ReadFile(path, kMaxMetadataBytes);
  if (!text.ok()) {
    if (!IsMissingFile(text.status())) return text.status();
    return absl::optional<tuf::Metadata<Body>>();
  }
  absl::Status status;
  if (named != nullptr) {
    status = tuf::CheckContent(*text, named->length, named->hashes,
                               /*need_hash=*/true);
  }
  if (!status.ok()) return Annotate(status, PathToUtf8(path));
  auto metadata = tuf::Parse<Body>(*text);
  if (!metadata.ok()) return Annotate(metadata.status(), PathToUtf8(path));
  // Parse() requires every top-level role in a root.
  status =
      tuf::VerifyThreshold(metadata->signed_bytes, metadata->signatures,
                           root.keys, root.roles.at(std::string(Body::kType)));
  if (status.ok() && named != nullptr &&
      metadata->body.version != named->version) {
    status = Error(hr::kWuEMetadataSignatureVerifyFailed,
                   absl::StrCat("has version ", metadata->body.version), name);
  }
  if (!status.ok()) return Annotate(status, PathToUtf8(path));
  return absl::optional<tuf::Metadata<Body>>(*std::move(metadata));
}

// The timestamp, and down from it as far as it goes.
absl::Status LoadRoles(const Workspace& workspace,
                       PublishedMetadata& published) {
  const tuf::Root& root = published.root.body;
  USHER_ASSIGN_OR_RETURN(
      auto timestamp,
      ReadVerified<tuf::Timestamp>(workspace, root, "timestamp.json", nullptr));
  if (!timestamp.has_value()) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(
      CheckIsLast(workspace.settings(), RecordOf(*timestamp),
                  PathToUtf8(workspace.metadata_dir() / "timestamp.json")));
  published.timestamp = std::move(timestamp);
  const tuf::MetaFile& snapshot = published.timestamp->body.snapshot;
  USHER_ASSIGN_OR_RETURN(
      published.snapshot,
      ReadVerified<tuf::Snapshot>(workspace, root,
                                  VersionedName(snapshot.version, "snapshot"),
                                  &snapshot));
  if (!published.snapshot.has_value()) return absl::OkStatus();
  const auto meta = published.snapshot->body.meta.find("targets.json");
  if (meta == published.snapshot->body.meta.end()) return absl::OkStatus();
  USHER_ASSIGN_OR_RETURN(
      published.targets,
      ReadVerified<tuf::Targets>(workspace, root,
                                 VersionedName(meta->second.version, "targets"),
                                 &meta->second));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PublishedMetadata> PublishedMetadata::Load(
    const Workspace& workspace, Wrong wrong) {
  USHER_RETURN_IF_ERROR(workspace.MustBeRepository());
  if (!workspace.settings().first_root.empty()) {
    return Error(
        hr::kWuEInvalidOperation,
        absl::StrCat("the first root is still a draft; have it signed, "
                     "and run \"usher-publish root publish ",
                     PathToUtf8(workspace.dir()), " FILE\""),
        "root.json");
  }
  PublishedMetadata published;
  USHER_RETURN_IF_ERROR(LoadRoot(workspace, published));
  const absl::Status status = LoadRoles(workspace, published);
  if (status.ok() || wrong == Wrong::kIgnore) return published;
  return Annotate(
      status,
      absl::StrCat("what is public is not what was signed here: restore ",
                   PathToUtf8(workspace.public_dir()),
                   ", or sign everything afresh with \"usher-publish publish ",
                   PathToUtf8(workspace.dir()), " --renew\""));
}

absl::Status WritePublic(const std::filesystem::path& public_dir,
                         const std::filesystem::path& path,
                         absl::string_view content) {
  USHER_RETURN_IF_ERROR(CheckRealFolders(public_dir, path.parent_path()));
  USHER_RETURN_IF_ERROR(
      MakeDirectories(path.parent_path(), Access::kWorldRead));
  return WriteFileAtomically(path, content, Access::kWorldRead);
}

absl::Status WriteRoot(const Workspace& workspace, int64_t version,
                       absl::string_view text) {
  USHER_RETURN_IF_ERROR(WritePublic(
      workspace.public_dir(),
      workspace.metadata_dir() / VersionedName(version, "root"), text));
  USHER_FAULT_POINT("publisher.root_written");
  return WriteFileAtomically(workspace.dir() / "root.json", text,
                             Access::kWorldRead);
}

}  // namespace usher::publisher
