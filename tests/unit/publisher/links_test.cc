// Links in a served folder: whoever can write to it has nothing else written
// over or removed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "publisher/intake.h"
#include "publisher/mirror.h"
#include "publisher/publication.h"
#include "publisher/repository_source.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LinksTest : public ::testing::TestWithParam<const char*> {
 protected:
  LinksTest() : dir_(folder_.MakeRepository()) {
    folder_.Write("run.sh", "#!/bin/sh\n");
    const fs::path description = folder_.Write(
        "u.toml",
        "name = \"tool\"\ntitle = \"tool\"\n[[payload]]\nfile = \"run.sh\"\n"
        "[handler.exec]\n");
    Workspace workspace = OpenForTest(dir_);
    EXPECT_TRUE(AddDescriptionFiles(workspace, {description}, TestTime()).ok());
    PassphraseSource none("", false);
    PublishOptions options;
    options.expires = Expiries::Default(TestTime());
    EXPECT_TRUE(Publish(workspace, options, none, TestTime()).ok());
    // What is to survive, by the names that are cleaned up.
    for (const char* name :
         {"draft.usc", ".draft.usc.12345.tmp", "1.targets.json",
          "9.snapshot.json", "sub/anything", "tool.usc"}) {
      others_.push_back(folder_.Write(absl::StrCat("elsewhere/", name), "x"));
    }
  }

  // Puts a link to elsewhere in the place of a folder, its content going with
  // it, and expects `run` to refuse it.
  template <typename Run>
  void ExpectRefused(const fs::path& place, Run run) {
    const fs::path elsewhere = folder_.path() / "elsewhere";
    if (fs::exists(place)) {
      fs::copy(
          place, elsewhere,
          fs::copy_options::recursive | fs::copy_options::overwrite_existing);
      fs::remove_all(place);
    }
    fs::create_directories(place.parent_path());
    fs::create_directory_symlink(elsewhere, place);
    const absl::Status status = run();
    EXPECT_EQ(HResultOf(status), hr::kWuEInvalidOperation) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat(PathToUtf8(place), " is a link")));
    for (const fs::path& path : others_) EXPECT_TRUE(fs::exists(path)) << path;
  }

  absl::Status MirrorIt(const fs::path& to, bool prune) {
    const auto source = OpenRepositorySource(PathToUtf8(dir_));
    MirrorOptions options;
    options.prune = prune;
    options.keep_unnamed = absl::ZeroDuration();
    return Mirror(*source, Slurp(dir_ / "root.json"), to, options, TestTime())
        .status();
  }

  const TestFolder folder_;
  const fs::path dir_;
  std::vector<fs::path> others_;
};

TEST_P(LinksTest, NothingIsRemovedThroughThem) {
  ExpectRefused(dir_ / "public" / GetParam(), [this]() -> absl::Status {
    auto workspace = Workspace::Open(dir_, Workspace::Mode::kWrite);
    if (!workspace.ok()) return workspace.status();
    PublishOptions options;
    options.expires = Expiries::Default(TestTime());
    options.renew = true;
    options.keep.age = absl::ZeroDuration();
    PassphraseSource none("", false);
    absl::Status status =
        Publish(*workspace, options, none, TestTime()).status();
    static_cast<void>(CollectGarbage(*workspace, /*dry_run=*/false));
    return status;
  });
}

TEST_P(LinksTest, NorByOneThatComesMeanwhile) {
  Workspace workspace = OpenForTest(dir_);
  const std::string place = GetParam();
  if (place == "targets/extra") return;  // nobody writes there
  ExpectRefused(dir_ / "public" / place, [&]() -> absl::Status {
    PublishOptions options;
    options.expires = Expiries::Default(TestTime());
    options.renew = true;
    options.keep.age = absl::ZeroDuration();
    PassphraseSource none("", false);
    absl::Status published =
        Publish(workspace, options, none, TestTime()).status();
    absl::Status collected =
        CollectGarbage(workspace, /*dry_run=*/false).status();
    return collected.ok() ? published : collected;
  });
}

TEST_P(LinksTest, NorByAMirror) {
  const fs::path mirror = folder_.path() / "mirror";
  ASSERT_TRUE(MirrorIt(mirror, true).ok());
  ExpectRefused(mirror / GetParam(), [&] { return MirrorIt(mirror, true); });
}

INSTANTIATE_TEST_SUITE_P(Places, LinksTest,
                         ::testing::Values("metadata", "targets",
                                           "targets/catalog",
                                           "targets/payloads",
                                           "targets/extra"));

// Of files that are said to be empty, and go on and on.
TEST_F(LinksTest, NoMoreIsCopiedThanIsExpected) {
  const auto source = OpenRepositorySource(PathToUtf8(folder_.path()));
  fs::create_symlink("/proc/self/smaps", folder_.path() / "endless");
  const auto copied = source->Copy("endless", 1000, folder_.path() / "copy");
  EXPECT_EQ(HResultOf(copied.status()), hr::kWuEInvalidFile) << copied.status();
  EXPECT_FALSE(fs::exists(folder_.path() / "copy"));
  PayloadStore store = OpenForTest(dir_).payloads();
  const auto taken = store.Take("/proc/self/smaps", "smaps", 1000);
  EXPECT_EQ(HResultOf(taken.status()), hr::kWuEInvalidFile) << taken.status();
  // A stranger's file is none that lies elsewhere.
  const fs::path target = folder_.Write("target", "x");
  fs::create_symlink(target, folder_.path() / "link");
  EXPECT_FALSE(store.Take(folder_.path() / "link", "link", 1).ok());
  EXPECT_TRUE(store.Take(folder_.path() / "link", "link").ok());
  EXPECT_TRUE(store.Take(target, "target", 1).ok());
  // Nobody ever writes to it.
  ASSERT_EQ(mkfifo((folder_.path() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(HResultOf(HashFile(folder_.path() / "fifo").status()),
            hr::kWuEInvalidFile);
}

TEST_F(LinksTest, TheFolderItselfMayBeOne) {
  fs::rename(dir_ / "public", folder_.path() / "served");
  fs::create_directory_symlink(folder_.path() / "served", dir_ / "public");
  const auto published = PublishNow(dir_);
  EXPECT_TRUE(published.ok()) << published.status();
  fs::create_directory(folder_.path() / "disk");
  const fs::path mirror = folder_.path() / "mirror";
  fs::create_directory_symlink(folder_.path() / "disk", mirror);
  EXPECT_TRUE(MirrorIt(mirror, true).ok());
}

}  // namespace
}  // namespace usher::publisher
