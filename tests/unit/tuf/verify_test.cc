#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/error.h"
#include "common/sha256.h"
#include "common/tuf/trusted_metadata_set.h"
#include "gtest/gtest.h"
#include "tests/unit/tuf/test_repository.h"

namespace usher::tuf {
namespace {

constexpr char kMessage[] = "message";

class ThresholdTest : public ::testing::Test {
 protected:
  ThresholdTest()
      : a_(PrivateKey::Generate(kEd25519).value()),
        b_(PrivateKey::Generate(kEd25519).value()) {
    Add("a", a_.public_key());
    Add("b", b_.public_key());
  }

  void Add(const std::string& id, const Key& key) {
    keys_[id] = key;
    role_.key_ids.push_back(id);
  }

  void AddSignature(const std::string& id, const PrivateKey& key) {
    signatures_.push_back(
        {id, absl::BytesToHexString(key.Sign(kMessage).value())});
  }

  absl::Status Verify() {
    return VerifyThreshold(kMessage, signatures_, keys_, role_);
  }

  PrivateKey a_;
  PrivateKey b_;
  std::map<std::string, Key> keys_;
  Role role_;
  std::vector<Signature> signatures_;
};

TEST_F(ThresholdTest, CountsDifferentKeys) {
  role_.threshold = 2;
  AddSignature("a", a_);
  EXPECT_EQ(HResultOf(Verify()), hr::kWuEMetadataBadSignature);
  AddSignature("b", b_);
  EXPECT_TRUE(Verify().ok());
}

TEST_F(ThresholdTest, OneSignatureTwiceCountsOnce) {
  role_.threshold = 2;
  AddSignature("a", a_);
  AddSignature("a", a_);
  EXPECT_EQ(HResultOf(Verify()), hr::kWuEMetadataBadSignature);
}

TEST_F(ThresholdTest, OneKeyUnderTwoIdsCountsOnce) {
  role_.threshold = 2;
  Add("again", a_.public_key());
  AddSignature("a", a_);
  AddSignature("again", a_);
  EXPECT_EQ(HResultOf(Verify()), hr::kWuEMetadataBadSignature);
}

TEST_F(ThresholdTest, WrongSignatureDoesNotHideARightOne) {
  signatures_.push_back({"a", "00"});
  signatures_.push_back({"a", "not hex"});
  AddSignature("a", a_);
  EXPECT_TRUE(Verify().ok());
}

TEST_F(ThresholdTest, KeysOutsideTheRoleDoNotCount) {
  role_.key_ids = {"b"};
  AddSignature("a", a_);
  AddSignature("unknown", a_);
  EXPECT_EQ(HResultOf(Verify()), hr::kWuEMetadataBadSignature);
}

TEST_F(ThresholdTest, ThresholdBelowOneIsNeverMet) {
  AddSignature("a", a_);
  for (const int64_t threshold : {0, -1}) {
    role_.threshold = threshold;
    EXPECT_EQ(HResultOf(Verify()), hr::kWuEMetadataBadSignature);
  }
}

TEST(ContentTest, ChecksLengthAndEveryKnownHash) {
  const std::string sha256 = ToHex(Sha256Of("abc"));
  const std::string sha512 =
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
  EXPECT_TRUE(
      CheckContent("abc", 3, {{"sha256", sha256}, {"sha512", sha512}}, true)
          .ok());
  EXPECT_TRUE(CheckContent("abc", std::nullopt, {}, false).ok());
  EXPECT_TRUE(
      CheckContent("abc", 3, {{"sha256", absl::AsciiStrToUpper(sha256)}}, true)
          .ok());
  for (const absl::Status& status :
       {CheckContent("abc", 4, {}, false),
        CheckContent("abd", 3, {{"sha256", sha256}}, false),
        CheckContent("abc", 3, {{"sha256", sha256}, {"sha512", sha256}}, false),
        CheckContent("abc", 3, {{"md5", "00"}}, true)}) {
    EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed);
  }
}

}  // namespace
}  // namespace usher::tuf
