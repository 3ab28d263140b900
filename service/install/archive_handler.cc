#include "service/install/archive_handler.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "service/install/archive_unpacker.h"
#include "service/install/file_name.h"
#include "service/install/payloads.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::install {
namespace {

constexpr int64_t kDefaultMaxBytes = int64_t{4} * 1024 * 1024 * 1024;

// What the product looked like before Apply; written by Prepare so that Undo
// can tell the old from the new, also after a crash.
struct Before {
  // The version's folder was there already.
  bool had_target = false;
  // The version in use, or "".
  std::string current;
  // Whose the version was, or "".
  std::string owner;

  bool InUse(const ProductFolder& folder) const {
    return IsSameFileName(current, folder.version());
  }
};

std::filesystem::path BeforeFile(const Attempt& attempt) {
  return attempt.work_dir / "before";
}

absl::Status WriteBefore(const Attempt& attempt, const ProductFolder& folder) {
  USHER_ASSIGN_OR_RETURN(const std::string current, folder.Current());
  USHER_ASSIGN_OR_RETURN(const std::string owner, folder.Owner());
  return WriteFileAtomically(
      BeforeFile(attempt),
      absl::StrCat(Exists(folder.target()) ? "replace" : "new", "\n", current,
                   "\n", owner));
}

absl::StatusOr<Before> ReadBefore(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(BeforeFile(attempt), 4096));
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  lines.resize(3);
  return Before{lines[0] == "replace", lines[1], lines[2]};
}

// Two updates may name the same product and version, by mistake or because
// neither knows of the other.
absl::Status CheckOwner(const Attempt& attempt, const ProductFolder& folder) {
  USHER_ASSIGN_OR_RETURN(const std::string owner, folder.Owner());
  if (owner.empty() || owner == attempt.key.update_id) return absl::OkStatus();
  const auto& superseded =
      attempt.description->update().superseded_update_ids();
  if (std::find(superseded.begin(), superseded.end(), owner) !=
      superseded.end()) {
    return absl::OkStatus();
  }
  const auto& archive = attempt.description->handler().archive();
  return Error(
      hr::kErrorAlreadyExists,
      absl::StrCat("version ", archive.version(), " of the product ",
                   archive.product(), " was installed by the update ", owner,
                   ", which this one does not supersede; uninstall that "
                   "first"),
      attempt.key.update_id);
}

std::string NameOf(const std::filesystem::path& folder) {
  return PathToUtf8(folder.filename());
}

// Moves the version's folder to old() and the new one in its place. If it is
// `in_use`, `current` leads to a complete tree at each step, the new one or the
// old one, under whatever name that has just then.
absl::Status Replace(const ProductFolder& folder, bool in_use) {
  if (in_use) {
    USHER_RETURN_IF_ERROR(folder.Switch(NameOf(folder.staging())));
  }
  USHER_FAULT_POINT("archive.aside");
  USHER_RETURN_IF_ERROR(RenameDurably(folder.target(), folder.old()));
  USHER_FAULT_POINT("archive.moved");
  if (in_use) USHER_RETURN_IF_ERROR(folder.Switch(NameOf(folder.old())));
  USHER_FAULT_POINT("archive.lent");
  return RenameDurably(folder.staging(), folder.target());
}

// The way back from wherever Replace, or this, came to.
absl::Status PutBack(const ProductFolder& folder, bool in_use) {
  if (!Exists(folder.old())) return absl::OkStatus();
  if (Exists(folder.target())) {
    if (in_use) USHER_RETURN_IF_ERROR(folder.Switch(NameOf(folder.old())));
    USHER_RETURN_IF_ERROR(RenameDurably(folder.target(), folder.staging()));
  }
  if (in_use) USHER_RETURN_IF_ERROR(folder.Switch(NameOf(folder.staging())));
  return RenameDurably(folder.old(), folder.target());
}

