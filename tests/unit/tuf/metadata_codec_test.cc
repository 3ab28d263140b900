#include "common/tuf/metadata_codec.h"

#include <string>
#include <vector>

#include "common/error.h"
#include "common/tuf/canonical_json.h"
#include "common/tuf/trusted_metadata_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/unit/tuf/test_repository.h"

namespace usher::tuf {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;

TEST(CodecTest, SignedDocumentsComeBack) {
  TestRepository repository;
  repository.Publish();
  const Metadata<Root> root = Parse<Root>(repository.RootBytes()).value();
  EXPECT_EQ(root.body.version, 1);
  EXPECT_EQ(root.body.keys.size(), 4U);
  EXPECT_TRUE(root.body.consistent_snapshot.value());
  EXPECT_TRUE(VerifyThreshold(root.signed_bytes, root.signatures,
                              root.body.keys, root.body.roles.at("root"))
                  .ok());
  const Metadata<Timestamp> timestamp =
      Parse<Timestamp>(repository.timestamp_bytes).value();
  EXPECT_EQ(timestamp.body.snapshot.length,
            static_cast<int64_t>(repository.snapshot_bytes.size()));
  EXPECT_EQ(timestamp.body.expires, repository.timestamp.body.expires);
}

// One document of each kind with everything that the format has, and with
// members that this version does not know at every level.
constexpr char kTargets[] = R"({
  "signed": {
    "_type": "targets", "spec_version": "1.0.19", "version": 7,
    "expires": "2031-01-01T00:00:00Z", "x-top": {"a": ["b\n", null]},
    "targets": {
      "catalog/catalog.usc": {
        "length": 5, "hashes": {"sha256": "00ff", "blake2b-256": "aa"},
        "custom": {"note": "x"}, "x-target": 1},
      "empty": {"length": 0, "hashes": {"sha512": "00"}, "custom": {}}},
    "delegations": {
      "x-delegations": true,
      "keys": {"k1": {"keytype": "ed25519", "scheme": "ed25519", "x-key": 1,
                      "keyval": {"public": "00", "x-keyval": 2}}},
      "roles": [
        {"name": "vendor", "keyids": ["k1"], "threshold": 1,
         "terminating": true, "paths": ["vendor/*"], "x-role": "y"},
        {"name": "bins", "keyids": [], "threshold": 3, "terminating": false,
         "path_hash_prefixes": ["00", "ff"]}]}},
  "signatures": [{"keyid": "k1", "sig": "00", "x-signature": 3}],
  "x-envelope": 4})";
constexpr char kSuccinct[] = R"({
  "signed": {
    "_type": "targets", "spec_version": "1.0", "version": 1,
    "expires": "2031-01-01T00:00:00Z", "targets": {},
    "delegations": {
      "keys": {},
      "succinct_roles": {"keyids": ["k"], "threshold": 1, "bit_length": 8,
                         "name_prefix": "bin", "x": 1}}},
  "signatures": []})";
constexpr char kRoot[] = R"({
  "signed": {
    "_type": "root", "spec_version": "1.0.31", "version": 3,
    "expires": "2031-01-01T00:00:00Z", "x-root": 1,
    "keys": {"k": {"keytype": "q", "scheme": "q", "keyval": {"public": ""}}},
    "roles": {
      "root": {"keyids": ["k"], "threshold": 1, "x": 2},
      "timestamp": {"keyids": ["k"], "threshold": 1},
      "snapshot": {"keyids": ["gone"], "threshold": 5},
      "targets": {"keyids": [], "threshold": 1},
      "mirrors": {"keyids": [], "threshold": 1}}},
  "signatures": []})";
constexpr char kSnapshot[] = R"({
  "signed": {
    "_type": "snapshot", "spec_version": "1.0.31", "version": 3,
    "expires": "2031-01-01T00:00:00Z", "x": 1,
    "meta": {
      "targets.json": {"version": 1, "length": 2, "hashes": {"sha256": "aa"},
                       "x": 1},
      "../odd.json": {"version": 9}}},
  "signatures": []})";
constexpr char kTimestamp[] = R"({
  "signed": {
    "_type": "timestamp", "spec_version": "1.0.31", "version": 3,
    "expires": "2031-01-01T00:00:00Z", "x": 1,
    "meta": {"snapshot.json": {"version": 1, "x": 1}}},
  "signatures": []})";

