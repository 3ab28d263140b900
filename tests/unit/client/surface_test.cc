// Each pair of calls that nothing else in the C++ tests makes, once.

#include <optional>
#include <string>
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

class SurfaceTest : public testing::SessionFixture {
 protected:
  static UpdateCollection Found(const UpdateSession& session) {
    return session.CreateUpdateSearcher()->Search("")->Updates();
  }

  static v1::UpdateHistoryEntry Entry(const std::string& title) {
    v1::UpdateHistoryEntry entry;
    entry.set_title(title);
    entry.set_operation(v1::UPDATE_OPERATION_INSTALLATION);
    return entry;
  }
};

TEST_F(SurfaceTest, SearchInTheBackground) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  absl::Notification done;
  const absl::StatusOr<SearchJob> job = searcher.BeginSearch(
      "",
      [&](const SearchJob& of) {
        EXPECT_EQ(std::any_cast<int>(of.AsyncState()), 7);
        done.Notify();
      },
      7);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->Kind(), JobKind::kSearch);
  EXPECT_FALSE(*job->IsCompleted());
  service_.Complete(job->Name());
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  const absl::StatusOr<SearchResult> result = searcher.EndSearch(*job);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->ResultCode(), OperationResultCode::kSucceeded);
  EXPECT_EQ(result->Updates().Count(), 2);
  EXPECT_EQ(result->RootCategories().Count(), 1);
  // UAMG-156; and the job is dropped.
  EXPECT_EQ(HResultOf(searcher.EndSearch(*job).status()),
            hr::kWuEInvalidOperation);
  EXPECT_FALSE(service_.has_job(job->Name()));
}

TEST_F(SurfaceTest, BadCriteriaBeginNoSearch) {
  const UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  EXPECT_EQ(HResultOf(searcher.BeginSearch("bad", {}).status()),
            hr::kWuEInvalidCriteria);
  EXPECT_TRUE(session.Jobs()->empty());
}

TEST_F(SurfaceTest, InstallAndUninstallWait) {
  service_.CompleteJobsAtOnce();
  const UpdateSession session = Open();
  UpdateInstaller installer = *session.CreateUpdateInstaller();
  ASSERT_TRUE(installer.SetUpdates(Found(session)).ok());
  const absl::StatusOr<InstallationResult> installed = installer.Install();
  ASSERT_TRUE(installed.ok()) << installed.status();
  EXPECT_EQ(installed->result_code, OperationResultCode::kSucceeded);
  EXPECT_EQ(installed->update_results.Count(), 2);
  EXPECT_FALSE(installed->reboot_required);
  const absl::StatusOr<InstallationResult> removed = installer.Uninstall();
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->update_results.Count(), 2);
  EXPECT_TRUE(removed->reboot_required);
  EXPECT_TRUE(session.Jobs()->empty());
}

TEST_F(SurfaceTest, InstallAndUninstallInTheBackground) {
  const UpdateSession session = Open();
  UpdateInstaller installer = *session.CreateUpdateInstaller();
  ASSERT_TRUE(installer.SetUpdates(Found(session)).ok());
  absl::Notification installed;
  const InstallationJob first = *installer.BeginInstall(
      {}, [&](const InstallationJob&) { installed.Notify(); });
  EXPECT_EQ(first.Kind(), JobKind::kInstallation);
  service_.Complete(first.Name());
  ASSERT_TRUE(installed.WaitForNotificationWithTimeout(kLong));
  // Each End call belongs to its Begin call.
  EXPECT_EQ(HResultOf(installer.EndUninstall(first).status()),
            hr::kWuEInvalidOperation);
  EXPECT_TRUE(installer.EndInstall(first).ok());

  absl::Notification removed;
  const InstallationJob second = *installer.BeginUninstall(
      {}, [&](const InstallationJob&) { removed.Notify(); });
  EXPECT_EQ(second.Kind(), JobKind::kUninstallation);
  service_.Complete(second.Name());
  ASSERT_TRUE(removed.WaitForNotificationWithTimeout(kLong));
  EXPECT_EQ(HResultOf(installer.EndInstall(second).status()),
            hr::kWuEInvalidOperation);
  EXPECT_TRUE(installer.EndUninstall(second)->reboot_required);
}

TEST_F(SurfaceTest, InstallationIsEndedBySessionWithoutItsInstaller) {
  const UpdateSession session = Open();
  std::string name;
  {
    UpdateInstaller installer = *session.CreateUpdateInstaller();
    ASSERT_TRUE(installer.SetUpdates(Found(session)).ok());
    name = installer.BeginUninstall({}, {})->Name();
  }
  service_.Complete(name);
  const absl::StatusOr<InstallationJob> job = session.FindInstallationJob(name);
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(session.EndInstallation(*job)->reboot_required);
}

TEST_F(SurfaceTest, InstallerTellsLiveState) {
  const UpdateSession session = Open();
  UpdateInstaller installer = *session.CreateUpdateInstaller();
  ASSERT_TRUE(installer.SetUpdates(Found(session)).ok());
  EXPECT_FALSE(*installer.IsBusy());
  EXPECT_FALSE(*installer.RebootRequiredBeforeInstallation());
  const InstallationJob job = *installer.BeginUninstall({}, {});
  EXPECT_TRUE(*installer.IsBusy());
  EXPECT_TRUE(*installer.RebootRequiredBeforeInstallation());
  service_.Complete(job.Name());
  EXPECT_FALSE(*installer.IsBusy());
}

