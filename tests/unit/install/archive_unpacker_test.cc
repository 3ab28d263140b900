#include "service/install/archive_unpacker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "tests/unit/install/packages.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/world.h"

namespace usher::install {
namespace {

using test::Format;
using test::MakeArchive;
using test::Member;
using Type = test::Member::Type;
namespace fs = std::filesystem;

class UnpackTest : public ::testing::Test {
 protected:
  absl::Status UnpackBytes(const std::string& bytes,
                           const UnpackOptions& options = {}) {
    std::ofstream(dir_.path() / "archive", std::ios::binary) << bytes;
    fs::remove_all(root_);
    return Unpack(dir_.path() / "archive", root_, options);
  }
  absl::Status UnpackMembers(const std::vector<Member>& members,
                             const UnpackOptions& options = {}) {
    return UnpackBytes(MakeArchive(members), options);
  }
  void ExpectRefused(const std::vector<Member>& members,
                     const UnpackOptions& options = {}) {
    const absl::Status status = UnpackMembers(members, options);
    EXPECT_EQ(HResultOf(status), hr::kWuEUhInvalidmetadata) << status;
  }
  std::string Read(const std::string& path) {
    return ReadFile(root_ / PathFromUtf8(path), 1 << 20).value_or("MISSING");
  }

  test::TempDir dir_;
  fs::path root_ = dir_.path() / "root";
};

class UnpackFormatTest : public UnpackTest,
                         public ::testing::WithParamInterface<Format> {};

TEST_P(UnpackFormatTest, FilesFoldersAndLinks) {
  const absl::Status status = UnpackBytes(MakeArchive(
      {
          {"bin", "", Type::kFolder, 0700},
          {"bin/run", "hello", Type::kFile, 0775},
          {"deep/er/text", "text", Type::kFile, 0600},
          {"link", "bin/run", Type::kSymlink},
          {"ü/ß", "utf-8"},
          {"empty", ""},
      },
      GetParam()));
  ASSERT_TRUE(status.ok()) << status;

  EXPECT_EQ(Read("bin/run"), "hello");
  EXPECT_EQ(Read("deep/er/text"), "text");
  EXPECT_EQ(Read("link"), "hello");
  EXPECT_EQ(Read("ü/ß"), "utf-8");
  EXPECT_EQ(Read("empty"), "");
  if (!test::kIsUnix) return;
  EXPECT_TRUE(fs::is_symlink(root_ / "link"));
  EXPECT_EQ(fs::status(root_ / "bin").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(root_ / "bin/run").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(root_ / "deep/er/text").permissions(), fs::perms(0644));
}

INSTANTIATE_TEST_SUITE_P(Formats, UnpackFormatTest,
                         ::testing::Values(Format::kTar, Format::kTarGz,
                                           Format::kTarXz, Format::kTarZst,
                                           Format::kZip));

TEST_F(UnpackTest, Strips) {
  UnpackOptions options;
  options.strip_components = 1;
  ASSERT_TRUE(UnpackMembers({{"p-1.0", "", Type::kFolder},
                             {"p-1.0/a/b", "x"},
                             {"p-1.0/h", "a/b", Type::kSymlink},
                             {"p-1.0/hard", "p-1.0/a/b", Type::kHardLink}},
                            options)
                  .ok());
  EXPECT_EQ(Read("a/b"), "x");
  EXPECT_EQ(Read("h"), "x");
  EXPECT_EQ(Read("hard"), "x");
  if (test::kIsUnix) {
    EXPECT_EQ(fs::hard_link_count(root_ / "hard"), 2u);
  }
}

TEST_F(UnpackTest, NothingLeavesTheTree) {
  fs::create_directory(dir_.path() / "outside");
  std::ofstream(dir_.path() / "outside/file") << "precious";
  const std::string outside = (dir_.path() / "outside").string();
  ExpectRefused({{absl::StrCat(outside, "/file"), "evil"}});
  ExpectRefused({{"../outside/file", "evil"}});
  ExpectRefused({{"a/../../outside/file", "evil"}});
  ExpectRefused({{"out", outside, Type::kSymlink}, {"out/file", "evil"}});
  ExpectRefused({{"out", "../outside", Type::kSymlink}, {"out/file", "evil"}});
  ExpectRefused({{"hard", "../outside/file", Type::kHardLink}});
  ExpectRefused({{"hard", absl::StrCat(outside, "/file"), Type::kHardLink}});
  EXPECT_EQ(ReadFile(dir_.path() / "outside/file", 100).value_or(""),
            "precious");
  EXPECT_EQ(fs::hard_link_count(dir_.path() / "outside/file"), 1u);
}

TEST_F(UnpackTest, NeverWritesThroughALinkOfItsOwn) {
  ExpectRefused(
      {{"d", "", Type::kFolder}, {"l", "d", Type::kSymlink}, {"l/file", "x"}});
  ExpectRefused({{"l", "target", Type::kSymlink}, {"l", "x"}});
  ExpectRefused({{"l", "target", Type::kSymlink}, {"h", "l", Type::kHardLink}});
  ExpectRefused({{"h", "later", Type::kHardLink}, {"later", "x"}});
}

TEST_F(UnpackTest, RefusesSpecialFilesAndDuplicates) {
  ExpectRefused({{"pipe", "", Type::kFifo}});
  ExpectRefused({{"null", "", Type::kDevice}});
  ExpectRefused({{"a", "1"}, {"a", "2"}});
  ExpectRefused({{"a", "1"}, {"./a", "2"}});
  ExpectRefused({{"a", "1"}, {"a/b", "2"}});
  ExpectRefused({{"a/b", "1"}, {"a", "2"}});
  ExpectRefused({{std::string(256, 'x'), "1"}});
}

TEST_F(UnpackTest, CaseMattersUnlessToldOtherwise) {
  const std::vector<Member> members = {
      {"Read.me", "1"}, {"README", "2"}, {"read.ME", "3"}};
  EXPECT_EQ(UnpackMembers(members).ok(), test::kIsUnix);
  UnpackOptions options;
  options.fold_case = true;
  ExpectRefused(members, options);
}

TEST_F(UnpackTest, DropsSetIdBits) {
  if (!test::kIsUnix) GTEST_SKIP() << "there are none";
  ASSERT_TRUE(UnpackMembers({{"su", "x", Type::kFile, 06777}}).ok());
  EXPECT_EQ(fs::status(root_ / "su").permissions(), fs::perms(0755));
}

TEST_F(UnpackTest, StopsBombs) {
  UnpackOptions options;
  options.max_bytes = 1000;
  std::string big;
  big.resize(100'000'000);
  ExpectRefused({{"big", std::move(big)}}, options);
  ExpectRefused({{"a", std::string(600, 'a')}, {"b", std::string(600, 'b')}},
                options);
  EXPECT_TRUE(UnpackMembers({{"a", std::string(1000, 'a')}}, options).ok());
  options.max_entries = 2;
  ExpectRefused({{"a", ""}, {"b", ""}, {"c", ""}}, options);
}

TEST_F(UnpackTest, RefusesWhatIsNoArchive) {
  EXPECT_EQ(HResultOf(UnpackBytes("this is a text, not an archive at all")),
            hr::kWuEUhInvalidmetadata);
  EXPECT_FALSE(UnpackBytes("!<arch>\n").ok());
  std::string cut =
      MakeArchive({{"a", std::string(200'000, 'a')}, {"b", "b"}}, Format::kTar);
  cut.resize(100'000);
  EXPECT_FALSE(UnpackBytes(cut).ok());
}

TEST_F(UnpackTest, StopsWhenAsked) {
  UnpackOptions options;
  options.stop = [] { return true; };
  EXPECT_EQ(HResultOf(UnpackMembers({{"a", "x"}}, options)),
            hr::kWuEUhOperationcancelled);
}

TEST_F(UnpackTest, DebianPackage) {
  if (!test::kIsUnix || !fs::exists("/usr/bin/dpkg-deb")) {
    GTEST_SKIP() << "no dpkg-deb here";
  }
  test::Deb deb;
  deb.name = "hello";
  deb.files = {{"usr/share/hello/text", "from a package"}};
  deb.links = {{"usr/bin/hello", "/usr/share/hello/text"}};
  const std::string bytes = test::MakeDeb(deb, dir_.path());
  ASSERT_TRUE(UnpackBytes(bytes).ok());
  // The link is absolute in the package, whose root is the product's folder.
  EXPECT_EQ(Read("usr/bin/hello"), "from a package");
  EXPECT_FALSE(fs::exists(root_ / "control"));
}

}  // namespace
}  // namespace usher::install
