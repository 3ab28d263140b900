#include "common/tuf/path_pattern.h"

#include <string>

#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

TEST(PathPatternTest, PlainNamesMatchThemselves) {
  EXPECT_TRUE(MatchesPathPattern("", ""));
  EXPECT_TRUE(MatchesPathPattern("a/b.txt", "a/b.txt"));
  EXPECT_FALSE(MatchesPathPattern("a/b.txt", "a/b.tx"));
  EXPECT_FALSE(MatchesPathPattern("a/b.tx", "a/b.txt"));
  EXPECT_FALSE(MatchesPathPattern("a", "A"));
  EXPECT_FALSE(MatchesPathPattern("", "a"));
}

TEST(PathPatternTest, AStarStaysInItsFolder) {
  EXPECT_TRUE(MatchesPathPattern("*", ""));
  EXPECT_TRUE(MatchesPathPattern("*", "file"));
  EXPECT_FALSE(MatchesPathPattern("*", "folder/file"));
  EXPECT_TRUE(MatchesPathPattern("*/*", "folder/file"));
  EXPECT_FALSE(MatchesPathPattern("*/*", "file"));
  EXPECT_TRUE(MatchesPathPattern("a*c/*.zip", "abbc/.zip"));
  EXPECT_FALSE(MatchesPathPattern("a*c/*.zip", "ab/c/x.zip"));
  EXPECT_TRUE(MatchesPathPattern("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(MatchesPathPattern("*a*b*", "xxbxxaxx"));
  EXPECT_TRUE(MatchesPathPattern("**", "file"));
}

TEST(PathPatternTest, OneCharacter) {
  EXPECT_TRUE(MatchesPathPattern("a?c", "abc"));
  EXPECT_FALSE(MatchesPathPattern("a?c", "ac"));
  EXPECT_FALSE(MatchesPathPattern("a?c", "a/c"));
  EXPECT_TRUE(MatchesPathPattern("v[0-9]", "v7"));
  EXPECT_FALSE(MatchesPathPattern("v[0-9]", "vx"));
  EXPECT_TRUE(MatchesPathPattern("v[!0-9]", "vx"));
  EXPECT_FALSE(MatchesPathPattern("v[!0-9]", "v/"));
  EXPECT_TRUE(MatchesPathPattern("[]]", "]"));
  EXPECT_TRUE(MatchesPathPattern("[a-]", "-"));
  EXPECT_TRUE(MatchesPathPattern("[a", "[a"));
  EXPECT_TRUE(MatchesPathPattern("[", "["));
  EXPECT_TRUE(MatchesPathPattern("[\xc3-\xc4]x", "\xc3x"));
}

TEST(PathPatternTest, ManyStarsTakeNoLongTime) {
  // A matcher that tries every division would not come back from this.
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesPathPattern(pattern + "b", std::string(1000, 'a')));
  EXPECT_TRUE(MatchesPathPattern(pattern, std::string(1000, 'a')));
}

}  // namespace
}  // namespace usher::tuf
