// The SDK against a small service over a real socket.

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/client/session_fixture.h"
#include "usher/usher.h"

namespace usher {
namespace {

using ::testing::ElementsAre;
using testing::kLong;
using testing::MakeUpdate;
using testing::SessionFixture;

class SessionTest : public SessionFixture {
 protected:
  DownloadJob BeginDownload(const UpdateSession& session,
                            DownloadProgressCallback progress,
                            DownloadCompletedCallback completed) {
    const UpdateSearcher searcher = *session.CreateUpdateSearcher();
    UpdateDownloader downloader = *session.CreateUpdateDownloader();
    EXPECT_TRUE(downloader.SetUpdates(searcher.Search("")->Updates()).ok());
    return *downloader.BeginDownload(std::move(progress), std::move(completed),
                                     std::string("state"));
  }
};

TEST_F(SessionTest, NobodyThereIsNoService) {
  service_.Stop();
  SessionOptions options;
  options.address = service_.address() + "-absent";
  const absl::StatusOr<UpdateSession> session = UpdateSession::Open(options);
  EXPECT_EQ(HResultOf(session.status()), hr::kWuENoService);
}

TEST_F(SessionTest, SearchFindsUpdatesAndCategories) {
  const UpdateSession session = Open();
  EXPECT_FALSE(session.Attached());
  EXPECT_EQ(session.ClientApplicationID(), "test");
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  const absl::StatusOr<SearchResult> result = searcher.Search("");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->ResultCode(), OperationResultCode::kSucceeded);
  EXPECT_TRUE(result->Updates().ReadOnly());
  ASSERT_EQ(result->Updates().Count(), 2);
  ASSERT_EQ(result->RootCategories().Count(), 1);
  const Category company = *result->RootCategories().Item(0);
  EXPECT_FALSE(company.Parent().has_value());
  const Category product = *company.Children().Item(0);
  EXPECT_EQ(product.CategoryID(), "p");
  EXPECT_EQ(product.Updates().Count(), 2);
  EXPECT_EQ(result->Updates().Item(1)->Categories().Item(0)->CategoryID(), "p");
}

TEST_F(SessionTest, ErrorsOfTheServiceArriveWhole) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  const absl::Status status = searcher.Search("bad").status();
  EXPECT_EQ(HResultOf(status), hr::kWuEInvalidCriteria);
  EXPECT_EQ(SubjectOf(status), "criteria");
}

TEST_F(SessionTest, SearchEachStops) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  std::vector<std::string> seen;
  const absl::StatusOr<SearchSummary> summary =
      searcher.SearchEach("", [&](const Update& update) {
        seen.push_back(update.Name());
        return false;
      });
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->result_code, OperationResultCode::kAborted);
  EXPECT_THAT(seen, ElementsAre("a"));
}

TEST_F(SessionTest, LiveStateIsReadFromTheService) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  const SearchResult result = *searcher.Search("");
  const Update update = *result.Updates().Item(0);
  EXPECT_FALSE(*update.IsDownloaded());
  v1::Update changed = MakeUpdate("a");
  changed.set_is_downloaded(true);
  changed.set_is_installed(true);
  service_.SetUpdates({changed, MakeUpdate("b")});
  EXPECT_FALSE(update.LastKnownState().is_downloaded);
  EXPECT_TRUE(result.Updates().Refresh().ok());
  EXPECT_TRUE(update.LastKnownState().is_downloaded);
  EXPECT_TRUE(*update.IsDownloaded());
  // IsInstalled is of the moment of the search (UAMG-119).
  EXPECT_FALSE(update.IsInstalled());
}

TEST_F(SessionTest, UpdatesComeInAsManyAnswersAsTheyNeed) {
  std::vector<v1::Update> updates;
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    updates.push_back(MakeUpdate(id));
  }
  service_.SetUpdates(updates);
  const UpdateSession session = Open();
  const absl::StatusOr<UpdateCollection> read =
      session.GetUpdates({{"s", "a", 1},
                          {"s", "c", 1},
                          {"s", "b", 1},
                          {"s", "e", 1},
                          {"s", "d", 1}});
  ASSERT_TRUE(read.ok()) << read.status();
  std::vector<std::string> names;
  for (const Update& update : *read) names.push_back(update.Name());
  EXPECT_THAT(names, ElementsAre("a", "c", "b", "e", "d"));
  EXPECT_EQ(service_.batch_count(), 3);
}

