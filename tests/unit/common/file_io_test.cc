#include "common/file_io.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/utf8.h"
#include "gtest/gtest.h"
#include "tests/unit/common/temp_folder.h"

namespace usher {
namespace {

namespace fs = std::filesystem;

size_t CountEntries(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(FileIoTest, PathsKeepTheirText) {
  const std::string text = "a/\xC3\xA9\xE2\x82\xAC.txt";
  EXPECT_EQ(PathToUtf8(PathFromUtf8(text)), text);
}

TEST(FileIoTest, WritesAndReads) {
  const TempFolder folder;
  const std::string content("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(folder / "f", content).ok());
  EXPECT_EQ(ReadFile(folder / "f", 4).value(), content);
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "").ok());
  EXPECT_EQ(ReadFile(folder / "f", 0).value(), "");
  EXPECT_EQ(CountEntries(folder.path()), 1U) << "a temporary file is left";
}

TEST(FileIoTest, FailedWriteLeavesNothing) {
  const TempFolder folder;
  fs::create_directory(folder / "taken");
  std::ofstream(folder / "taken/file") << "x";
  EXPECT_FALSE(WriteFileAtomically(folder / "taken", "x").ok());
  EXPECT_EQ(CountEntries(folder.path()), 1U);
  EXPECT_EQ(HResultOf(WriteFileAtomically(folder / "none/f", "x")),
            hr::kErrorFileNotFound);
}

TEST(FileIoTest, ReadRefusesWhatIsTooLargeOrNoFile) {
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "12345").ok());
  EXPECT_EQ(HResultOf(ReadFile(folder / "f", 4).status()), hr::kWuEInvalidFile);
  EXPECT_EQ(HResultOf(ReadFile(folder.path(), 4).status()),
            hr::kWuEInvalidFile);
  EXPECT_EQ(HResultOf(ReadFile(folder / "none", 4).status()),
            hr::kErrorFileNotFound);
}

TEST(FileIoTest, MakeDirectoriesTakesWhatIsThere) {
  const TempFolder folder;
  ASSERT_TRUE(MakeDirectories(folder / "a/b").ok());
  EXPECT_TRUE(MakeDirectories(folder / "a/b").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "f", "").ok());
  EXPECT_FALSE(MakeDirectories(folder / "f").ok());
  EXPECT_FALSE(MakeDirectories(folder / "f/below").ok());
}

TEST(FileIoTest, RenameReplaces) {
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "old", "old").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "new", "new").ok());
  ASSERT_TRUE(RenameDurably(folder / "new", folder / "old").ok());
  EXPECT_EQ(ReadFile(folder / "old", 10).value(), "new");
  EXPECT_FALSE(fs::exists(folder / "new"));
  EXPECT_FALSE(RenameDurably(folder / "new", folder / "old").ok());
}

TEST(FileIoTest, RemoveTreeTakesAllBelow) {
  const TempFolder folder;
  ASSERT_TRUE(MakeDirectories(folder / "gone/a/b").ok());
  ASSERT_TRUE(MakeDirectories(folder / "gone/c").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "gone/a/b/file", "x").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "gone/file", "x").ok());
  ASSERT_TRUE(RemoveTree(folder / "gone/").ok());
  EXPECT_EQ(CountEntries(folder.path()), 0U);
  EXPECT_TRUE(RemoveTree(folder / "gone").ok()) << "nothing there is fine";
  ASSERT_TRUE(WriteFileAtomically(folder / "file", "x").ok());
  ASSERT_TRUE(RemoveTree(folder / "file").ok());
  EXPECT_EQ(CountEntries(folder.path()), 0U);
}

TEST(FileIoTest, TheLongestNameIsWrittenAtomically) {
  const TempFolder folder;
  // The last one has characters of three bytes, none of which is cut in two.
  std::vector<std::string> names = {"", "", ""};
  names[0].assign(255, 'n');
  names[1].assign(218, 'n');
  for (int i = 0; i < 85; ++i) names[2].append("\u65e5");
  for (const std::string& name : names) {
    const std::filesystem::path path = folder.path() / PathFromUtf8(name);
    const std::filesystem::path temporary = TemporaryFor(path);
    EXPECT_EQ(temporary.parent_path(), folder.path());
    EXPECT_TRUE(IsValidUtf8(PathToUtf8(temporary)));
    ASSERT_TRUE(WriteFileAtomically(temporary, "left").ok()) << name;
    ASSERT_TRUE(RemoveTemporaries(folder.path(), name).ok());
    EXPECT_EQ(CountEntries(folder.path()), 0U) << name;
    ASSERT_TRUE(WriteFileAtomically(path, "x").ok()) << name;
    EXPECT_EQ(CountEntries(folder.path()), 1U);
    ASSERT_TRUE(RemoveTree(path).ok());
  }
}

TEST(FileIoTest, TemporariesOfAKilledWriterAreRemoved) {
  const TempFolder folder;
  EXPECT_TRUE(RemoveTemporaries(folder / "absent").ok());
  ASSERT_TRUE(MakeDirectories(folder / "below").ok());
  for (const char* name : {"kept", ".kept", "kept.tmp", ".a.b.0123.tmp",
                           ".c.4567.tmp", "below/.c.4567.tmp"}) {
    ASSERT_TRUE(WriteFileAtomically(folder / name, "x").ok());
  }
  ASSERT_TRUE(RemoveTemporaries(folder.path(), "a.b").ok());
  EXPECT_FALSE(std::filesystem::exists(folder / ".a.b.0123.tmp"));
  EXPECT_EQ(CountEntries(folder.path()), 5U);
  ASSERT_TRUE(RemoveTemporaries(folder.path()).ok());
  EXPECT_EQ(CountEntries(folder.path()), 4U) << "those three and the folder";
  EXPECT_EQ(CountEntries(folder / "below"), 1U);
}

TEST(FileLockTest, IsExclusiveUntilDropped) {
  const TempFolder folder;
  {
    const absl::StatusOr<FileLock> lock = FileLock::Acquire(folder / "lock");
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(HResultOf(FileLock::Acquire(folder / "lock").status()),
              hr::kWuEDsStorefilelocked);
  }
  EXPECT_TRUE(FileLock::Acquire(folder / "lock").ok());
}

}  // namespace
}  // namespace usher
