#include <filesystem>

#include "common/file_io.h"
#include "gtest/gtest.h"
#include "tests/unit/common/temp_folder.h"

namespace usher {
namespace {

namespace fs = std::filesystem;

fs::perms PermissionsOf(const fs::path& path) {
  return fs::status(path).permissions();
}

TEST(FileIoPosixTest, PermissionsAreAsAsked) {
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "private", "x").ok());
  ASSERT_TRUE(
      WriteFileAtomically(folder / "public", "x", Access::kWorldRead).ok());
  EXPECT_EQ(PermissionsOf(folder / "private"),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(PermissionsOf(folder / "public"),
            fs::perms::owner_read | fs::perms::owner_write |
                fs::perms::group_read | fs::perms::others_read);
  ASSERT_TRUE(MakeDirectories(folder / "made/deep/").ok());
  EXPECT_EQ(PermissionsOf(folder / "made"), fs::perms::owner_all);
  EXPECT_EQ(PermissionsOf(folder / "made/deep"), fs::perms::owner_all);
}

TEST(FileIoPosixTest, RemoveTreeDoesNotFollowLinks) {
  const TempFolder folder;
  ASSERT_TRUE(MakeDirectories(folder / "kept").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "kept/file", "x").ok());
  ASSERT_TRUE(MakeDirectories(folder / "gone/sub").ok());
  fs::create_directory_symlink(folder / "kept", folder / "gone/link");
  ASSERT_TRUE(RemoveTree(folder / "gone").ok());
  EXPECT_FALSE(fs::exists(folder / "gone"));
  EXPECT_TRUE(fs::exists(folder / "kept/file"));
  EXPECT_TRUE(RemoveTree(folder / "gone").ok());
}

}  // namespace
}  // namespace usher
