#ifndef USHER_TESTS_UNIT_TUF_TEST_REPOSITORY_H_
#define USHER_TESTS_UNIT_TUF_TEST_REPOSITORY_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/tuf/metadata.h"
#include "common/tuf/metadata_codec.h"
#include "common/tuf/private_key.h"

namespace usher::tuf {

// Documents of a small repository with one key a role, for a test to bend.
class TestRepository {
 public:
  TestRepository()
      : now(absl::FromUnixSeconds(1893456000)),  // 2030-01-01
        root_key(PrivateKey::Generate(kEd25519).value()),
        timestamp_key(PrivateKey::Generate(kEd25519).value()),
        snapshot_key(PrivateKey::Generate(kEd25519).value()),
        targets_key(PrivateKey::Generate(kEd25519).value()) {
    const absl::Time later = now + absl::Hours(24 * 30);
    root.body.expires = timestamp.body.expires = snapshot.body.expires =
        targets.body.expires = later;
    SetKeys("root", {root_key});
    SetKeys("timestamp", {timestamp_key});
    SetKeys("snapshot", {snapshot_key});
    SetKeys("targets", {targets_key});
  }

  void SetKeys(const std::string& role, const std::vector<PrivateKey>& keys,
               int64_t threshold = 1) {
    Role& entry = root.body.roles[role];
    entry.key_ids.clear();
    for (const PrivateKey& key : keys) {
      entry.key_ids.push_back(key.key_id());
      root.body.keys[key.key_id()] = key.public_key();
    }
    entry.threshold = threshold;
  }

  template <typename Body>
  static std::string Signed(Metadata<Body>& metadata,
                            const std::vector<PrivateKey>& keys) {
    Sign(metadata, keys).IgnoreError();
    return Serialize(metadata).value();
  }

  std::string RootBytes() { return Signed(root, {root_key}); }

  // Signs targets, snapshot and timestamp so that they name each other.
  void Publish() {
    targets_bytes = Signed(targets, {targets_key});
    snapshot.body.meta["targets.json"] =
        DescribeMetadata(targets.body.version, targets_bytes);
    snapshot_bytes = Signed(snapshot, {snapshot_key});
    timestamp.body.snapshot =
        DescribeMetadata(snapshot.body.version, snapshot_bytes);
    timestamp_bytes = Signed(timestamp, {timestamp_key});
  }

  absl::Time now;
  PrivateKey root_key;
  PrivateKey timestamp_key;
  PrivateKey snapshot_key;
  PrivateKey targets_key;
  Metadata<Root> root;
  Metadata<Timestamp> timestamp;
  Metadata<Snapshot> snapshot;
  Metadata<Targets> targets;
  std::string timestamp_bytes;
  std::string snapshot_bytes;
  std::string targets_bytes;
};

}  // namespace usher::tuf

#endif  // USHER_TESTS_UNIT_TUF_TEST_REPOSITORY_H_
