#include "service/download/content_cache.h"

#include <sys/stat.h>

#include "tests/unit/download/world.h"

namespace usher::download {
namespace {

namespace fs = std::filesystem;

class ContentCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = store::Database::Open(folder_.path() / "usher.db", {}).value();
    Reopen(0);
  }

  void Reopen(int64_t max_bytes) {
    cache_.reset();
    cache_ = ContentCache::Open(*database_,
                                {.directory = root_, .max_bytes = max_bytes})
                 .value();
  }

  absl::Status Put(const std::string& content) {
    WriteText(cache_->PartialPath(Sha256Of(content)), content);
    return cache_->Commit(Sha256Of(content),
                          static_cast<int64_t>(content.size()));
  }

  fs::path ContentPath(const std::string& content) const {
    const std::string hex = ToHex(Sha256Of(content));
    return root_ / "content" / hex.substr(0, 2) / hex;
  }

  bool Has(const std::string& content) const {
    return cache_->Contains(Sha256Of(content));
  }

  TempFolder folder_;
  const fs::path root_ = folder_.path() / "cache";
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<ContentCache> cache_;
};

TEST_F(ContentCacheTest, KeepsWhatIsCommitted) {
  ASSERT_TRUE(Put("hello").ok());
  EXPECT_TRUE(Has("hello"));
  EXPECT_FALSE(fs::exists(cache_->PartialPath(Sha256Of("hello"))));
  EXPECT_EQ(cache_->TotalBytes(), 5);
  Reopen(0);
  EXPECT_TRUE(Has("hello"));
  EXPECT_EQ(cache_->TotalBytes(), 5);
  auto file = cache_->Open(Sha256Of("hello"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->size(), 5);
  ASSERT_TRUE((*file)->CopyTo(folder_.path() / "copy").ok());
  EXPECT_EQ(ReadText(folder_.path() / "copy"), "hello");
}

TEST_F(ContentCacheTest, AbsentContentIsNotDownloaded) {
  EXPECT_EQ(HResultOf(cache_->Open(Sha256Of("x")).status()),
            hr::kWuEDmNotdownloaded);
}

TEST_F(ContentCacheTest, RefusesAnotherSize) {
  WriteText(cache_->PartialPath(Sha256Of("hello")), "hell");
  EXPECT_EQ(HResultOf(cache_->Commit(Sha256Of("hello"), 5)),
            hr::kWuEDmIncorrectfilehash);
  EXPECT_FALSE(Has("hello"));
}

TEST_F(ContentCacheTest, CommittingTwiceCountsOnce) {
  ASSERT_TRUE(Put("hello").ok());
  ASSERT_TRUE(Put("hello").ok());
  EXPECT_EQ(cache_->TotalBytes(), 5);
}

TEST_F(ContentCacheTest, VanishedFileIsNamedAndForgotten) {
  ASSERT_TRUE(Put("hello").ok());
  fs::remove(ContentPath("hello"));
  EXPECT_EQ(HResultOf(cache_->Open(Sha256Of("hello")).status()),
            hr::kWuEDmDownloadfilemissing);
  EXPECT_FALSE(Has("hello"));
  EXPECT_EQ(cache_->TotalBytes(), 0);
}

TEST_F(ContentCacheTest, NeverOpensALink) {
  ASSERT_TRUE(Put("hello").ok());
  WriteText(folder_.path() / "other", "hello");
  fs::remove(ContentPath("hello"));
  fs::create_symlink(folder_.path() / "other", ContentPath("hello"));
  EXPECT_EQ(HResultOf(cache_->Open(Sha256Of("hello")).status()),
            hr::kWuEDmDownloadfilemissing);
  EXPECT_TRUE(fs::exists(folder_.path() / "other"));
}

TEST_F(ContentCacheTest, ChangedContentIsNotCopied) {
  ASSERT_TRUE(Put("hello").ok());
  auto file = cache_->Open(Sha256Of("hello"));
  ASSERT_TRUE(file.ok());
  WriteText(ContentPath("hello"), "jello");
  EXPECT_EQ(HResultOf((*file)->CopyTo(folder_.path() / "copy")),
            hr::kWuEDmIncorrectfilehash);
  EXPECT_FALSE(fs::exists(folder_.path() / "copy"));
  EXPECT_FALSE(Has("hello"));
  EXPECT_FALSE(fs::exists(ContentPath("hello")));
  file->reset();
  Reopen(0);
  EXPECT_FALSE(Has("hello"));
}

TEST_F(ContentCacheTest, CopiesFromTheHandleAndNotFromThePath) {
  ASSERT_TRUE(Put("hello").ok());
  auto file = cache_->Open(Sha256Of("hello"));
  ASSERT_TRUE(file.ok());
  fs::remove(ContentPath("hello"));
  WriteText(ContentPath("hello"), "jello");
  ASSERT_TRUE((*file)->CopyTo(folder_.path() / "copy").ok());
  EXPECT_EQ(ReadText(folder_.path() / "copy"), "hello");
}

TEST_F(ContentCacheTest, CopyNeverFollowsALink) {
  ASSERT_TRUE(Put("hello").ok());
  WriteText(folder_.path() / "victim", "precious");
  fs::create_symlink(folder_.path() / "victim", folder_.path() / "copy");
  auto file = cache_->Open(Sha256Of("hello"));
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->CopyTo(folder_.path() / "copy").ok());
  EXPECT_EQ(ReadText(folder_.path() / "victim"), "precious");
  EXPECT_TRUE(fs::is_symlink(folder_.path() / "copy"));
}