template <typename Body>
void ExpectRoundTrip(const char* text) {
  const Metadata<Body> metadata = Parse<Body>(text).value();
  const std::string out = Serialize(metadata).value();
  EXPECT_EQ(CanonicalJson(out).value(), CanonicalJson(text).value());
  // What was signed is what is written, or signatures would not survive.
  EXPECT_EQ(SignedBytes(metadata.body).value(), metadata.signed_bytes);
}

TEST(CodecTest, NothingIsLostOnRoundTrip) {
  ExpectRoundTrip<Targets>(kTargets);
  ExpectRoundTrip<Targets>(kSuccinct);
  ExpectRoundTrip<Root>(kRoot);
  ExpectRoundTrip<Snapshot>(kSnapshot);
  ExpectRoundTrip<Timestamp>(kTimestamp);
}

TEST(CodecTest, ReadsDelegations) {
  const Targets targets = Parse<Targets>(kTargets).value().body;
  const std::vector<DelegatedRole>& roles = *targets.delegations->roles;
  ASSERT_EQ(roles.size(), 2U);
  EXPECT_EQ(roles[0].name, "vendor");
  EXPECT_TRUE(roles[0].terminating);
  EXPECT_EQ(roles[0].paths->front(), "vendor/*");
  EXPECT_EQ(roles[1].path_hash_prefixes->size(), 2U);
  const Targets succinct = Parse<Targets>(kSuccinct).value().body;
  EXPECT_EQ(succinct.delegations->succinct_roles->bit_length, 8);
}

// A document with one member changed.
struct BadCase {
  const char* document;
  const char* pointer;  // JSON pointer; the member is set to `value`
  const char* value;    // JSON, or "" to remove the member
  const char* named;    // what the error names
};

template <typename Body>
absl::Status ParseStatus(const std::string& text) {
  return Parse<Body>(text).status();
}

absl::Status ParseAs(const std::string& type, const std::string& text) {
  if (type == kRoot) return ParseStatus<Root>(text);
  if (type == kSnapshot) return ParseStatus<Snapshot>(text);
  if (type == kTimestamp) return ParseStatus<Timestamp>(text);
  return ParseStatus<Targets>(text);
}