TEST_F(SessionTest, ACallKeepsItsRequestIdOverPagesAndTries) {
  const UpdateSession session = Open();
  std::vector<DownloadJob> begun;
  begun.reserve(5);
  for (int i = 0; i < 5; ++i) {
    begun.push_back(BeginDownload(session, nullptr, nullptr));
  }
  service_.LoseNextList();
  const absl::StatusOr<std::vector<JobInfo>> jobs = session.Jobs();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  std::set<std::string> names;
  for (const JobInfo& job : *jobs) names.insert(job.name);
  EXPECT_EQ(names.size(), 5U);
  const std::vector<std::string> ids = service_.list_ids();
  ASSERT_EQ(ids.size(), 4U);  // three pages, one of them twice
  EXPECT_FALSE(ids[0].empty());
  EXPECT_THAT(ids, ::testing::Each(ids[0]));

  ASSERT_TRUE(session.Jobs().ok());
  EXPECT_NE(service_.list_ids().back(), ids[0]);
}

TEST_F(SessionTest, SearcherIsDroppedWithItsHandle) {
  const UpdateSession session = Open();
  {
    const UpdateSearcher searcher = *session.CreateUpdateSearcher();
    EXPECT_EQ(service_.searchers().size(), 1u);
  }
  EXPECT_TRUE(service_.searchers().empty());
}

TEST_F(SessionTest, RestartedServiceIsFoundAgain) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  ASSERT_TRUE(service_.WaitForWatchers(1, 0));
  service_.Stop();
  std::thread later([this] { service_.Start(); });
  // Waits for the service, attaches and asks again.
  EXPECT_TRUE(searcher.Search("").ok());
  later.join();
  EXPECT_EQ(service_.open_count(), 2);
  // The session is held again, too.
  EXPECT_TRUE(service_.WaitForWatchers(1, 0));
}

TEST_F(SessionTest, LostObjectsAndSettingsAreMadeAgain) {
  UpdateSession session = Open();
  EXPECT_TRUE(session.SetUserLocale("de").ok());
  UpdateSearcher searcher = *session.CreateUpdateSearcher();
  EXPECT_TRUE(searcher.SetOnline(false).ok());
  EXPECT_TRUE(searcher.SetServiceID("x").ok());
  ASSERT_TRUE(service_.WaitForWatchers(1, 0));
  const std::string old_name = session.Name();
  service_.Stop();
  service_.ForgetSessions();
  service_.Start();
  ASSERT_TRUE(searcher.Search("").ok());
  EXPECT_NE(session.Name(), old_name);
  EXPECT_EQ(service_.session().user_locale(), "de");
  ASSERT_EQ(service_.searchers().size(), 1u);
  const v1::Searcher made = service_.searcher(service_.searchers().front());
  EXPECT_FALSE(made.online());
  EXPECT_EQ(made.service_id(), "x");
}

TEST_F(SessionTest, ExpiredSessionIsOpenedAgainOnALiveConnection) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  service_.ForgetSessions();
  EXPECT_TRUE(searcher.Search("").ok());
  EXPECT_EQ(service_.open_count(), 2);
}

TEST_F(SessionTest, CallThatMayHaveBeenCarriedOutIsNotRepeated) {
  const UpdateSession session = Open();
  UpdateDownloader downloader = *session.CreateUpdateDownloader();
  service_.LoseNextBegin();
  const absl::Status status = downloader.Download().status();
  EXPECT_EQ(HResultOf(status), hr::kWuENoService);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("may or may not"));
  // The job is there to be found.
  EXPECT_EQ(session.Jobs()->size(), 1u);
}

TEST_F(SessionTest, CallbacksComeInOrderAndCompletedOnce) {
  const UpdateSession session = Open();
  std::vector<int> percents;
  int completed = 0;
  absl::Notification half;
  absl::Notification done;
  const DownloadJob job = BeginDownload(
      session,
      [&](const DownloadJob&, const DownloadProgress& progress) {
        percents.push_back(progress.percent_complete);
        if (progress.percent_complete == 50 && !half.HasBeenNotified()) {
          half.Notify();
        }
      },
      [&](const DownloadJob& of) {
        ++completed;
        EXPECT_EQ(std::any_cast<std::string>(of.AsyncState()), "state");
        // Blocking calls are allowed here.
        EXPECT_TRUE(*of.IsCompleted());
        done.Notify();
      });
  service_.SetProgress(job.Name(), 50);
  ASSERT_TRUE(half.WaitForNotificationWithTimeout(kLong));
  service_.Complete(job.Name());
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  const absl::StatusOr<DownloadResult> result = session.EndDownload(job);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->update_results.Count(), 2);
  EXPECT_TRUE(job.Updates()->ReadOnly());
  // UAMG-156, for downloads.
  EXPECT_EQ(HResultOf(session.EndDownload(job).status()),
            hr::kWuEInvalidOperation);
  EXPECT_TRUE(job.CleanUp().ok());
  EXPECT_FALSE(service_.has_job(job.Name()));
  EXPECT_EQ(completed, 1);
}

