#include "publisher/workspace.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/uuid.h"
#include "publisher/leftovers.h"

namespace usher::publisher {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxSettings = uint64_t{16} * 1024 * 1024;
constexpr uint64_t kMaxDraft = uint64_t{1} << 30;
constexpr int kFormat = 1;
// A draft is written at every command: quick matters more than small.
constexpr int kDraftLevel = 1;

std::filesystem::path SettingsPath(const std::filesystem::path& dir) {
  return dir / "usher-repository.json";
}

std::filesystem::path DraftPath(const std::filesystem::path& dir) {
  return dir / "draft.usc";
}

int64_t NumberOr(const Json& json, const char* key, int64_t otherwise) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number_integer() ? it->get<int64_t>()
                                                     : otherwise;
}

absl::StatusOr<Vendor> ParseVendor(const Json& json) {
  Vendor vendor;
  const auto name = json.find("name");
  const auto keys = json.find("keys");
  if (name == json.end() || !name->is_string() || keys == json.end() ||
      !keys->is_array()) {
    return Error(hr::kWuEInvalidFile, "a vendor without name or keys");
  }
  vendor.name = name->get<std::string>();
  USHER_RETURN_IF_ERROR(CheckVendorName(vendor.name));
  vendor.threshold = NumberOr(json, "threshold", 0);
  vendor.version = NumberOr(json, "version", -1);
  const auto sha256 = json.find("sha256");
  if (sha256 != json.end() && sha256->is_string()) {
    vendor.sha256 = sha256->get<std::string>();
  }
  const auto removed = json.find("removed");
  vendor.removed =
      removed != json.end() && removed->is_boolean() && removed->get<bool>();
  for (const Json& key : *keys) {
    USHER_ASSIGN_OR_RETURN(tuf::Key parsed, tuf::ParseKey(key.dump()));
    vendor.keys.push_back(std::move(parsed));
  }
  if (vendor.threshold < 1 || vendor.version < 0 ||
      vendor.threshold > static_cast<int64_t>(vendor.keys.size())) {
    return Error(hr::kWuEInvalidFile,
                 absl::StrCat("vendor ", vendor.name, " is out of range"));
  }
  return vendor;
}

Json ToJson(const Vendor& vendor) {
  Json keys = Json::array();
  for (const tuf::Key& key : vendor.keys) {
    keys.push_back(Json::parse(tuf::KeyToJson(key)));
  }
  return {{"name", vendor.name},       {"threshold", vendor.threshold},
          {"version", vendor.version}, {"sha256", vendor.sha256},
          {"removed", vendor.removed}, {"keys", std::move(keys)}};
}

absl::StatusOr<std::vector<SignedRecord>> ParseSigned(const Json& json) {
  std::vector<SignedRecord> records;
  for (const Json& item : json) {
    const auto sha256 = item.is_object() ? item.find("sha256") : item.end();
    if (!item.is_object() || sha256 == item.end() || !sha256->is_string()) {
      return Error(hr::kWuEInvalidFile, "signed_last has no sha256");
    }
    records.push_back(
        {NumberOr(item, "version", 0), sha256->get<std::string>()});
    if (records.back().version < 1) {
      return Error(hr::kWuEInvalidFile, "signed_last is out of range");
    }
  }
  return records;
}

absl::StatusOr<Settings> ParseSettings(const std::filesystem::path& path) {
  USHER_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxSettings));
  const std::string name = PathToUtf8(path);
  const auto damaged = [&name](absl::string_view reason) {
    return Error(hr::kWuEInvalidFile, absl::StrCat(name, ": ", reason), name);
  };
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return damaged("is not a JSON object");
  const auto string = [&json](const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_string() ? it->get<std::string>() : "";
  };
  const auto number = [&json](const char* key) {
    return NumberOr(json, key, 0);
  };
  if (number("format") != kFormat) {
    return damaged("was made by another version of usher-publish");
  }
  Settings settings;
  const auto id = CanonicalUuid(string("service_id"));
  if (!id.ok()) return damaged("service_id is not a UUID");
  settings.service_id = *id;
  settings.service_name = string("service_name");
  settings.keys = string("keys");
  if (settings.service_name.empty()) return damaged("service_name is missing");
  if (settings.keys.empty()) return damaged("keys is missing");
  settings.targets_version = number("targets_version");
  settings.snapshot_version = number("snapshot_version");
  settings.timestamp_version = number("timestamp_version");
  settings.shard_bits = static_cast<int>(number("shard_bits"));
  settings.first_root = string("first_root");
  settings.vendor = string("vendor");
  if (!settings.vendor.empty() && !CheckVendorName(settings.vendor).ok()) {
    return damaged("vendor is not a vendor's name");
  }
  if (const auto records = json.find("signed_last"); records != json.end()) {
    if (!records->is_array()) return damaged("signed_last is not a list");
    auto parsed = ParseSigned(*records);
    if (!parsed.ok()) return damaged(parsed.status().message());
    settings.signed_last = *std::move(parsed);
  }
  if (const auto vendors = json.find("vendors"); vendors != json.end()) {
    if (!vendors->is_array()) return damaged("vendors is not a list");
    for (const Json& item : *vendors) {
      if (!item.is_object()) return damaged("a vendor is not an object");
      auto vendor = ParseVendor(item);
      if (!vendor.ok()) return damaged(vendor.status().message());
      settings.vendors.push_back(*std::move(vendor));
    }
  }
  return settings;
}

}  // namespace

