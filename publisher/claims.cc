#include "publisher/claims.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "usher/v1/update.pb.h"

namespace usher::publisher {
namespace {

constexpr uint64_t kMaxClaims = uint64_t{128} * 1024 * 1024;

std::filesystem::path PathOf(const Workspace& workspace,
                             absl::string_view owner) {
  return workspace.dir() / "claims" / PathFromUtf8(absl::StrCat(owner, ".txt"));
}

// One line for each thing: "update {id}" or "category {id} {hash}"; sorted.
std::vector<std::string> LinesOf(const Claims& claims) {
  std::vector<std::string> lines;
  lines.reserve(claims.updates.size() + claims.categories.size());
  for (const auto& [id, digest] : claims.categories) {
    lines.push_back(absl::StrCat("category ", id, " ", digest));
  }
  for (const std::string& id : claims.updates) {
    lines.push_back(absl::StrCat("update ", id));
  }
  return lines;
}

// "" if it has published nothing yet.
absl::StatusOr<std::string> ReadText(const Workspace& workspace,
                                     absl::string_view owner) {
  auto text = ReadFile(PathOf(workspace, owner), kMaxClaims);
  if (!text.ok() && (HResultOf(text.status()) == hr::kErrorFileNotFound ||
                     HResultOf(text.status()) == hr::kErrorPathNotFound)) {
    return "";
  }
  return text;
}

std::string OwnerName(absl::string_view owner) {
  return owner == kOwnClaims ? "the repository's own catalog"
                             : absl::StrCat("vendor ", owner);
}

}  // namespace

absl::Status Claims::AddCategory(const usher::v1::Category& category) {
  const std::string& id = category.category_id();
  const std::string digest = ToHex(Sha256Of(category.SerializeAsString()));
  if (categories.emplace(id, digest).first->second == digest) {
    return absl::OkStatus();
  }
  return Error(hr::kWuEInvalidUpdate,
               absl::StrCat("category ", id, " is defined in two ways"), id);
}

absl::Status WriteClaims(const Workspace& workspace, absl::string_view owner,
                         const Claims& claims) {
  const std::filesystem::path path = PathOf(workspace, owner);
  const std::string text =
      absl::StrCat(absl::StrJoin(LinesOf(claims), "\n"), "\n");
  const auto present = ReadFile(path, kMaxClaims);
  if (present.ok() && *present == text) return absl::OkStatus();
  USHER_RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
  return WriteFileAtomically(path, text);
}

bool HasClaims(const Workspace& workspace, absl::string_view owner) {
  std::error_code error;
  return std::filesystem::exists(PathOf(workspace, owner), error);
}

absl::Status RemoveClaims(const Workspace& workspace, absl::string_view owner) {
  return RemoveTree(PathOf(workspace, owner));
}

absl::Status CheckClaims(const Workspace& workspace, absl::string_view owner,
                         const Claims& claims) {
  // What it had before was compared then, by it or by who came later.
  USHER_ASSIGN_OR_RETURN(const std::string before, ReadText(workspace, owner));
  const absl::flat_hash_set<absl::string_view> known =
      absl::StrSplit(before, '\n');
  std::vector<std::string> added = LinesOf(claims);
  std::erase_if(added, [&known](const std::string& line) {
    return known.contains(line);
  });
  if (added.empty()) return absl::OkStatus();
  absl::flat_hash_set<absl::string_view> updates;
  // By id; id and hash.
  absl::flat_hash_map<absl::string_view, absl::string_view> categories;
  for (absl::string_view line : added) {
    if (absl::ConsumePrefix(&line, "update ")) {
      updates.insert(line);
    } else if (absl::ConsumePrefix(&line, "category ")) {
      categories[line.substr(0, line.find(' '))] = line;
    }
  }
  std::vector<std::string> others = {std::string(kOwnClaims)};
  for (const Vendor& vendor : workspace.settings().vendors) {
    others.push_back(vendor.name);
  }
  for (const std::string& other : others) {
    if (other == owner) continue;
    USHER_ASSIGN_OR_RETURN(const std::string theirs,
                           ReadText(workspace, other));
    for (absl::string_view line : absl::StrSplit(theirs, '\n')) {
      if (absl::ConsumePrefix(&line, "update ")) {
        if (!updates.contains(line)) continue;
        return Error(hr::kWuEDsDuplicateupdateid,
                     absl::StrCat("update ", line, " of ", OwnerName(owner),
                                  " belongs to ", OwnerName(other),
                                  " already; give it an id of its own, or "
                                  "remove the other one first"),
                     line);
      }
      if (!absl::ConsumePrefix(&line, "category ")) continue;
      const absl::string_view id = line.substr(0, line.find(' '));
      const auto mine = categories.find(id);
      if (mine == categories.end() || mine->second == line) continue;
      return Error(hr::kWuEDsDuplicateupdateid,
                   absl::StrCat("category ", id, " of ", OwnerName(owner),
                                " is defined differently by ", OwnerName(other),
                                "; define it in the same way, or give it an id "
                                "of its own"),
                   id);
    }
  }
  return absl::OkStatus();
}

}  // namespace usher::publisher
