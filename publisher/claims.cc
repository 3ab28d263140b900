#include "publisher/claims.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "usher/v1/update.pb.h"

namespace usher::publisher {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxClaims = uint64_t{128} * 1024 * 1024;

std::filesystem::path PathOf(const Workspace& workspace,
                             absl::string_view owner) {
  return workspace.dir() / "claims" /
         PathFromUtf8(absl::StrCat(owner, ".json"));
}

absl::StatusOr<Claims> ReadClaims(const Workspace& workspace,
                                  absl::string_view owner) {
  Claims claims;
  const std::filesystem::path path = PathOf(workspace, owner);
  const auto text = ReadFile(path, kMaxClaims);
  if (!text.ok()) {
    if (HResultOf(text.status()) == hr::kErrorFileNotFound ||
        HResultOf(text.status()) == hr::kErrorPathNotFound) {
      return claims;
    }
    return text.status();
  }
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("updates") ||
      !json["updates"].is_array() || !json.contains("categories") ||
      !json["categories"].is_object()) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat(PathToUtf8(path),
                              " is damaged; publish (or take the vendor's "
                              "folder) again after removing it"),
                 PathToUtf8(path));
  }
  for (const Json& id : json["updates"]) {
    if (id.is_string()) claims.updates.insert(id.get<std::string>());
  }
  for (const auto& [id, digest] : json["categories"].items()) {
    if (digest.is_string()) claims.categories[id] = digest.get<std::string>();
  }
  return claims;
}

std::string OwnerName(absl::string_view owner) {
  return owner == kOwnClaims ? "the repository's own catalog"
                             : absl::StrCat("vendor ", owner);
}

}  // namespace

void Claims::AddCategory(const usher::v1::Category& category) {
  categories[category.category_id()] =
      ToHex(Sha256Of(category.SerializeAsString()));
}

absl::Status WriteClaims(const Workspace& workspace, absl::string_view owner,
                         const Claims& claims) {
  const std::filesystem::path path = PathOf(workspace, owner);
  USHER_RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
  return WriteFileAtomically(path, Json({{"updates", claims.updates},
                                         {"categories", claims.categories}})
                                       .dump());
}

absl::Status RemoveClaims(const Workspace& workspace, absl::string_view owner) {
  return RemoveTree(PathOf(workspace, owner));
}

absl::Status CheckClaims(const Workspace& workspace, absl::string_view owner,
                         const Claims& claims) {
  std::vector<std::string> others = {std::string(kOwnClaims)};
  for (const Vendor& vendor : workspace.settings().vendors) {
    others.push_back(vendor.name);
  }
  for (const std::string& other : others) {
    if (other == owner) continue;
    USHER_ASSIGN_OR_RETURN(const Claims theirs, ReadClaims(workspace, other));
    for (const std::string& id : claims.updates) {
      if (theirs.updates.contains(id)) {
        return Error(hr::kWuEDsDuplicateupdateid,
                     absl::StrCat("update ", id, " of ", OwnerName(owner),
                                  " belongs to ", OwnerName(other),
                                  " already; give it an id of its own, or "
                                  "remove the other one first"),
                     id);
      }
    }
    for (const auto& [id, digest] : claims.categories) {
      const auto found = theirs.categories.find(id);
      if (found != theirs.categories.end() && found->second != digest) {
        return Error(
            hr::kWuEDsDuplicateupdateid,
            absl::StrCat("category ", id, " of ", OwnerName(owner),
                         " is defined differently by ", OwnerName(other),
                         "; define it in the same way, or give it an "
                         "id of its own"),
            id);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace usher::publisher
