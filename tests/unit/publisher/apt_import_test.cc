#include "publisher/apt_import.h"

#include <gtest/gtest.h>

#include <string>

#include "common/error.h"
#include "publisher/intake.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

// From Debian 12's own index, shortened to the fields that matter.
constexpr char kIndex[] = R"(Package: hello
Version: 2.10-3
Installed-Size: 285
Maintainer: Santiago Vila <sanvila@debian.org>
Architecture: amd64
Depends: libc6 (>= 2.34)
Description: example package based on GNU hello
Homepage: https://www.gnu.org/software/hello/
Section: devel
Priority: optional
Filename: pool/main/h/hello/hello_2.10-3_amd64.deb
Size: 53080
SHA256: 069ecf7ebf2b52bf4d2fef4c0e5e9d2a7e1d2d7d7dd0c5ab2fe4c3bbd4a8ee77

Package: hello
Version: 2.9-1
Architecture: amd64
Description: example package based on GNU hello
Section: devel
Filename: pool/main/h/hello/hello_2.9-1_amd64.deb
Size: 50000
SHA256: 169ecf7ebf2b52bf4d2fef4c0e5e9d2a7e1d2d7d7dd0c5ab2fe4c3bbd4a8ee77

Package: 0ad-data
Version: 1:0.0.26-1
Architecture: all
Description: Real-time strategy game of ancient warfare (data files)
Section: games
Filename: pool/main/0/0ad-data/0ad-data_0.0.26-1_all.deb
Size: 1377557908
SHA256: 269ecf7ebf2b52bf4d2fef4c0e5e9d2a7e1d2d7d7dd0c5ab2fe4c3bbd4a8ee77

Package: foreign
Version: 1
Architecture: arm64
Filename: pool/f.deb
Size: 1
SHA256: 369ecf7ebf2b52bf4d2fef4c0e5e9d2a7e1d2d7d7dd0c5ab2fe4c3bbd4a8ee77
)";

constexpr char kIndexName[] =
    "deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages";

TEST(AptImportTest, ReadsAnIndex) {
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  AptImportOptions options;
  options.files = {folder.Write(kIndexName, kIndex)};
  options.architecture = "amd64";
  options.payload_base = "auto";
  const auto summary = ImportAptInto(workspace, options, "", TestTime());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->debs.added, 3);
  EXPECT_EQ(summary->skipped, 1);
  const auto draft = workspace.LoadDraft();
  ASSERT_TRUE(draft.ok());
  const auto hello = draft->Named("hello");
  ASSERT_EQ(hello.size(), 2u);
  const auto sorted = draft->Sorted();
  const auto newer = sorted.back()->Parse();
  EXPECT_EQ(newer.update().version(), "2.10-3");
  ASSERT_EQ(newer.update().superseded_update_ids_size(), 1);
  EXPECT_EQ(newer.payloads(0).location(),
            "http://deb.debian.org/debian/pool/main/h/hello/"
            "hello_2.10-3_amd64.deb");
  EXPECT_EQ(newer.payloads(0).size(), 53080);
  ASSERT_EQ(newer.update().category_ids_size(), 2);
  EXPECT_EQ(draft->categories().Find(newer.update().category_ids(0))->name(),
            "devel");
  EXPECT_EQ(draft->categories().Find(newer.update().category_ids(1))->name(),
            "Updates");

  // Again: nothing changes. Without hello and with --prune: hello goes.
  const auto again =
      ImportAptInto(workspace, options, "", TestTime() + absl::Hours(1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->debs.unchanged, 3);
  const std::string text = kIndex;
  options.files = {
      folder.Write(kIndexName, text.substr(text.find("Package: 0ad")))};
  options.prune = true;
  const auto pruned = ImportAptInto(workspace, options, "", TestTime());
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_EQ(pruned->removed, 2);
  EXPECT_EQ(pruned->debs.unchanged, 1);
}

TEST(AptImportTest, RefusesWhatIsNoIndex) {
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  AptImportOptions options;
  options.files = {folder.Write("Packages", "This is no index\n")};
  EXPECT_EQ(
      HResultOf(ImportAptInto(workspace, options, "", TestTime()).status()),
      hr::kWuEInvalidFile);
  options.files = {folder.Write("Packages", kIndex)};
  options.payload_base = "auto";
  EXPECT_EQ(
      HResultOf(ImportAptInto(workspace, options, "", TestTime()).status()),
      hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(FindPackagesIndexes(folder.path() / "none").status()),
            hr::kErrorFileNotFound);
}

TEST(AptImportTest, ReadsTheMachinesOwnLists) {
  if (std::filesystem::path::preferred_separator != '/') {
    GTEST_SKIP() << "apt is a program of Unix";
  }
  const auto files = FindPackagesIndexes("/var/lib/apt/lists");
  if (!files.ok()) {
    GTEST_SKIP() << "no package lists on this machine: " << files.status();
  }
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  AptImportOptions options;
  options.files = *files;
  const auto summary = ImportAptInto(workspace, options, "", TestTime());
  ASSERT_TRUE(summary.ok()) << summary.status();
  if (summary->debs.added < 1000) {
    GTEST_SKIP() << "the lists are not a distribution's: "
                 << summary->debs.added << " packages";
  }
  EXPECT_GT(summary->debs.added, 60000);
}

}  // namespace
}  // namespace usher::publisher
