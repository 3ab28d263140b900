#include "publisher/prepared_catalogs.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/sha256.h"
#include "common/tuf/metadata_codec.h"
#include "publisher/catalog_shards.h"
#include "publisher/published_metadata.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using repository::v1::Payload;
using repository::v1::UpdateDescription;
using Json = nlohmann::json;

constexpr int kCatalogLevel = 9;
// How files are made from updates. Change it whenever that changes.
constexpr int kEncoding = 1;
constexpr char kMadeFile[] = "made.json";
constexpr uint64_t kMaxMadeBytes = uint64_t{16} * 1024 * 1024;

// What goes into a file; all categories, though only some are written.
std::string KeyOf(const CatalogShard& shard, absl::string_view common) {
  Sha256 hash;
  hash.Update(common);
  for (const DraftEntry* entry : shard.entries) {
    hash.Update(absl::StrCat(entry->wire.size(), "\n"));
    hash.Update(entry->wire);
  }
  return ToHex(hash.Finish());
}

std::string CommonKey(const Settings& settings, const Draft& draft) {
  std::string text =
      absl::StrCat(kEncoding, "\n", kCatalogLevel, "\n", settings.service_id,
                   "\n", settings.service_name, "\n");
  for (const usher::v1::Category* category : draft.categories().All()) {
    const std::string wire = category->SerializeAsString();
    absl::StrAppend(&text, wire.size(), "\n", wire);
  }
  return text;
}

// What bundles contain is in the repository and is no bundle; clients would
// refuse the whole catalog.
absl::Status CheckBundles(const Draft& draft) {
  for (const DraftEntry* entry : draft.Bundles()) {
    const UpdateDescription bundle = entry->Parse();
    for (const auto& child : bundle.update().bundled_updates()) {
      const DraftEntry* const found = draft.Find(child.update_id());
      const bool there =
          found != nullptr && found->revision == child.revision_number();
      if (there && !found->is_bundle) continue;
      return Error(
          hr::kWuEInvalidUpdate,
          absl::StrCat(entry->name, ": the bundle contains update ",
                       child.update_id(), " revision ", child.revision_number(),
                       there ? ", which is a bundle itself"
                             : ", which the repository does not have; add it, "
                               "or change or remove the bundle"),
          entry->name);
    }
  }
  return absl::OkStatus();
}

bool IsPublic(const fs::path& path, int64_t length) {
  std::error_code error;
  return static_cast<int64_t>(fs::file_size(path, error)) == length && !error;
}

}  // namespace

absl::StatusOr<PreparedCatalogs> PreparedCatalogs::Make(
    const Workspace& workspace, bool everything) {
  USHER_ASSIGN_OR_RETURN(const Draft draft, workspace.LoadDraft());
  USHER_RETURN_IF_ERROR(CheckBundles(draft));
  PreparedCatalogs prepared(workspace);
  USHER_RETURN_IF_ERROR(prepared.MakeFiles(draft, everything));
  USHER_RETURN_IF_ERROR(prepared.CheckPayloads(
      everything ? PayloadStore::By::kContent : PayloadStore::By::kSize));
  return prepared;
}

absl::Status PreparedCatalogs::MakeFiles(const Draft& draft, bool everything) {
  const Settings& settings = workspace_.settings();
  const std::map<std::string, Made> before =
      everything ? std::map<std::string, Made>() : ReadMade();
  bits_ = ShardBits(draft.size(), settings.shard_bits);
  const std::string common = CommonKey(settings, draft);
  for (const usher::v1::Category* category : draft.categories().All()) {
    USHER_RETURN_IF_ERROR(claims_.AddCategory(*category));
  }
  for (const CatalogShard& shard :
       SplitIntoShards(draft, settings.catalog_folder(), bits_)) {
    Made made;
    made.key = KeyOf(shard, common);
    const auto old = before.find(shard.target);
    const bool known = old != before.end() && old->second.key == made.key &&
                       IsPublic(workspace_.targets_dir() /
                                    PathFromUtf8(tuf::ConsistentTargetPath(
                                        shard.target, old->second.sha256)),
                                old->second.length);
    if (known) {
      made = old->second;
      // They may be gone since, or wait to replace damaged ones.
      Made ignored;
      for (const DraftEntry* entry : shard.entries) {
        if (made.payloads_own > 0) ListPayloads(*entry, ignored);
      }
    } else {
      USHER_ASSIGN_OR_RETURN(
          std::string content,
          EncodeCatalog(shard.entries, draft.categories(), settings.service_id,
                        settings.service_name, /*all_categories=*/false,
                        kCatalogLevel));
      made.length = static_cast<int64_t>(content.size());
      made.sha256 = ToHex(Sha256Of(content));
      contents_[shard.target] = std::move(content);
      for (const DraftEntry* entry : shard.entries) ListPayloads(*entry, made);
    }
    tuf::TargetInfo& info = targets_[shard.target];
    info.length = made.length;
    info.hashes["sha256"] = made.sha256;
    updates_ += static_cast<int64_t>(shard.entries.size());
    payloads_absent_ += made.payloads_absent;
    bytes_ += made.length;
    for (const DraftEntry* entry : shard.entries) {
      claims_.updates.insert(entry->update_id);
    }
    made_[shard.target] = std::move(made);
  }
  return absl::OkStatus();
}