absl::StatusOr<Workspace> Workspace::Create(const std::filesystem::path& dir,
                                            Settings settings) {
  // A web server passes through this folder to public/; what is private in it
  // has its own permissions.
  USHER_RETURN_IF_ERROR(MakeDirectories(dir, Access::kWorldRead));
  Workspace workspace(dir);
  USHER_ASSIGN_OR_RETURN(FileLock lock,
                         FileLock::Acquire(dir / "usher-repository.lock"));
  workspace.lock_.emplace(std::move(lock));
  std::error_code error;
  if (std::filesystem::exists(SettingsPath(dir), error)) {
    return Error(hr::kWuEDuplicateItem,
                 absl::StrCat(PathToUtf8(dir),
                              " is a repository already; nothing was changed"),
                 PathToUtf8(dir));
  }
  workspace.settings_ = std::move(settings);
  return workspace;
}

absl::StatusOr<Workspace> Workspace::Open(const std::filesystem::path& dir,
                                          Mode mode) {
  std::error_code error;
  if (!std::filesystem::exists(SettingsPath(dir), error)) {
    return Error(hr::kErrorFileNotFound,
                 absl::StrCat(PathToUtf8(dir),
                              " is not a repository; make one with "
                              "\"usher-publish init ",
                              PathToUtf8(dir), " --name NAME\""),
                 PathToUtf8(dir));
  }
  Workspace workspace(dir);
  if (mode == Mode::kWrite) {
    auto lock = FileLock::Acquire(dir / "usher-repository.lock");
    if (HResultOf(lock.status()) == hr::kWuEDsStorefilelocked) {
      return Annotate(lock.status(),
                      "another usher-publish is at work in this repository; "
                      "try again when it is done");
    }
    USHER_RETURN_IF_ERROR(lock.status());
    workspace.lock_.emplace(*std::move(lock));
    USHER_RETURN_IF_ERROR(RemoveTemporaries(dir));
    USHER_RETURN_IF_ERROR(RemoveTemporaries(dir / "claims"));
    USHER_RETURN_IF_ERROR(RemovePublicLeftovers(workspace.public_dir()));
  }
  USHER_ASSIGN_OR_RETURN(workspace.settings_, ParseSettings(SettingsPath(dir)));
  return workspace;
}

absl::Status Workspace::MustBeRepository() const {
  if (settings_.vendor.empty()) return absl::OkStatus();
  return Error(
      hr::kWuEInvalidOperation,
      absl::StrCat(PathToUtf8(dir_), " is the folder of the vendor ",
                   settings_.vendor, "; do this where the repository is"),
      PathToUtf8(dir_));
}

std::filesystem::path Workspace::keys_dir() const {
  return dir_ / PathFromUtf8(settings_.keys);
}

absl::Status Workspace::SaveSettings() const {
  Json json = {{"format", kFormat},
               {"service_id", settings_.service_id},
               {"service_name", settings_.service_name},
               {"keys", settings_.keys},
               {"targets_version", settings_.targets_version},
               {"snapshot_version", settings_.snapshot_version},
               {"timestamp_version", settings_.timestamp_version},
               {"shard_bits", settings_.shard_bits}};
  if (!settings_.vendor.empty()) json["vendor"] = settings_.vendor;
  if (!settings_.first_root.empty()) json["first_root"] = settings_.first_root;
  for (const SignedRecord& record : settings_.signed_last) {
    json["signed_last"].push_back(
        {{"version", record.version}, {"sha256", record.sha256}});
  }
  for (const Vendor& vendor : settings_.vendors) {
    json["vendors"].push_back(ToJson(vendor));
  }
  return WriteFileAtomically(
      SettingsPath(dir_),
      json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

absl::StatusOr<Draft> Workspace::LoadDraft() const {
  const auto file = ReadFile(DraftPath(dir_), kMaxDraft);
  if (!file.ok()) {
    // Without it the next publication would take every update away.
    return HResultOf(file.status()) == hr::kErrorFileNotFound
               ? Annotate(file.status(),
                          "the list of the repository's updates is gone; "
                          "restore it from a backup")
               : file.status();
  }
  auto draft = Draft::Decode(*file);
  if (!draft.ok()) {
    return Annotate(draft.status(), PathToUtf8(DraftPath(dir_)));
  }
  return draft;
}

absl::Status Workspace::SaveDraft(const Draft& draft) const {
  USHER_ASSIGN_OR_RETURN(
      const std::string file,
      draft.Encode(settings_.service_id, settings_.service_name, kDraftLevel));
  return WriteFileAtomically(DraftPath(dir_), file);
}

}  // namespace usher::publisher
