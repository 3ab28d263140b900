#include "service/install/member_path.h"

#include <gtest/gtest.h>

#include <string>

#include "common/error.h"

namespace usher::install {
namespace {

std::string Path(absl::string_view name, int strip = 0) {
  return MemberPath(name, strip).value_or("REFUSED");
}
std::string Link(absl::string_view link, absl::string_view target,
                 bool root_is_tree = false, int strip = 0) {
  return LinkTarget(link, target, root_is_tree, strip).value_or("REFUSED");
}

TEST(MemberPathTest, Normalises) {
  EXPECT_EQ(Path("./usr//bin/./hello"), "usr/bin/hello");
  EXPECT_EQ(Path("./"), "");
  EXPECT_EQ(Path("hello-1.0/bin/x", 1), "bin/x");
  EXPECT_EQ(Path("hello-1.0/", 1), "");
  EXPECT_EQ(Path("..hidden/a..b"), "..hidden/a..b");
}

TEST(MemberPathTest, RefusesWhatLeadsOut) {
  EXPECT_EQ(Path("/etc/passwd"), "REFUSED");
  EXPECT_EQ(Path("../x"), "REFUSED");
  EXPECT_EQ(Path("a/../../x"), "REFUSED");
  EXPECT_EQ(Path("a/.."), "REFUSED");
  // Also where stripping would drop it.
  EXPECT_EQ(Path("../x/y", 2), "REFUSED");
  EXPECT_EQ(Path("a\\..\\b"), "REFUSED");
  EXPECT_EQ(Path(absl::string_view("a\0b", 3)), "REFUSED");
  EXPECT_EQ(Path(std::string(300, 'a')), "REFUSED");
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "a/";
  EXPECT_EQ(Path(deep), "REFUSED");
  EXPECT_EQ(HResultOf(MemberPath("/x", 0).status()), hr::kWuEUhInvalidmetadata);
}

TEST(LinkTargetTest, StaysInside) {
  EXPECT_EQ(Link("usr/lib/x.so", "x.so.1"), "x.so.1");
  EXPECT_EQ(Link("usr/lib/x.so", "../../lib/x"), "../../lib/x");
  EXPECT_EQ(Link("usr/lib/x.so", "../../../lib/x"), "REFUSED");
  EXPECT_EQ(Link("x", ".."), "REFUSED");
  EXPECT_EQ(Link("x", "/etc/passwd"), "REFUSED");
  EXPECT_EQ(Link("x", ""), "REFUSED");
  // Inside when read as text, but outside when d/e is a link to "..".
  EXPECT_EQ(Link("x/y/z", "d/e/.."), "REFUSED");
}

TEST(LinkTargetTest, DebianRootIsTheTree) {
  EXPECT_EQ(Link("usr/bin/a", "/etc/b", true), "../../etc/b");
  EXPECT_EQ(Link("a", "/etc/b", true), "etc/b");
  EXPECT_EQ(Link("bin/a", "/usr/lib/b", true, 1), "../lib/b");
  EXPECT_EQ(Link("a", "/", true), ".");
  EXPECT_EQ(Link("a", "/../x", true), "REFUSED");
}

}  // namespace
}  // namespace usher::install