TEST_F(SessionTest, JobIsWatchedAcrossARestart) {
  const UpdateSession session = Open();
  absl::Notification done;
  const DownloadJob job =
      BeginDownload(session, {}, [&](const DownloadJob&) { done.Notify(); });
  ASSERT_TRUE(service_.WaitForWatchers(1, 1));
  service_.Stop();
  service_.Start();
  ASSERT_TRUE(service_.WaitForWatchers(1, 1));
  EXPECT_FALSE(done.HasBeenNotified());
  service_.Complete(job.Name());
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(session.EndDownload(job).ok());
}

TEST_F(SessionTest, LostJobCompletesWithAnError) {
  const UpdateSession session = Open();
  absl::Notification done;
  const DownloadJob job =
      BeginDownload(session, {}, [&](const DownloadJob&) { done.Notify(); });
  ASSERT_TRUE(service_.WaitForWatchers(1, 1));
  service_.Stop();
  service_.ForgetSessions();
  service_.Start();
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(session.EndDownload(job).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(SessionTest, ResultWhoseAnswerWasLostIsRebuilt) {
  const UpdateSession session = Open();
  const DownloadJob job = BeginDownload(session, {}, {});
  service_.Complete(job.Name());
  service_.LoseNextEnd();
  const absl::StatusOr<DownloadResult> result = session.EndDownload(job);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->result_code, OperationResultCode::kSucceeded);
  EXPECT_EQ(result->update_results.Count(), 2);
}

TEST_F(SessionTest, RestartedProgramFindsItsJob) {
  std::string name;
  {
    const UpdateSession session = Open();
    name = BeginDownload(session, {}, {}).Name();
  }
  const UpdateSession session = Open();
  EXPECT_TRUE(session.Attached());
  ASSERT_EQ(session.Jobs()->size(), 1u);
  EXPECT_EQ(session.Jobs()->front().name, name);
  absl::Notification done;
  const absl::StatusOr<DownloadJob> job = session.FindDownloadJob(
      name, {}, [&](const DownloadJob&) { done.Notify(); });
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(HResultOf(session.FindInstallationJob(name).status()),
            hr::kWuEInvalidOperation);
  EXPECT_EQ(job->Updates()->Count(), 2);
  service_.Complete(name);
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(session.EndDownload(*job).ok());
}

TEST_F(SessionTest, AbortCompletesTheJob) {
  const UpdateSession session = Open();
  const DownloadJob job = BeginDownload(session, {}, {});
  EXPECT_TRUE(job.RequestAbort().ok());
  EXPECT_EQ(session.EndDownload(job)->result_code,
            OperationResultCode::kAborted);
}

TEST_F(SessionTest, NoCallbackAfterTheSessionIsGone) {
  std::atomic<int> calls = 0;
  DownloadJob job;
  {
    const UpdateSession session = Open();
    job = BeginDownload(
        session, [&](const DownloadJob&, const DownloadProgress&) { ++calls; },
        [&](const DownloadJob&) { ++calls; });
  }
  const int before = calls;
  service_.Complete(job.Name());
  EXPECT_EQ(HResultOf(job.WaitUntilCompleted()), hr::kWuENoService);
  EXPECT_EQ(HResultOf(job.RequestAbort()), hr::kSOk);
  EXPECT_EQ(calls, before);
}

TEST_F(SessionTest, SessionMayGoInItsOwnCallback) {
  auto session = std::make_unique<UpdateSession>(Open());
  absl::Notification done;
  const DownloadJob job = BeginDownload(*session, {}, [&](const DownloadJob&) {
    session = nullptr;
    done.Notify();
  });
  service_.Complete(job.Name());
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kLong));
}

}  // namespace
}  // namespace usher
