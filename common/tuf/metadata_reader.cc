#include "common/tuf/metadata_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/tuf/json_tools.h"
#include "common/tuf/key_json.h"
#include "common/tuf/metadata_codec.h"
#include "nlohmann/json.hpp"

namespace usher::tuf {
namespace {

using nlohmann::json;

constexpr int64_t kMaxInteger = std::numeric_limits<int64_t>::max();
// Counts that no honest repository comes near; the size of a document is
// limited by whoever fetches it.
constexpr size_t kMaxKeys = 4096;
constexpr size_t kMaxRootRoles = 64;
constexpr size_t kMaxRoleKeys = 1024;
constexpr size_t kMaxHashes = 16;
constexpr size_t kMaxHashDigits = 256;
constexpr size_t kMaxMetaFiles = 1 << 20;
constexpr size_t kMaxTargets = 1 << 22;
constexpr size_t kMaxDelegations = 1 << 16;
constexpr size_t kMaxPaths = 1 << 16;
constexpr size_t kMaxNameBytes = 1024;
constexpr int64_t kMaxBitLength = 32;

bool IsLowerHex(absl::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

void CheckSpecVersion(absl::string_view text, ObjectReader& reader) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  const bool numbers =
      std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
        return !part.empty() &&
               part.find_first_not_of("0123456789") == absl::string_view::npos;
      });
  if (!numbers || parts.size() < 2 || parts.size() > 3) {
    reader.Fail("spec_version", "is not MAJOR.MINOR.PATCH");
  } else if (parts[0] != "1") {
    reader.Fail("spec_version",
                absl::StrCat("is ", text, "; this program knows version 1"));
  }
}

void ReadCommon(absl::string_view type, ObjectReader& reader, Common& common) {
  constexpr size_t kMaxTypeBytes = 64;
  const std::string found = reader.String("_type", kMaxTypeBytes);
  if (found != type) {
    reader.Fail("_type", absl::StrCat("is \"", absl::Utf8SafeCEscape(found),
                                      "\", not \"", type, "\""));
  }
  common.spec_version = reader.String("spec_version", kMaxTypeBytes);
  CheckSpecVersion(common.spec_version, reader);
  common.version = reader.Integer("version", 1, kMaxInteger);
  const absl::StatusOr<absl::Time> expires =
      ParseExpiry(reader.String("expires", kMaxTypeBytes));
  if (expires.ok()) {
    common.expires = *expires;
  } else {
    reader.Fail("expires", expires.status().message());
  }
}

// A role's members, read by the object that holds them; leaves "the rest" to
// the caller.
Role ReadRoleMembers(ObjectReader& reader) {
  Role role;
  role.key_ids = reader.Strings("keyids", kMaxRoleKeys, kMaxKeyIdBytes);
  const std::set<std::string> unique(role.key_ids.begin(), role.key_ids.end());
  if (unique.size() != role.key_ids.size()) {
    reader.Fail("keyids", "names a key twice");
  }
  role.threshold = reader.Integer("threshold", 1, kMaxInteger);
  return role;
}

std::map<std::string, Key> ReadKeys(ObjectReader& reader,
                                    absl::Status& status) {
  std::map<std::string, Key> keys;
  reader.ForEach(
      "keys", kMaxKeys, [&](const std::string& id, const json& value) {
        if (id.empty() || id.size() > kMaxKeyIdBytes) {
          reader.Fail("keys", "has an id of a wrong length");
          return;
        }
        keys[id] =
            ReadKey(value, absl::StrCat(reader.Where("keys"), ".", id), status);
      });
  return keys;
}

Hashes ReadHashes(ObjectReader& reader) {
  Hashes hashes;
  reader.ForEach(
      "hashes", kMaxHashes, [&](const std::string& name, const json& value) {
        // As they stand: a signature covers them so.
        const std::string digits =
            value.is_string() ? value.get_ref<const std::string&>() : "";
        if (name.empty() || name.size() > kMaxHashDigits || digits.empty() ||
            digits.size() > kMaxHashDigits ||
            !IsLowerHex(absl::AsciiStrToLower(digits))) {
          reader.Fail("hashes", "has a value that is not hexadecimal digits");
          return;
        }
        hashes[name] = digits;
      });
  if (hashes.empty()) reader.Fail("hashes", "is empty");
  return hashes;
}