absl::Status UndoInstall(const ProductFolder& folder, const Before& before) {
  if (before.had_target) {
    USHER_RETURN_IF_ERROR(PutBack(folder, before.InUse(folder)));
    USHER_RETURN_IF_ERROR(folder.Enlist(before.owner));
    return folder.Switch(before.current);
  }
  // The product's folder went with its only version.
  if (Exists(folder.staging()) || !Exists(folder.root())) {
    return absl::OkStatus();
  }
  // The old version is in use again before the new one goes.
  USHER_RETURN_IF_ERROR(folder.Switch(before.current));
  USHER_RETURN_IF_ERROR(RemoveTree(folder.target()));
  return folder.Delist();
}

absl::Status UndoUninstall(const ProductFolder& folder, const Before& before) {
  if (!Exists(folder.root())) return absl::OkStatus();
  if (Exists(folder.old())) {
    USHER_RETURN_IF_ERROR(RenameDurably(folder.old(), folder.target()));
    USHER_RETURN_IF_ERROR(folder.Enlist(before.owner));
  }
  return folder.Switch(before.current);
}

}  // namespace

absl::StatusOr<ProductFolder> ArchiveHandler::FolderOf(
    const Attempt& attempt) const {
  const auto& archive = attempt.description->handler().archive();
  return ProductFolder::Of(product_dir_, archive.product(), archive.version(),
                           attempt.step_id);
}

absl::Status ArchiveHandler::Prepare(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const ProductFolder folder, FolderOf(attempt));
  if (attempt.operation == Operation::kUninstall) {
    return WriteBefore(attempt, folder);
  }
  USHER_RETURN_IF_ERROR(CheckOwner(attempt, folder));
  USHER_RETURN_IF_ERROR(Stage(attempt, folder));
  USHER_FAULT_POINT("archive.staged");
  return WriteBefore(attempt, folder);
}

absl::Status ArchiveHandler::Stage(const Attempt& attempt,
                                   const ProductFolder& folder) {
  const auto& description = *attempt.description;
  if (description.payloads().empty()) {
    return Error(hr::kWuEUhInvalidmetadata, "the update has no archive",
                 attempt.key.update_id);
  }
  const std::filesystem::path copy = attempt.work_dir / "archive";
  USHER_RETURN_IF_ERROR(CopyPayload(attempt, 0, copy));
  USHER_RETURN_IF_ERROR(MakeDirectories(folder.root(), Access::kWorldRead));
  const auto& archive = description.handler().archive();
  UnpackOptions options;
  options.strip_components = archive.strip_components();
  options.max_bytes = archive.max_unpacked_size() > 0
                          ? archive.max_unpacked_size()
                          : kDefaultMaxBytes;
  options.stop = [&attempt] { return attempt.stopping(); };
  options.progress = [&attempt](int percent) { attempt.Report(percent); };
  USHER_RETURN_IF_ERROR(Unpack(copy, folder.staging(), options));
  // The archive's bytes are not needed twice.
  USHER_RETURN_IF_ERROR(RemoveTree(copy));
  return SyncDirectory(folder.root());
}

ApplyResult ArchiveHandler::Apply(const Attempt& attempt) {
  const absl::StatusOr<ProductFolder> folder = FolderOf(attempt);
  if (!folder.ok()) return {folder.status(), {}};
  if (attempt.stopping()) return {CancelledError(), {}};
  return {attempt.operation == Operation::kInstall
              ? Install(attempt, *folder)
              : Uninstall(attempt, *folder),
          {}};
}

absl::Status ArchiveHandler::Install(const Attempt& attempt,
                                     const ProductFolder& folder) {
  USHER_ASSIGN_OR_RETURN(const Before before, ReadBefore(attempt));
  if (before.had_target) {
    USHER_RETURN_IF_ERROR(Replace(folder, before.InUse(folder)));
  } else {
    USHER_RETURN_IF_ERROR(RenameDurably(folder.staging(), folder.target()));
  }
  USHER_FAULT_POINT("archive.renamed");
  USHER_RETURN_IF_ERROR(folder.Switch(folder.version()));
  USHER_FAULT_POINT("archive.switched");
  return folder.Enlist(attempt.key.update_id);
}

