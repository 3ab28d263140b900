// windows.h comes before what needs it.
// clang-format off
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
// clang-format on

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file_io.h"
#include "common/win32.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/common/temp_folder.h"

namespace usher {
namespace {

namespace fs = std::filesystem;

// The access control list as text: "D:P(A;;FA;;;SY)…".
std::string AccessListOf(const fs::path& path) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  std::wstring name = win32::ApiPath(path);
  if (GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT,
                            DACL_SECURITY_INFORMATION, nullptr, nullptr,
                            nullptr, nullptr, &descriptor) != ERROR_SUCCESS) {
    return "";
  }
  LPWSTR text = nullptr;
  ConvertSecurityDescriptorToStringSecurityDescriptorW(
      descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, nullptr);
  std::string list = text == nullptr ? "" : win32::ToUtf8(text);
  LocalFree(text);
  LocalFree(descriptor);
  return list;
}

// A folder whose path is far beyond the 260 characters of old.
std::string DeepFolder() {
  std::string path = "deep";
  for (int i = 0; i < 12; ++i) {
    absl::StrAppend(&path, "/", std::string(40, 'd'));
  }
  return path;
}

TEST(FileIoWinTest, OnlyWhatIsForAllIsReadByAll) {
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "private", "x").ok());
  ASSERT_TRUE(
      WriteFileAtomically(folder / "public", "x", Access::kWorldRead).ok());
  ASSERT_TRUE(MakeDirectories(folder / "made/deep/").ok());
  EXPECT_THAT(AccessListOf(folder / "public"), testing::HasSubstr(";;;WD)"));
  for (const char* name : {"private", "made", "made/deep"}) {
    const std::string list = AccessListOf(folder / name);
    EXPECT_THAT(list, testing::HasSubstr("(A;")) << name;
    EXPECT_THAT(list, testing::Not(testing::HasSubstr(";;;WD)"))) << name;
    EXPECT_THAT(list, testing::Not(testing::HasSubstr(";;;BU)"))) << name;
  }
}

// The pipe admits Authenticated Users: no guest, nobody anonymous.
TEST(FileIoWinTest, WhatIsForUsersIsNotForGuests) {
  const TempFolder folder;
  ASSERT_TRUE(
      WriteFileAtomically(folder / "secret", "x", Access::kUsersRead).ok());
  EXPECT_THAT(AccessListOf(folder / "secret"),
              testing::Not(testing::HasSubstr(";;;WD)")));
  // What Wine keeps of it is no more than a Unix mode.
  LPWSTR text = nullptr;
  ASSERT_NE(ConvertSecurityDescriptorToStringSecurityDescriptorW(
                win32::NewFileSecurity(win32::Readers::kUsers), SDDL_REVISION_1,
                DACL_SECURITY_INFORMATION, &text, nullptr),
            0);
  EXPECT_THAT(win32::ToUtf8(text),
              testing::HasSubstr("(A;OICI;0x1200a9;;;AU)"));
  LocalFree(text);
}

TEST(FileIoWinTest, LongPathsAndOtherScripts) {
  const TempFolder folder;
  const fs::path deep = folder.path() / PathFromUtf8(DeepFolder());
  ASSERT_GT(deep.native().size(), size_t{MAX_PATH});
  ASSERT_TRUE(MakeDirectories(deep).ok());
  // "é€😀.txt": beyond any code page, and beyond 16 bits.
  const fs::path file =
      deep / PathFromUtf8("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.txt");
  ASSERT_TRUE(WriteFileAtomically(file, "old").ok());
  ASSERT_TRUE(WriteFileAtomically(file, "new").ok());
  EXPECT_EQ(ReadFile(file, 3).value(), "new");
  EXPECT_TRUE(FileLock::Acquire(deep / "lock").ok());
  ASSERT_TRUE(RenameDurably(file, deep / "renamed").ok());
  EXPECT_EQ(ReadFile(deep / "renamed", 3).value(), "new");
  ASSERT_TRUE(RemoveTree(folder / "deep").ok());
  EXPECT_FALSE(fs::exists(folder / "deep"));
}

TEST(FileIoWinTest, RemoveTreeTakesReadOnlyFiles) {
  const TempFolder folder;
  ASSERT_TRUE(MakeDirectories(folder / "gone/sub").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "gone/sub/file", "x").ok());
  ASSERT_NE(SetFileAttributesW((folder / "gone/sub/file").c_str(),
                               FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN),
            0);
  ASSERT_TRUE(RemoveTree(folder / "gone").ok());
  EXPECT_FALSE(fs::exists(folder / "gone"));
}

TEST(FileIoWinTest, PathsThatAreNotValidBecomeReplacementCharacters) {
  EXPECT_EQ(PathFromUtf8("a\xFFz").native(), L"a\xFFFDz");
  EXPECT_EQ(PathToUtf8(fs::path(L"a\xD800z")), "a\xEF\xBF\xBDz");
}

TEST(FileIoWinTest, DevicesAreNoFiles) {
  EXPECT_FALSE(ReadFile("NUL", 10).ok());
  EXPECT_FALSE(ReadFile(R"(\\.\pipe\usher-no-such-pipe)", 10).ok());
}

TEST(FileLockWinTest, ContentStaysReadable) {
  const TempFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "lock", "content").ok());
  const absl::StatusOr<FileLock> lock = FileLock::Acquire(folder / "lock");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(ReadFile(folder / "lock", 10).value(), "content");
}

}  // namespace
}  // namespace usher
