#include "common/sha256.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "gtest/gtest.h"

namespace usher {
namespace {

constexpr char kAbc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(ToHex(Sha256Of("abc")), kAbc);
  EXPECT_EQ(ToHex(Sha256Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256Test, StreamGivesTheSame) {
  Sha256 first;
  first.Update("a");
  Sha256 moved = std::move(first);
  moved.Update("");
  moved.Update("bc");
  EXPECT_EQ(ToHex(moved.Finish()), kAbc);
}

TEST(Sha256Test, ParsesBothCases) {
  EXPECT_EQ(ParseSha256Hex(kAbc).value(), Sha256Of("abc"));
  EXPECT_EQ(
      ParseSha256Hex(
          "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")
          .value(),
      Sha256Of("abc"));
}

TEST(Sha256Test, RefusesOtherText) {
  const std::string hex = kAbc;
  for (const std::string& text : {std::string(), hex.substr(1), hex + "0",
                                  absl::StrCat("g", hex.substr(1))}) {
    EXPECT_EQ(HResultOf(ParseSha256Hex(text).status()), hr::kEInvalidarg)
        << text;
  }
}

}  // namespace
}  // namespace usher