TEST_F(SurfaceTest, InstallerPropertiesReachTheService) {
  const UpdateSession session = Open();
  UpdateInstaller installer = *session.CreateUpdateInstaller();
  EXPECT_TRUE(installer.SetClientApplicationID("other").ok());
  EXPECT_TRUE(installer.SetIsForced(true).ok());
  EXPECT_TRUE(installer.SetAllowSourcePrompts(true).ok());
  EXPECT_TRUE(installer.SetForceQuiet(true).ok());
  EXPECT_TRUE(installer.SetAttemptCloseAppsIfNecessary(true).ok());
  const v1::Installer there = service_.installer();
  EXPECT_EQ(there.client_application_id(), "other");
  EXPECT_TRUE(there.is_forced());
  EXPECT_TRUE(there.allow_source_prompts());
  EXPECT_TRUE(there.force_quiet());
  EXPECT_TRUE(there.attempt_close_apps_if_necessary());
  EXPECT_EQ(installer.ClientApplicationID(), "other");
  EXPECT_TRUE(installer.IsForced());
  EXPECT_TRUE(installer.AllowSourcePrompts());
  EXPECT_TRUE(installer.ForceQuiet());
  EXPECT_TRUE(installer.AttemptCloseAppsIfNecessary());
}

TEST_F(SurfaceTest, ProxyIsWrittenAndReadWithoutItsPassword) {
  UpdateSession session = Open();
  WebProxy proxy;
  proxy.auto_detect = false;
  proxy.address = "http://proxy:3128";
  proxy.bypass_list = {"*.example.com"};
  proxy.bypass_proxy_on_local = true;
  proxy.user_name = "me";
  proxy.password = "secret";
  ASSERT_TRUE(session.SetWebProxy(proxy).ok());
  EXPECT_EQ(service_.session().web_proxy().password(), "secret");
  const WebProxy read = session.GetWebProxy();
  EXPECT_FALSE(read.auto_detect);
  EXPECT_EQ(read.address, "http://proxy:3128");
  EXPECT_THAT(read.bypass_list, ElementsAre("*.example.com"));
  EXPECT_TRUE(read.bypass_proxy_on_local);
  EXPECT_EQ(read.user_name, "me");
  EXPECT_EQ(read.password, "");
}

TEST_F(SurfaceTest, HistoryIsGatheredFromItsPieces) {
  service_.SetHistory({Entry("third"), Entry("second"), Entry("first")});
  const UpdateSession session = Open();
  const absl::StatusOr<UpdateHistoryEntryCollection> some =
      session.QueryHistory("UpdateID='a'", 1, 2);
  ASSERT_TRUE(some.ok()) << some.status();
  ASSERT_EQ(some->Count(), 2);
  EXPECT_TRUE(some->ReadOnly());
  EXPECT_EQ(some->Item(0)->title, "second");
  EXPECT_EQ(some->Item(1)->title, "first");
  EXPECT_EQ(some->Item(1)->operation, UpdateOperation::kInstallation);
  EXPECT_EQ(service_.history_request().criteria(), "UpdateID='a'");
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  EXPECT_EQ(*searcher.GetTotalHistoryCount(), 3);
  EXPECT_EQ(searcher.QueryHistory(0, 1)->Item(0)->title, "third");
  EXPECT_EQ(service_.history_request().criteria(), "");
}

TEST_F(SurfaceTest, SessionsAreListed) {
  const UpdateSession session = Open();
  const absl::StatusOr<std::vector<SessionInfo>> own = session.ListSessions();
  ASSERT_TRUE(own.ok()) << own.status();
  ASSERT_EQ(own->size(), 1u);
  EXPECT_EQ(own->front().name, session.Name());
  EXPECT_EQ(own->front().client_application_id, "test");
  const std::vector<SessionInfo> all = *session.ListSessions(true);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.back().owner, "uid:4711");
}

TEST_F(SurfaceTest, SessionsAreClosedByName) {
  const UpdateSession session = Open();
  EXPECT_EQ(session.CloseSession("sessions/other").code(),
            absl::StatusCode::kNotFound);
  EXPECT_NE(service_.session().name(), "");
  EXPECT_TRUE(session.CloseSession(session.Name()).ok());
  EXPECT_EQ(service_.session().name(), "");
}

TEST_F(SurfaceTest, ClosedSessionIsGoneOnBothSides) {
  UpdateSession session = Open();
  const UpdateSearcher searcher = *session.CreateUpdateSearcher();
  EXPECT_TRUE(session.Close().ok());
  EXPECT_EQ(service_.session().name(), "");
  EXPECT_EQ(HResultOf(searcher.Search("").status()), hr::kWuENoService);
  EXPECT_EQ(service_.open_count(), 1);  // nothing was opened again
}

TEST_F(SurfaceTest, ReadOnlySessionSearchesAndChangesNothing) {
  SessionOptions options = Options();
  options.read_only = true;
  UpdateSession session = Open(options);
  EXPECT_TRUE(session.ReadOnly());
  EXPECT_EQ(session.CreateUpdateSearcher()->Search("")->Updates().Count(), 2);
  EXPECT_EQ(HResultOf(session.SetUserLocale("de")), hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(session.SetWebProxy(WebProxy())), hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(session.CreateUpdateDownloader().status()),
            hr::kEAccessdenied);
  EXPECT_EQ(HResultOf(session.CreateUpdateInstaller().status()),
            hr::kEAccessdenied);
}

}  // namespace
}  // namespace usher