// Each part does nothing when it is done already, so that Recover can finish
// what a crash interrupted.
absl::Status ArchiveHandler::Uninstall(const Attempt& attempt,
                                       const ProductFolder& folder) {
  if (!Exists(folder.root())) return absl::OkStatus();
  const std::string& id = attempt.key.update_id;
  USHER_ASSIGN_OR_RETURN(const std::string owner, folder.Owner());
  // Else another update has taken it over.
  const bool mine = owner.empty() || owner == id;
  USHER_ASSIGN_OR_RETURN(const std::string current, folder.Current());
  USHER_ASSIGN_OR_RETURN(const std::string user, folder.OwnerOf(current));
  // Also away from an earlier revision's version, which Commit removes.
  if (IsSameFileName(current, folder.version()) ? mine : user == id) {
    USHER_ASSIGN_OR_RETURN(const std::string other, folder.Other(id));
    USHER_RETURN_IF_ERROR(folder.Switch(other));
  }
  USHER_FAULT_POINT("archive.switched");
  if (!mine) return absl::OkStatus();
  if (Exists(folder.target())) {
    USHER_RETURN_IF_ERROR(RenameDurably(folder.target(), folder.old()));
  }
  USHER_FAULT_POINT("archive.renamed");
  return folder.Delist();
}

absl::Status ArchiveHandler::Commit(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const ProductFolder folder, FolderOf(attempt));
  USHER_RETURN_IF_ERROR(RemoveTree(folder.old()));
  USHER_RETURN_IF_ERROR(folder.RemoveLeftovers());
  const absl::Status removed = folder.RemoveOthersOf(attempt.key.update_id);
  // An old version that a program still uses goes with the next one.
  if (attempt.operation == Operation::kInstall) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(removed);
  return folder.RemoveIfEmpty();
}

absl::Status ArchiveHandler::Undo(const Attempt& attempt, bool applying) {
  const absl::StatusOr<ProductFolder> named = FolderOf(attempt);
  // Prepare refused the names, so nothing was made.
  if (!named.ok()) return absl::OkStatus();
  const ProductFolder& folder = *named;
  if (applying) {
    USHER_ASSIGN_OR_RETURN(const Before before, ReadBefore(attempt));
    USHER_RETURN_IF_ERROR(attempt.operation == Operation::kInstall
                              ? UndoInstall(folder, before)
                              : UndoUninstall(folder, before));
  }
  USHER_RETURN_IF_ERROR(RemoveTree(folder.staging()));
  USHER_RETURN_IF_ERROR(folder.RemoveLeftovers());
  return attempt.operation == Operation::kInstall ? folder.RemoveIfEmpty()
                                                  : absl::OkStatus();
}

absl::StatusOr<Recovery> ArchiveHandler::Recover(const Attempt& attempt) {
  USHER_ASSIGN_OR_RETURN(const ProductFolder folder, FolderOf(attempt));
  Recovery recovery;
  if (attempt.operation == Operation::kUninstall) {
    USHER_RETURN_IF_ERROR(Uninstall(attempt, folder));
    recovery.state = Recovery::State::kApplied;
    return recovery;
  }
  USHER_ASSIGN_OR_RETURN(const Before before, ReadBefore(attempt));
  USHER_ASSIGN_OR_RETURN(const std::string current, folder.Current());
  const bool renamed = !Exists(folder.staging()) && Exists(folder.target()) &&
                       (!before.had_target || Exists(folder.old()));
  if (renamed && IsSameFileName(current, folder.version())) {
    USHER_RETURN_IF_ERROR(folder.Enlist(attempt.key.update_id));
    recovery.state = Recovery::State::kApplied;
    return recovery;
  }
  USHER_RETURN_IF_ERROR(Undo(attempt, /*applying=*/true));
  recovery.state = Recovery::State::kUndone;
  return recovery;
}

}  // namespace usher::install