TEST_F(ContentCacheTest, DropsTheLeastRecentlyUsed) {
  Reopen(10);
  ASSERT_TRUE(Put("aaaa").ok());
  ASSERT_TRUE(Put("bbbb").ok());
  ASSERT_TRUE(cache_->Open(Sha256Of("aaaa")).ok());  // used again, and closed
  ASSERT_TRUE(Put("cccc").ok());
  EXPECT_TRUE(Has("aaaa"));
  EXPECT_FALSE(Has("bbbb"));
  EXPECT_FALSE(fs::exists(ContentPath("bbbb")));
  EXPECT_TRUE(Has("cccc"));
  EXPECT_EQ(cache_->TotalBytes(), 8);
}

TEST_F(ContentCacheTest, RemembersUseOverARestart) {
  ASSERT_TRUE(Put("aaaa").ok());
  ASSERT_TRUE(Put("bbbb").ok());
  ASSERT_TRUE(cache_->Open(Sha256Of("aaaa")).ok());
  Reopen(10);
  ASSERT_TRUE(Put("cccc").ok());
  EXPECT_TRUE(Has("aaaa"));
  EXPECT_FALSE(Has("bbbb"));
}

TEST_F(ContentCacheTest, NeverDropsWhatIsOpenOrNew) {
  Reopen(4);
  ASSERT_TRUE(Put("aaaa").ok());
  {
    auto held = cache_->Open(Sha256Of("aaaa"));
    ASSERT_TRUE(held.ok());
    ASSERT_TRUE(Put("larger than all").ok());
    EXPECT_TRUE(Has("aaaa"));
    EXPECT_TRUE(Has("larger than all"));
  }
  ASSERT_TRUE(Put("bbbb").ok());
  EXPECT_FALSE(Has("aaaa"));
  EXPECT_FALSE(Has("larger than all"));
  EXPECT_TRUE(Has("bbbb"));
}

TEST_F(ContentCacheTest, NeverDropsWhatIsPinned) {
  Reopen(10);
  ContentPin first = cache_->Pin(Sha256Of("aaaaaaaa"));
  const ContentPin again = cache_->Pin(Sha256Of("aaaaaaaa"));
  {
    // Before it is there.
    const ContentPin second = cache_->Pin(Sha256Of("bbbbbbbb"));
    ASSERT_TRUE(Put("aaaaaaaa").ok());
    ASSERT_TRUE(Put("bbbbbbbb").ok());
    ASSERT_TRUE(Put("c").ok());
    EXPECT_TRUE(Has("aaaaaaaa"));
    EXPECT_TRUE(Has("bbbbbbbb"));
    EXPECT_TRUE(Has("c"));
  }
  first.reset();
  ASSERT_TRUE(Put("d").ok());
  EXPECT_TRUE(Has("aaaaaaaa")) << "pinned twice";
  EXPECT_FALSE(Has("bbbbbbbb"));
  EXPECT_TRUE(Has("c"));
  EXPECT_EQ(cache_->MaxBytes(), 10);
  cache_.reset();  // before the last pin
}

TEST_F(ContentCacheTest, RemoveForgetsAndDeletes) {
  ASSERT_TRUE(Put("hello").ok());
  ASSERT_TRUE(cache_->Remove(Sha256Of("hello")).ok());
  EXPECT_TRUE(cache_->Remove(Sha256Of("hello")).ok());
  EXPECT_FALSE(Has("hello"));
  EXPECT_FALSE(fs::exists(ContentPath("hello")));
  Reopen(0);
  EXPECT_FALSE(Has("hello"));
}

TEST_F(ContentCacheTest, OpeningReconcilesFolderAndIndex) {
  for (const char* content : {"kept", "without file", "cut short"}) {
    ASSERT_TRUE(Put(content).ok());
  }
  cache_.reset();
  fs::remove(ContentPath("without file"));
  fs::resize_file(ContentPath("cut short"), 3);
  fs::create_directories(ContentPath("without row").parent_path());
  WriteText(ContentPath("without row"), "without row");
  WriteText(root_ / "content" / "stranger", "x");
  const fs::path moved =
      root_ / "content" / "zz" / ToHex(Sha256Of("misplaced"));
  fs::create_directories(moved.parent_path());
  WriteText(moved, "misplaced");
  Reopen(0);
  EXPECT_TRUE(Has("kept"));
  EXPECT_FALSE(Has("without file"));
  EXPECT_FALSE(Has("cut short"));
  EXPECT_FALSE(Has("without row"));
  EXPECT_EQ(cache_->TotalBytes(), 4);
  EXPECT_FALSE(fs::exists(ContentPath("cut short")));
  EXPECT_FALSE(fs::exists(ContentPath("without row")));
  EXPECT_FALSE(fs::exists(root_ / "content" / "stranger"));
  EXPECT_FALSE(fs::exists(moved));
  // It counts as unfinished and is verified before it is taken in again.
  EXPECT_EQ(ReadText(cache_->PartialPath(Sha256Of("without row"))),
            "without row");
}

TEST_F(ContentCacheTest, OpeningDropsStalePartials) {
  const fs::path fresh = cache_->PartialPath(Sha256Of("fresh"));
  const fs::path stale = cache_->PartialPath(Sha256Of("stale"));
  WriteText(fresh, "fr");
  WriteText(fs::path(fresh) += ".meta", "x");
  WriteText(stale, "st");
  WriteText(root_ / "partial" / "stranger", "x");
  fs::last_write_time(
      stale, fs::file_time_type::clock::now() - std::chrono::hours(24 * 15));
  Reopen(0);
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(fs::path(fresh) += ".meta"));
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_FALSE(fs::exists(root_ / "partial" / "stranger"));
}

TEST_F(ContentCacheTest, NobodyElseMayRead) {
  ASSERT_TRUE(Put("hello").ok());
  struct stat info;
  ASSERT_EQ(stat((root_ / "content").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

}  // namespace
}  // namespace usher::download
