#include "common/tuf/metadata_writer.h"

#include <map>
#include <string>

#include "common/error.h"
#include "common/tuf/json_tools.h"
#include "common/tuf/key_json.h"
#include "common/tuf/metadata_codec.h"
#include "nlohmann/json.hpp"

namespace usher::tuf {
namespace {

using nlohmann::json;

// Members that every document has; adds the unknown ones too, so it comes
// last.
absl::Status WriteCommon(absl::string_view type, const Common& common,
                         json& out) {
  out["_type"] = std::string{type};
  out["spec_version"] = common.spec_version;
  out["version"] = common.version;
  out["expires"] = FormatExpiry(common.expires);
  return AddUnknownFields(common.unknown_fields, out);
}

absl::Status WriteKeys(const std::map<std::string, Key>& keys, json& out) {
  out = json::object();
  for (const auto& [id, key] : keys) {
    USHER_RETURN_IF_ERROR(WriteKey(key, out[id]));
  }
  return absl::OkStatus();
}

absl::Status WriteRole(const Role& role, json& out) {
  out["keyids"] = role.key_ids;
  out["threshold"] = role.threshold;
  return AddUnknownFields(role.unknown_fields, out);
}

absl::Status WriteMetaFile(const MetaFile& meta, json& out) {
  out = json{{"version", meta.version}};
  if (meta.length.has_value()) out["length"] = *meta.length;
  if (!meta.hashes.empty()) out["hashes"] = meta.hashes;
  return AddUnknownFields(meta.unknown_fields, out);
}

absl::Status WriteTarget(const TargetInfo& target, json& out) {
  out = json{{"length", target.length}, {"hashes", target.hashes}};
  if (!target.custom.empty()) {
    json& custom = out["custom"] = json::object();
    USHER_RETURN_IF_ERROR(AddUnknownFields(target.custom, custom));
  }
  return AddUnknownFields(target.unknown_fields, out);
}

absl::Status WriteDelegatedRole(const DelegatedRole& delegated, json& out) {
  out = json{{"name", delegated.name}, {"terminating", delegated.terminating}};
  if (delegated.paths.has_value()) out["paths"] = *delegated.paths;
  if (delegated.path_hash_prefixes.has_value()) {
    out["path_hash_prefixes"] = *delegated.path_hash_prefixes;
  }
  return WriteRole(delegated.role, out);
}

absl::Status WriteDelegations(const Delegations& delegations, json& out) {
  out = json::object();
  USHER_RETURN_IF_ERROR(WriteKeys(delegations.keys, out["keys"]));
  if (delegations.roles.has_value()) {
    json& roles = out["roles"] = json::array();
    for (const DelegatedRole& delegated : *delegations.roles) {
      roles.push_back(nullptr);
      USHER_RETURN_IF_ERROR(WriteDelegatedRole(delegated, roles.back()));
    }
  }
  if (delegations.succinct_roles.has_value()) {
    const SuccinctRoles& succinct = *delegations.succinct_roles;
    json& roles = out["succinct_roles"] =
        json{{"bit_length", succinct.bit_length},
             {"name_prefix", succinct.name_prefix}};
    USHER_RETURN_IF_ERROR(WriteRole(succinct.role, roles));
  }
  return AddUnknownFields(delegations.unknown_fields, out);
}

}  // namespace

absl::Status WriteBody(const Root& root, json& out) {
  out = json::object();
  if (root.consistent_snapshot.has_value()) {
    out["consistent_snapshot"] = *root.consistent_snapshot;
  }
  USHER_RETURN_IF_ERROR(WriteKeys(root.keys, out["keys"]));
  json& roles = out["roles"] = json::object();
  for (const auto& [name, role] : root.roles) {
    USHER_RETURN_IF_ERROR(WriteRole(role, roles[name]));
  }
  return WriteCommon(Root::kType, root, out);
}

absl::Status WriteBody(const Timestamp& timestamp, json& out) {
  out = json::object();
  USHER_RETURN_IF_ERROR(
      WriteMetaFile(timestamp.snapshot, out["meta"]["snapshot.json"]));
  return WriteCommon(Timestamp::kType, timestamp, out);
}

absl::Status WriteBody(const Snapshot& snapshot, json& out) {
  out = json::object();
  json& meta = out["meta"] = json::object();
  for (const auto& [name, file] : snapshot.meta) {
    USHER_RETURN_IF_ERROR(WriteMetaFile(file, meta[name]));
  }
  return WriteCommon(Snapshot::kType, snapshot, out);
}

absl::Status WriteBody(const Targets& targets, json& out) {
  out = json::object();
  json& files = out["targets"] = json::object();
  for (const auto& [name, target] : targets.targets) {
    USHER_RETURN_IF_ERROR(WriteTarget(target, files[name]));
  }
  if (targets.delegations.has_value()) {
    USHER_RETURN_IF_ERROR(
        WriteDelegations(*targets.delegations, out["delegations"]));
  }
  return WriteCommon(Targets::kType, targets, out);
}

}  // namespace usher::tuf
