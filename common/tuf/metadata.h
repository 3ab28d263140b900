#ifndef USHER_COMMON_TUF_METADATA_H_
#define USHER_COMMON_TUF_METADATA_H_

// The metadata documents of The Update Framework (specification 1.0, section
// 4) as values. Members that this version does not know are kept as JSON text
// in `unknown_fields` ("" for none) and written again.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/tuf/key.h"

namespace usher::tuf {

// The version of the specification that is written, and whose major number is
// required when reading.
inline constexpr absl::string_view kSpecVersion = "1.0.31";

// What every document has. `expires` is in whole seconds, UTC.
struct Common {
  int64_t version = 1;  // 1 or more
  std::string spec_version = std::string{kSpecVersion};
  absl::Time expires;
  std::string unknown_fields;
};

// Who may sign: that many different keys of these.
struct Role {
  std::vector<std::string> key_ids;  // without repeats
  int64_t threshold = 1;             // 1 or more
  std::string unknown_fields;
};

struct Root : Common {
  static constexpr absl::string_view kType = "root";
  std::optional<bool> consistent_snapshot = true;
  std::map<std::string, Key> keys;    // by key id
  std::map<std::string, Role> roles;  // root, timestamp, snapshot, targets …
};

// Hashes by algorithm name ("sha256", "sha512"), in hexadecimal digits as
// found, in either case.
using Hashes = std::map<std::string, std::string>;

// How one metadata document names another.
struct MetaFile {
  int64_t version = 1;
  std::optional<int64_t> length;  // bytes
  Hashes hashes;                  // may be empty
  std::string unknown_fields;
};

struct Timestamp : Common {
  static constexpr absl::string_view kType = "timestamp";
  MetaFile snapshot;
};

struct Snapshot : Common {
  static constexpr absl::string_view kType = "snapshot";
  std::map<std::string, MetaFile> meta;  // by file name: "targets.json", …
};

struct TargetInfo {
  int64_t length = 0;  // bytes
  Hashes hashes;       // at least one
  std::string custom;  // JSON object; "" for none
  std::string unknown_fields;
};

// One delegation. Exactly one of the two lists is present.
struct DelegatedRole {
  std::string name;
  Role role;
  bool terminating = false;
  std::optional<std::vector<std::string>> paths;
  std::optional<std::vector<std::string>> path_hash_prefixes;
};

// Delegation to 2^bit_length hash bins (TAP 15).
struct SuccinctRoles {
  Role role;
  int64_t bit_length = 1;  // 1 to 32
  std::string name_prefix;
};

struct Delegations {
  std::map<std::string, Key> keys;  // by key id
  // In order of priority. Exactly one of the two is present.
  std::optional<std::vector<DelegatedRole>> roles;
  std::optional<SuccinctRoles> succinct_roles;
  std::string unknown_fields;
};

struct Targets : Common {
  static constexpr absl::string_view kType = "targets";
  std::map<std::string, TargetInfo> targets;  // by target name
  std::optional<Delegations> delegations;
};

struct Signature {
  std::string key_id;
  std::string signature;  // hexadecimal digits as found
  std::string unknown_fields;
};

// A document with its signatures.
template <typename Body>
struct Metadata {
  Body body;
  std::vector<Signature> signatures;
  std::string unknown_fields;
  // What the signatures cover: the canonical JSON of "signed" as it was read.
  // Set by Parse() and Sign().
  std::string signed_bytes;
};

}  // namespace usher::tuf

#endif  // USHER_COMMON_TUF_METADATA_H_