MetaFile ReadMetaFile(const json& value, std::string where,
                      absl::Status& status) {
  MetaFile meta;
  ObjectReader reader(value, std::move(where), status);
  meta.version = reader.Integer("version", 1, kMaxInteger);
  if (reader.Optional("length") != nullptr) {
    meta.length = reader.Integer("length", 0, kMaxInteger);
  }
  if (reader.Optional("hashes") != nullptr) meta.hashes = ReadHashes(reader);
  meta.unknown_fields = reader.Rest();
  return meta;
}

// Named by file: "{role}.json".
std::map<std::string, MetaFile> ReadMeta(ObjectReader& reader,
                                         absl::Status& status) {
  std::map<std::string, MetaFile> meta;
  reader.ForEach(
      "meta", kMaxMetaFiles, [&](const std::string& name, const json& value) {
        constexpr absl::string_view kSuffix = ".json";
        const absl::string_view role =
            absl::EndsWith(name, kSuffix) ? absl::string_view(name).substr(
                                                0, name.size() - kSuffix.size())
                                          : "";
        if (!IsRoleName(role)) {
          reader.Fail("meta", absl::StrCat("names a file \"",
                                           absl::Utf8SafeCEscape(name),
                                           "\" that is not ROLE.json"));
          return;
        }
        meta[name] = ReadMetaFile(
            value, absl::StrCat(reader.Where("meta"), ".", name), status);
      });
  return meta;
}

TargetInfo ReadTarget(const json& value, std::string where,
                      absl::Status& status) {
  TargetInfo target;
  ObjectReader reader(value, std::move(where), status);
  target.length = reader.Integer("length", 0, kMaxInteger);
  target.hashes = ReadHashes(reader);
  if (const json* custom = reader.Optional("custom"); custom != nullptr) {
    if (!custom->is_object()) reader.Fail("custom", "is not an object");
    target.custom = custom->dump();
  }
  target.unknown_fields = reader.Rest();
  return target;
}

DelegatedRole ReadDelegatedRole(const json& value, std::string where,
                                absl::Status& status) {
  DelegatedRole delegated;
  ObjectReader reader(value, std::move(where), status);
  delegated.name = reader.String("name", kMaxNameBytes);
  if (!IsRoleName(delegated.name)) reader.Fail("name", "cannot name a role");
  if (IsTopLevelRole(delegated.name)) {
    reader.Fail("name", absl::StrCat("is the top-level role ", delegated.name));
  }
  delegated.role = ReadRoleMembers(reader);
  delegated.terminating = reader.Bool("terminating");
  if (reader.Optional("paths") != nullptr) {
    delegated.paths = reader.Strings("paths", kMaxPaths, kMaxNameBytes);
  }
  if (reader.Optional("path_hash_prefixes") != nullptr) {
    delegated.path_hash_prefixes =
        reader.Strings("path_hash_prefixes", kMaxPaths, kMaxHashDigits);
    for (const std::string& prefix : *delegated.path_hash_prefixes) {
      if (!IsLowerHex(prefix)) {
        reader.Fail("path_hash_prefixes", "has one that is not hexadecimal");
      }
    }
  }
  if (delegated.paths.has_value() == delegated.path_hash_prefixes.has_value()) {
    reader.Fail("paths", "or path_hash_prefixes must be there, and not both");
  }
  delegated.role.unknown_fields = reader.Rest();
  return delegated;
}

std::vector<DelegatedRole> ReadDelegatedRoles(const json& list,
                                              ObjectReader& parent,
                                              absl::Status& status) {
  std::vector<DelegatedRole> roles;
  if (!list.is_array() || list.size() > kMaxDelegations) {
    parent.Fail("roles",
                absl::StrCat("is not a list of at most ", kMaxDelegations));
    return roles;
  }
  std::set<std::string> names;
  for (const json& element : list) {
    roles.push_back(ReadDelegatedRole(
        element, absl::StrCat(parent.Where("roles"), "[", roles.size(), "]"),
        status));
    if (!names.insert(roles.back().name).second) {
      parent.Fail("roles", "names a role twice");
    }
    if (!status.ok()) return roles;
  }
  return roles;
}