void PreparedCatalogs::ListPayloads(const DraftEntry& entry, Made& made) {
  const UpdateDescription description = entry.Parse();
  for (const Payload& payload : description.payloads()) {
    if (absl::StartsWith(payload.location(), kAbsentPrefix)) {
      ++made.payloads_absent;
    }
    if (!IsOwnPayload(payload.location())) continue;
    ++made.payloads_own;
    OwnPayload own{payload.location(), {payload.size(), {}}};
    std::copy(payload.sha256().begin(), payload.sha256().end(),
              own.facts.sha256.begin());
    payloads_.push_back(std::move(own));
  }
}

absl::Status PreparedCatalogs::CheckPayloads(PayloadStore::By by) const {
  const PayloadStore store = workspace_.payloads();
  std::vector<std::string> missing;
  for (const OwnPayload& payload : payloads_) {
    if (!store.Has(payload.location, payload.facts, by)) {
      missing.push_back(payload.location);
    }
  }
  if (missing.empty()) return absl::OkStatus();
  const size_t count = missing.size();
  if (count > 5) missing.resize(5);
  return Error(
      hr::kWuESourceAbsent,
      absl::StrCat(count, " payloads are missing or damaged (",
                   absl::StrJoin(missing, ", "), count > 5 ? ", …" : "",
                   "); add their updates again, or restore the files from a "
                   "backup or from where they are served"),
      missing.front());
}

std::string PreparedCatalogs::Digest() const {
  Sha256 hash;
  for (const auto& [target, made] : made_) {
    hash.Update(absl::StrCat(made.sha256, " ", target, "\n"));
  }
  return ToHex(hash.Finish());
}

absl::StatusOr<int64_t> PreparedCatalogs::WritePayloads() {
  PayloadStore store = workspace_.payloads();
  int64_t moved_payloads = 0;
  for (const OwnPayload& payload : payloads_) {
    USHER_ASSIGN_OR_RETURN(const bool moved,
                           store.Publish(payload.location, payload.facts));
    if (moved) ++moved_payloads;
  }
  return moved_payloads;
}

absl::StatusOr<int64_t> PreparedCatalogs::WriteFiles() {
  int64_t written = 0;
  for (const auto& [target, content] : contents_) {
    const Made& made = made_.at(target);
    const fs::path path =
        workspace_.targets_dir() /
        PathFromUtf8(tuf::ConsistentTargetPath(target, made.sha256));
    const auto present = HashFile(path);
    if (present.ok() && ToHex(present->sha256) == made.sha256) continue;
    USHER_RETURN_IF_ERROR(WritePublic(workspace_.public_dir(), path, content));
    written += made.length;
  }
  return written;
}

absl::Status PreparedCatalogs::Remember() const {
  Json files = Json::object();
  for (const auto& [target, made] : made_) {
    files[target] = {{"key", made.key},
                     {"sha256", made.sha256},
                     {"length", made.length},
                     {"payloads_absent", made.payloads_absent},
                     {"payloads_own", made.payloads_own}};
  }
  const std::string text = Json({{"files", std::move(files)}}).dump(1) + "\n";
  const fs::path path = workspace_.dir() / kMadeFile;
  const auto present = ReadFile(path, kMaxMadeBytes);
  if (present.ok() && *present == text) return absl::OkStatus();
  return WriteFileAtomically(path, text);
}

// What is not as it should be is made again.
std::map<std::string, PreparedCatalogs::Made> PreparedCatalogs::ReadMade()
    const {
  std::map<std::string, Made> all;
  const auto text = ReadFile(workspace_.dir() / kMadeFile, kMaxMadeBytes);
  if (!text.ok()) return all;
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("files") ||
      !json["files"].is_object()) {
    return all;
  }
  for (const auto& [target, file] : json["files"].items()) {
    if (!file.is_object()) continue;
    const auto key = file.find("key");
    const auto sha256 = file.find("sha256");
    const auto length = file.find("length");
    const auto absent = file.find("payloads_absent");
    const auto own = file.find("payloads_own");
    if (key == file.end() || !key->is_string() || sha256 == file.end() ||
        !sha256->is_string() || length == file.end() ||
        !length->is_number_integer() || absent == file.end() ||
        !absent->is_number_integer() || own == file.end() ||
        !own->is_number_integer()) {
      continue;
    }
    all[target] = {key->get<std::string>(), sha256->get<std::string>(),
                   length->get<int64_t>(), absent->get<int64_t>(),
                   own->get<int64_t>()};
  }
  return all;
}

}  // namespace usher::publisher
