#include "common/tuf/content_hashes.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

using ::testing::HasSubstr;

// Of "abc" (FIPS 180-4, examples).
constexpr char kSha256[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kSha512[] =
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

absl::Status Hash(const Hashes& expected,
                  const std::vector<std::string>& pieces) {
  ContentHashes hashes(expected);
  for (const std::string& piece : pieces) hashes.Update(piece);
  return hashes.Finish();
}

TEST(ContentHashesTest, EveryKnownHashMustBeRight) {
  const Hashes both = {{"sha256", kSha256}, {"sha512", kSha512}};
  EXPECT_TRUE(Hash(both, {"abc"}).ok());
  EXPECT_TRUE(Hash(both, {"", "a", "bc", ""}).ok());
  EXPECT_TRUE(Hash({{"sha512", absl::AsciiStrToUpper(kSha512)}}, {"abc"}).ok());
  EXPECT_TRUE(Hash({{"sha256", kSha256}, {"md5", "00"}}, {"abc"}).ok());
  const Hashes one_wrong = {{"sha256", kSha256}, {"sha512", kSha256}};
  const absl::Status status = Hash(one_wrong, {"abc"});
  EXPECT_EQ(HResultOf(status), hr::kWuEMetadataSignatureVerifyFailed);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has the sha512 ddaf"));
  EXPECT_FALSE(Hash(both, {"abd"}).ok());
  EXPECT_FALSE(Hash(both, {}).ok());
}

TEST(ContentHashesTest, KnowsTwoAlgorithms) {
  const Hashes one = {{"sha256", ""}};
  EXPECT_FALSE(ContentHashes(one).empty());
  const Hashes none = {{"md5", "00"}, {"SHA256", kSha256}};
  EXPECT_TRUE(ContentHashes(none).empty());
  const auto known = [](const Hashes& hashes) {
    const std::string* const hash = KnownHash(hashes);
    return hash == nullptr ? "none" : *hash;
  };
  EXPECT_EQ(known({{"sha256", kSha256}, {"sha512", kSha512}}), kSha256);
  EXPECT_EQ(known({{"sha512", kSha512}, {"x", "00"}}), kSha512);
  // One that cannot be right names no file either.
  EXPECT_EQ(known({{"sha256", "00"}, {"sha512", kSha512}}), kSha512);
  EXPECT_EQ(known({{"sha256", kSha512}, {"md5", "00"}}), "none");
  EXPECT_EQ(known({}), "none");
}

}  // namespace
}  // namespace usher::tuf