TEST(CodecTest, RefusesEachBadMember) {
  const BadCase cases[] = {
      {kRoot, "/signed/_type", R"("targets")", "_type"},
      {kRoot, "/signed/_type", "", "_type is missing"},
      {kRoot, "/signed/spec_version", R"("2.0.0")", "knows version 1"},
      {kRoot, "/signed/spec_version", R"("1")", "spec_version"},
      {kRoot, "/signed/spec_version", R"("1.x.0")", "spec_version"},
      {kRoot, "/signed/spec_version", "1", "spec_version"},
      {kRoot, "/signed/version", "0", "version"},
      {kRoot, "/signed/version", "-1", "version"},
      {kRoot, "/signed/version", R"("1")", "version"},
      {kRoot, "/signed/version", "true", "version"},
      {kRoot, "/signed/expires", R"("2031-01-01")", "expires"},
      {kRoot, "/signed/consistent_snapshot", "1", "consistent_snapshot"},
      {kRoot, "/signed/roles/root/threshold", "0", "threshold"},
      {kRoot, "/signed/roles/root/threshold", "", "threshold"},
      {kRoot, "/signed/roles/root/keyids", R"(["k","k"])", "twice"},
      {kRoot, "/signed/roles/root/keyids", R"([1])", "keyids"},
      {kRoot, "/signed/roles/timestamp", "", "has no timestamp"},
      {kRoot, "/signed/roles/targets", "[]", "roles.targets"},
      {kRoot, "/signed/keys/k/keyval", "", "keyval"},
      {kRoot, "/signed/keys", "[]", "keys"},
      {kRoot, "/signatures", "{}", "signatures"},
      {kRoot, "/signatures", R"([{"keyid":"k"}])", "sig"},
      {kRoot, "/signatures",
       R"([{"keyid":"k","sig":"00"},{"keyid":"k","sig":"01"}])",
       "signatures names a key twice"},
      {kRoot, "/signed", "", "signed"},
      {kTimestamp, "/signed/meta/snapshot.json", "", "snapshot.json"},
      {kTimestamp, "/signed/meta/other.json", R"({"version":1})",
       "snapshot.json"},
      {kTimestamp, "/signed/meta/snapshot.json/length", "-1", "length"},
      {kTimestamp, "/signed/meta/snapshot.json/hashes", "{}", "hashes"},
      {kTimestamp, "/signed/meta/snapshot.json/hashes", R"({"sha256":"xyz"})",
       "hashes"},
      {kSnapshot, "/signed/meta/targets", R"({"version":1})", "ROLE.json"},
      {kSnapshot, "/signed/meta/.json", R"({"version":1})", "ROLE.json"},
      {kSnapshot, "/signed/meta/targets.json/version", "0", "version"},
      {kTargets, "/signed/targets/..~1evil",
       R"({"length":1,"hashes":{"sha256":"00"}})", "evil"},
      {kTargets, "/signed/targets/~1etc~1passwd",
       R"({"length":1,"hashes":{"sha256":"00"}})", "passwd"},
      {kTargets, "/signed/targets/empty/length", "-1", "length"},
      {kTargets, "/signed/targets/empty/length", "1.5", "integer"},
      {kTargets, "/signed/targets/empty/hashes", "", "hashes"},
      {kTargets, "/signed/targets/empty/custom", "[]", "custom"},
      {kTargets, "/signed/delegations/roles/0/name", R"("root")", "top-level"},
      {kTargets, "/signed/delegations/roles/0/name", R"("bins")", "twice"},
      {kTargets, "/signed/delegations/roles/0/name", R"("a\nb")", "name"},
      {kTargets, "/signed/delegations/roles/0/paths", "", "paths"},
      {kTargets, "/signed/delegations/roles/1/paths", "[]", "paths"},
      {kTargets, "/signed/delegations/roles/1/path_hash_prefixes", R"(["0g"])",
       "path_hash_prefixes"},
      {kTargets, "/signed/delegations/roles/0/terminating", "", "terminating"},
      {kTargets, "/signed/delegations/roles", "", "succinct_roles"},
      {kSuccinct, "/signed/delegations/roles", "[]", "not both"},
      {kSuccinct, "/signed/delegations/succinct_roles/bit_length", "33",
       "bit_length"},
  };
  for (const BadCase& bad : cases) {
    json document = json::parse(bad.document);
    const json::json_pointer pointer(bad.pointer);
    if (*bad.value == '\0') {
      document[pointer.parent_pointer()].erase(pointer.back());
    } else {
      document[pointer] = json::parse(bad.value);
    }
    const absl::Status status = ParseAs(bad.document, document.dump());
    EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed)
        << bad.pointer << " = " << bad.value << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad.named))
        << bad.pointer;
  }
}

TEST(CodecTest, SerializeRefusesWhatNobodyWouldRead) {
  TestRepository repository;
  repository.targets.body.targets["../evil"] = {1, {{"sha256", "00"}}};
  EXPECT_EQ(HResultOf(Serialize(repository.targets).status()),
            hr::kEInvalidarg);
  repository.targets.body.targets.clear();
  repository.targets.body.spec_version = "\xFF";
  EXPECT_EQ(HResultOf(Serialize(repository.targets).status()),
            hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(SignedBytes(repository.targets.body).status()),
            hr::kEInvalidarg);
}

TEST(CodecTest, SigningReplacesOrAdds) {
  TestRepository repository;
  ASSERT_TRUE(Sign(repository.root, {repository.root_key}).ok());
  ASSERT_TRUE(Sign(repository.root, {repository.targets_key}, true).ok());
  EXPECT_EQ(repository.root.signatures.size(), 2U);
  ASSERT_TRUE(Sign(repository.root, {repository.targets_key}, true).ok());
  EXPECT_EQ(repository.root.signatures.size(), 2U);
  ASSERT_TRUE(Sign(repository.root, {repository.targets_key}).ok());
  ASSERT_EQ(repository.root.signatures.size(), 1U);
  EXPECT_EQ(repository.root.signatures[0].key_id,
            repository.targets_key.key_id());
  // A key that is given twice signs once.
  ASSERT_TRUE(
      Sign(repository.root, {repository.root_key, repository.root_key}).ok());
  EXPECT_EQ(repository.root.signatures.size(), 1U);
  EXPECT_TRUE(Serialize(repository.root).ok());
}

}  // namespace
}  // namespace usher::tuf