SuccinctRoles ReadSuccinctRoles(const json& value, std::string where,
                                absl::Status& status) {
  SuccinctRoles roles;
  ObjectReader reader(value, std::move(where), status);
  roles.role = ReadRoleMembers(reader);
  roles.bit_length = reader.Integer("bit_length", 1, kMaxBitLength);
  roles.name_prefix = reader.String("name_prefix", kMaxNameBytes);
  if (!IsRoleName(roles.name_prefix)) {
    reader.Fail("name_prefix", "cannot begin a role's name");
  }
  roles.role.unknown_fields = reader.Rest();
  return roles;
}

Delegations ReadDelegations(const json& value, std::string where,
                            absl::Status& status) {
  Delegations delegations;
  ObjectReader reader(value, std::move(where), status);
  delegations.keys = ReadKeys(reader, status);
  const json* roles = reader.Optional("roles");
  const json* succinct = reader.Optional("succinct_roles");
  if ((roles == nullptr) == (succinct == nullptr)) {
    reader.Fail("roles", "or succinct_roles must be there, and not both");
    return delegations;
  }
  if (roles != nullptr) {
    delegations.roles = ReadDelegatedRoles(*roles, reader, status);
  } else {
    delegations.succinct_roles =
        ReadSuccinctRoles(*succinct, reader.Where("succinct_roles"), status);
  }
  delegations.unknown_fields = reader.Rest();
  return delegations;
}

}  // namespace

void ReadBody(const json& value, Root& root, absl::Status& status) {
  ObjectReader reader(value, "signed", status);
  ReadCommon(Root::kType, reader, root);
  root.consistent_snapshot.reset();
  if (reader.Optional("consistent_snapshot") != nullptr) {
    root.consistent_snapshot = reader.Bool("consistent_snapshot");
  }
  root.keys = ReadKeys(reader, status);
  reader.ForEach("roles", kMaxRootRoles,
                 [&](const std::string& name, const json& role_value) {
                   ObjectReader role_reader(
                       role_value,
                       absl::StrCat(reader.Where("roles"), ".",
                                    absl::Utf8SafeCEscape(name)),
                       status);
                   Role role = ReadRoleMembers(role_reader);
                   role.unknown_fields = role_reader.Rest();
                   root.roles[name] = std::move(role);
                 });
  for (const char* name : {"root", "timestamp", "snapshot", "targets"}) {
    if (!root.roles.contains(name)) {
      reader.Fail("roles", absl::StrCat("has no ", name));
    }
  }
  root.unknown_fields = reader.Rest();
}

void ReadBody(const json& value, Timestamp& timestamp, absl::Status& status) {
  constexpr const char* kSnapshotFile = "snapshot.json";
  ObjectReader reader(value, "signed", status);
  ReadCommon(Timestamp::kType, reader, timestamp);
  const std::map<std::string, MetaFile> meta = ReadMeta(reader, status);
  const auto snapshot = meta.find(kSnapshotFile);
  if (snapshot != meta.end() && meta.size() == 1) {
    timestamp.snapshot = snapshot->second;
  } else {
    reader.Fail("meta", "does not name snapshot.json and nothing else");
  }
  timestamp.unknown_fields = reader.Rest();
}

void ReadBody(const json& value, Snapshot& snapshot, absl::Status& status) {
  ObjectReader reader(value, "signed", status);
  ReadCommon(Snapshot::kType, reader, snapshot);
  snapshot.meta = ReadMeta(reader, status);
  snapshot.unknown_fields = reader.Rest();
}

void ReadBody(const json& value, Targets& targets, absl::Status& status) {
  ObjectReader reader(value, "signed", status);
  ReadCommon(Targets::kType, reader, targets);
  reader.ForEach(
      "targets", kMaxTargets, [&](const std::string& name, const json& info) {
        const std::string where = absl::StrCat(
            reader.Where("targets"), ".\"",
            absl::Utf8SafeCEscape(name.substr(0, kMaxNameBytes)), "\"");
        if (!IsConfinedTargetName(name)) {
          if (status.ok()) {
            status = Malformed(absl::StrCat(
                where, " is not the name of a file inside the repository"));
          }
          return;
        }
        targets.targets[name] = ReadTarget(info, where, status);
      });
  if (const json* delegations = reader.Optional("delegations");
      delegations != nullptr) {
    targets.delegations =
        ReadDelegations(*delegations, reader.Where("delegations"), status);
  }
  targets.unknown_fields = reader.Rest();
}

}  // namespace usher::tuf
