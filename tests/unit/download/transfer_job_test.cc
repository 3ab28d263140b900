#include "service/download/transfer_job.h"

#include <filesystem>
#include <limits>
#include <memory>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "tests/unit/download/world.h"

namespace usher::download {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

// A job whose only worker can be held up, so that what is written is held back.
class TransferJobTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = store::Database::Open(folder_.path() / "usher.db", {}).value();
    cache_ =
        ContentCache::Open(*database_, {.directory = folder_.path() / "cache"})
            .value();
    job_ = std::make_shared<TransferJob>(pool_, *cache_, Sha256Of(content_),
                                         static_cast<int64_t>(content_.size()),
                                         [this](JobEvent event) {
                                           absl::MutexLock lock(&mutex_);
                                           events_.push_back(std::move(event));
                                         });
    job_->Prepare();
    EXPECT_EQ(Next().kind, JobEvent::Kind::kPrepared);
    job_->Begin({}, false);
  }

  // The next event that was not taken yet; fails the test after 30 seconds.
  JobEvent Next() {
    const auto come = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return !events_.empty();
    };
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(&come), kPatience)) {
      ADD_FAILURE() << "no event";
      return {};
    }
    JobEvent event = std::move(events_.front());
    events_.erase(events_.begin());
    return event;
  }

  // Writes `first`, which is on its way then, and `second`, which is held back.
  void WriteTwice(const std::string& first, const std::string& second) {
    pool_.Run([this] { go_on_.WaitForNotification(); });
    EXPECT_TRUE(job_->Write(first));
    EXPECT_TRUE(job_->Write(second));
  }
  void GoOn() { go_on_.Notify(); }

  bool HasPartial() const {
    return std::filesystem::exists(cache_->PartialPath(Sha256Of(content_)));
  }

  const std::string content_ = "what the catalog names";
  TempFolder folder_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<ContentCache> cache_;
  absl::Notification go_on_;
  absl::Mutex mutex_;
  std::vector<JobEvent> events_ ABSL_GUARDED_BY(mutex_);
  WorkerPool pool_{1};
  std::shared_ptr<TransferJob> job_;
};

TEST_F(TransferJobTest, WhatIsHeldBackWhenTheFileIsDiscardedGoesWithIt) {
  WriteTwice("what", " else");
  job_->Discard();
  EXPECT_TRUE(HasPartial());
  job_->Close();
  GoOn();
  const JobEvent last = Next();
  EXPECT_EQ(last.kind, JobEvent::Kind::kClosed) << last.status;
  EXPECT_EQ(job_->written(), 0);
  EXPECT_FALSE(job_->HasBacklog());
  EXPECT_FALSE(HasPartial());
}

TEST_F(TransferJobTest, WhatIsHeldBackWhenTheFileIsBegunAgainGoesWithIt) {
  WriteTwice("what", " else");
  job_->Restart();
  // As before each attempt, so that the next one goes on where this one ended.
  job_->Flush();
  job_->Prepare();
  GoOn();
  const JobEvent prepared = Next();
  ASSERT_EQ(prepared.kind, JobEvent::Kind::kPrepared);
  EXPECT_EQ(prepared.offset, 0);
  job_->Begin({}, false);
  EXPECT_TRUE(job_->Write(content_));
  job_->Finish();
  const JobEvent finished = Next();
  EXPECT_EQ(finished.kind, JobEvent::Kind::kFinished);
  EXPECT_TRUE(finished.status.ok()) << finished.status;
  EXPECT_TRUE(cache_->Contains(Sha256Of(content_)));
}

TEST_F(TransferJobTest, WhatIsHeldBackWhenTheJobIsClosedIsKept) {
  WriteTwice("what", " the");
  job_->Close();
  GoOn();
  EXPECT_EQ(Next().kind, JobEvent::Kind::kClosed);
  EXPECT_EQ(ReadText(cache_->PartialPath(Sha256Of(content_))), "what the");
}

// The rest does not fit on the disk; once there is room, it goes on.
TEST_F(TransferJobTest, WhatIsTooLargeForTheDiskNowIsKept) {
  const Sha256Digest digest = Sha256Of("large");
  const std::filesystem::path partial = cache_->PartialPath(digest);
  std::filesystem::create_directories(partial.parent_path());
  WriteText(partial, "part");
  const auto large = std::make_shared<TransferJob>(
      pool_, *cache_, digest, std::numeric_limits<int64_t>::max() / 2,
      [this](JobEvent event) {
        absl::MutexLock lock(&mutex_);
        events_.push_back(std::move(event));
      });
  large->Prepare();
  EXPECT_EQ(HResultOf(Next().status), hr::kErrorDiskFull);
  large->DiscardIfEmpty();
  large->Close();
  EXPECT_EQ(Next().kind, JobEvent::Kind::kClosed);
  EXPECT_EQ(ReadText(partial), "part");
}

}  // namespace
}  // namespace usher::download
