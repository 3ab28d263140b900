// Jobs: begin, watch, abort, end once, clean up, restart.

#include "service/session/job.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "service/session/downloader_api.h"
#include "service/session/installer_api.h"
#include "service/session/job_api.h"
#include "service/session/search_job.h"
#include "service/session/searcher_api.h"
#include "service/session/session_api.h"
#include "tests/unit/session/calls.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/downloader.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/session.pb.h"

namespace usher::session {
namespace {

using usher::testing::CallOf;
using usher::testing::Download;
using usher::testing::Find;
using usher::testing::Install;
using usher::testing::OpenName;
using usher::testing::TakeFetch;
using usher::testing::UpdateId;
using usher::testing::WaitFor;
using usher::testing::World;

const Call kRoot = CallOf("uid:0", true);
const Call kAlice = CallOf("uid:1001");

TEST(DownloadJobTest, NothingToDownloadIsRefused) {  // UAMG-167, 168
  World world;
  EXPECT_EQ(HResultOf(Download(world, OpenName(world, kRoot), {}).status()),
            hr::kWuENoUpdate);
}

TEST(DownloadJobTest, UnknownAndDoubleUpdatesAreRefused) {
  World world;
  world.catalog->Add(1);
  const std::string session = OpenName(world, kRoot);
  EXPECT_EQ(HResultOf(Download(world, session, {7}).status()),
            hr::kWuEDsNodataNosuchrevision);
  EXPECT_EQ(HResultOf(Download(world, session, {1, 1}).status()),
            hr::kEInvalidarg);
}

TEST(DownloadJobTest, OneFailingOneSucceeding) {  // UAMG-170
  World world;
  world.catalog->Add(1);
  world.catalog->Add(2);
  const std::string name = *Download(world, OpenName(world, kRoot), {1, 2});
  TakeFetch(*world.downloads, 1).observer->OnDone(absl::OkStatus());
  TakeFetch(*world.downloads, 2)
      .observer->OnDone(Error(hr::kWuEDmIncorrectfilehash, "flipped"));
  const v1::Job job = WaitFor(world, name);
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS);
  EXPECT_EQ(job.hresult(), hr::kWuSUpdateError);
  ASSERT_EQ(job.update_results_size(), 2);
  for (const v1::UpdateResult& result : job.update_results()) {
    EXPECT_EQ(result.hresult(), result.update_index() == 0
                                    ? hr::kSOk
                                    : hr::kWuEDmIncorrectfilehash);
  }
}

TEST(DownloadJobTest, AllFailing) {  // UAMG-171
  World world;
  world.catalog->Add(1);
  const std::string name = *Download(world, OpenName(world, kRoot), {1});
  TakeFetch(*world.downloads, 1)
      .observer->OnDone(Error(hr::kErrorDiskFull, "full"));
  const v1::Job job = WaitFor(world, name);
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_FAILED);
  EXPECT_EQ(job.hresult(), hr::kWuEAllUpdatesFailed);
  EXPECT_EQ(job.update_results(0).hresult(), hr::kErrorDiskFull);
}

TEST(DownloadJobTest, CachedAndInstalledUpdatesMakeNoTransfer) {
  World world;  // UAMG-173, 174
  world.catalog->Add(1);
  world.catalog->Add(2);
  world.cache->contents.insert(Sha256Of("file 1"));
  world.catalog->entries[2].state.is_installed = true;
  const std::string session = OpenName(world, kRoot);
  const v1::Job job = WaitFor(world, *Download(world, session, {1, 2}));
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_SUCCEEDED);
  EXPECT_EQ(job.update_results(0).hresult(), hr::kWuSAlreadyDownloaded);
  EXPECT_EQ(job.update_results(1).hresult(), hr::kWuSAlreadyInstalled);
  EXPECT_EQ(world.downloads->started, 0);

  const std::string forced = *Download(world, session, {2}, true);
  TakeFetch(*world.downloads, 2).observer->OnDone(absl::OkStatus());
  EXPECT_EQ(WaitFor(world, forced).update_results(0).hresult(), hr::kSOk);
}

// Neither what it has fetched nor what was there already is evicted for the
// rest of the job.
TEST(DownloadJobTest, KeepsItsContentInTheCacheUntilItsEnd) {
  World world;
  for (const int n : {1, 2, 3}) world.catalog->Add(n);
  world.cache->contents.insert(Sha256Of("file 1"));
  const auto pins = world.cache->pins;
  const std::string name = *Download(world, OpenName(world, kRoot), {1, 2, 3});
  TakeFetch(*world.downloads, 2).observer->OnDone(absl::OkStatus());
  const auto last = TakeFetch(*world.downloads, 3);
  for (const char* file : {"file 1", "file 2", "file 3"}) {
    EXPECT_TRUE(pins->IsPinned(Sha256Of(file))) << file;
  }
  last.observer->OnDone(absl::OkStatus());
  WaitFor(world, name);
  for (const char* file : {"file 1", "file 2", "file 3"}) {
    EXPECT_FALSE(pins->IsPinned(Sha256Of(file))) << file;
  }
}

TEST(DownloadJobTest, RefusesWhatTheCacheMayNotHold) {
  World world;
  world.catalog->Add(1, 8);
  world.catalog->Add(2, 11);
  world.catalog->Add(3, 8);
  world.cache->max_bytes = 10;
  const std::string name = *Download(world, OpenName(world, kRoot), {1, 2, 3});
  TakeFetch(*world.downloads, 1).observer->OnDone(absl::OkStatus());
  TakeFetch(*world.downloads, 3).observer->OnDone(absl::OkStatus());
  const v1::Job job = WaitFor(world, name);
  ASSERT_EQ(job.update_results_size(), 3);
  for (const v1::UpdateResult& result : job.update_results()) {
    const bool large = result.update_index() == 1;
    EXPECT_EQ(result.hresult(),
              large ? hr::kWuEDmDownloadlimitedbyupdatesize : hr::kSOk);
    EXPECT_EQ(result.message().find("cache_max_bytes") != std::string::npos,
              large)
        << result.message();
  }
  EXPECT_EQ(world.downloads->started, 2);
}

TEST(DownloadJobTest, ProgressNeverGoesBackAndEndsTheStream) {
  World world;
  world.catalog->Add(1, 1000);
  const std::string name = *Download(world, OpenName(world, kRoot), {1});
  const std::shared_ptr<Job> job = Find(world, name);
  const auto fetch = TakeFetch(*world.downloads, 1);
  fetch.observer->OnProgress(600);
  fetch.observer->OnProgress(100);  // a second attempt
  v1::Job state;
  job->Read(state);
  EXPECT_EQ(state.download_progress().total_bytes_downloaded(), 600);
  EXPECT_EQ(state.download_progress().total_bytes_to_download(), 1000);
  EXPECT_EQ(state.download_progress().percent_complete(), 60);

  Job::Seen seen;
  v1::JobEvent event;
  EXPECT_EQ(job->Next(seen, event), Job::Change::kEvent);
  EXPECT_EQ(event.job().updates_size(), 0);
  EXPECT_EQ(job->Next(seen, event), Job::Change::kNone);
  fetch.observer->OnDone(absl::OkStatus());
  WaitFor(job);
  EXPECT_EQ(job->Next(seen, event), Job::Change::kLast);
  EXPECT_EQ(event.job().update_results_size(), 1);
  EXPECT_EQ(event.job().download_progress().percent_complete(), 100);
  EXPECT_EQ(job->Next(seen, event), Job::Change::kNone);
}

TEST(DownloadJobTest, EndsOnce) {
  World world;
  world.catalog->Add(1);
  const std::string name = *Download(world, OpenName(world, kRoot), {1});
  // Not even while the first is still waiting, and not as another kind.
  EXPECT_EQ(
      HResultOf(ClaimJob(world.core(), kRoot, name, v1::JOB_KIND_INSTALLATION)
                    .status()),
      hr::kWuEInvalidOperation);
  const auto claim = ClaimJob(world.core(), kRoot, name, v1::JOB_KIND_DOWNLOAD);
  ASSERT_TRUE(claim.ok());
  EXPECT_EQ(
      HResultOf(
          ClaimJob(world.core(), kRoot, name, v1::JOB_KIND_DOWNLOAD).status()),
      hr::kWuEInvalidOperation);
  TakeFetch(*world.downloads, 1).observer->OnDone(absl::OkStatus());
  WaitFor(claim->job);
  v1::Job job;
  ASSERT_TRUE(FinishClaim(*claim->job, job).ok());
  v1::DownloadResult result;
  FillDownloadResult(job, result);
  EXPECT_EQ(result.hresult(), hr::kSOk);
  EXPECT_EQ(
      HResultOf(
          ClaimJob(world.core(), kRoot, name, v1::JOB_KIND_DOWNLOAD).status()),
      hr::kWuEInvalidOperation);
  ASSERT_TRUE(CleanUp(world.core(), *FindJob(world.core(), kRoot, name)).ok());
  EXPECT_EQ(Find(world, name), nullptr);
}

TEST(DownloadJobTest, AbortEndsItAsAborted) {  // UAMG-163
  World world;
  world.catalog->Add(1);
  world.catalog->Add(2);
  const std::string name = *Download(world, OpenName(world, kRoot), {1, 2});
  TakeFetch(*world.downloads, 1).observer->OnDone(absl::OkStatus());
  v1::RequestAbortRequest request;
  request.set_name(name);
  v1::Job job;
  ASSERT_TRUE(RequestAbort(world.core(), kRoot, request, job).ok());
  EXPECT_TRUE(job.abort_requested());
  job = WaitFor(world, name);
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_ABORTED);
  EXPECT_EQ(job.hresult(), hr::kWuECallCancelled);
  ASSERT_EQ(job.update_results_size(), 2);
}

TEST(DownloadJobTest, ParksAndGoesOnAfterARestart) {
  World world;
  world.catalog->Add(1);
  world.catalog->Add(2);
  const std::string session = OpenName(world, kRoot);
  const std::string name = *Download(world, session, {1, 2});
  TakeFetch(*world.downloads, 1).observer->OnDone(absl::OkStatus());
  usher::testing::AwaitFetch(*world.downloads, 2);
  const std::shared_ptr<Job> before = Find(world, name);
  world.Restart();
  EXPECT_TRUE(before->parked());

  EXPECT_EQ(OpenName(world, kRoot), session);
  const std::shared_ptr<Job> job = Find(world, name);
  ASSERT_NE(job, nullptr);
  // The first has its result; only the second is fetched again.
  const auto second = TakeFetch(*world.downloads, 2);
  // What it has fetched stays in the cache for it, as before.
  const auto pins = world.cache->pins;
  EXPECT_TRUE(pins->IsPinned(Sha256Of("file 1")));
  second.observer->OnDone(absl::OkStatus());
  const v1::Job state = WaitFor(job);
  EXPECT_EQ(state.result_code(), v1::OPERATION_RESULT_CODE_SUCCEEDED);
  EXPECT_EQ(state.request_id(), "request-1");
  EXPECT_EQ(world.downloads->started, 3);
  EXPECT_FALSE(pins->IsPinned(Sha256Of("file 1")));

  // A completed one is found with its result, and ended, after another.
  world.Restart();
  const auto claim = ClaimJob(world.core(), kRoot, name, v1::JOB_KIND_DOWNLOAD);
  ASSERT_TRUE(claim.ok());
  v1::Job result;
  ASSERT_TRUE(FinishClaim(*claim->job, result).ok());
  EXPECT_EQ(result.update_results_size(), 2);
  world.Restart();
  EXPECT_EQ(
      HResultOf(
          ClaimJob(world.core(), kRoot, name, v1::JOB_KIND_DOWNLOAD).status()),
      hr::kWuEInvalidOperation);
}

TEST(InstallJobTest, ReportsWhatTheEngineSays) {
  World world;
  world.catalog->Add(1);
  world.catalog->Add(2);
  const std::string name = *Install(world, OpenName(world, kRoot), {1, 2});
  ASSERT_EQ(world.installs->begun.size(), 1U);
  const install::InstallRequest request = world.installs->begun[0];
  EXPECT_EQ(name.substr(name.rfind('/') + 1), request.job_id);
  EXPECT_EQ(request.client_application_id, "test");
  EXPECT_EQ(request.caller, "uid:0");
  const auto observer = world.installs->running[request.job_id];
  observer->OnProgress(0, 50);
  v1::Job job;
  Find(world, name)->Read(job);
  EXPECT_EQ(job.installation_progress().percent_complete(), 25);
  install::InstallResult good;
  good.result_code = v1::OPERATION_RESULT_CODE_SUCCEEDED;
  good.reboot_required = true;
  observer->OnUpdateDone(0, good);
  install::InstallResult bad;
  bad.result_code = v1::OPERATION_RESULT_CODE_FAILED;
  bad.hresult = hr::kWuEUhInstallerfailure;
  bad.unmapped_result_code = 7;
  observer->OnUpdateDone(1, bad);
  observer->OnFinished(false);
  job = WaitFor(world, name);
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS);
  v1::InstallationResult result;
  FillInstallationResult(job, result);
  EXPECT_TRUE(result.reboot_required());  // UAMG-192
  EXPECT_EQ(result.update_results(1).unmapped_result_code(), 7);
}

TEST(InstallJobTest, ARefusedBeginLeavesNoJob) {
  World world;
  world.catalog->Add(1);
  world.installs->begin_error = Error(hr::kWuEInstallNotAllowed, "busy");
  const std::string session = OpenName(world, kRoot);
  EXPECT_EQ(HResultOf(Install(world, session, {1}).status()),
            hr::kWuEInstallNotAllowed);
  EXPECT_EQ(HResultOf(Install(world, session, {}).status()),
            hr::kWuENoUpdate);  // UAMG-179
  v1::ListJobsRequest list;
  list.set_parent(session);
  v1::ListJobsResponse jobs;
  ASSERT_TRUE(ListJobs(world.core(), kRoot, list, jobs).ok());
  EXPECT_EQ(jobs.jobs_size(), 0);
}

// Another client of the session can find the job before it is refused.
TEST(InstallJobTest, WhoWaitsForARefusedJobLearnsOfIt) {
  World world;
  world.catalog->Add(1);
  const std::string session = OpenName(world, kRoot);
  std::shared_ptr<Job> job;
  bool told = false;
  world.installs->begin_error = Error(hr::kWuEInstallNotAllowed, "busy");
  world.installs->on_begin = [&](const install::InstallRequest& request) {
    job = Find(world, absl::StrCat(session, "/jobs/", request.job_id));
    ASSERT_NE(job, nullptr);
    job->OnSettled([&told] { told = true; });
  };
  EXPECT_EQ(HResultOf(Install(world, session, {1}).status()),
            hr::kWuEInstallNotAllowed);
  ASSERT_TRUE(told);
  v1::Job state;
  job->Read(state);
  EXPECT_EQ(state.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(state.result_code(), v1::OPERATION_RESULT_CODE_FAILED);
  EXPECT_EQ(static_cast<HResult>(state.hresult()), hr::kWuEInstallNotAllowed);
  EXPECT_EQ(state.message(), "busy");
}

TEST(InstallJobTest, UnprivilegedCallersAreRefused) {  // UAMG-241
  World world;
  v1::CreateInstallerRequest create;
  create.set_parent(OpenName(world, kAlice));
  v1::Installer installer;
  EXPECT_EQ(HResultOf(CreateInstaller(world.core(), kAlice, create, installer)),
            hr::kEAccessdenied);
  v1::BeginInstallRequest begin;
  begin.set_installer(create.parent() + "/installers/" + std::string(32, '0'));
  v1::Job job;
  EXPECT_EQ(HResultOf(BeginInstall(world.core(), kAlice, begin, job,
                                   CancellationToken())),
            hr::kEAccessdenied);
  v1::CreateDownloaderRequest download;
  download.set_parent(create.parent());
  v1::Downloader downloader;
  EXPECT_EQ(
      HResultOf(CreateDownloader(world.core(), kAlice, download, downloader)),
      hr::kEAccessdenied);
}

TEST(InstallJobTest, GoesOnAfterARestart) {
  World world;
  world.catalog->Add(1);
  world.catalog->Add(2);
  const std::string name = *Install(world, OpenName(world, kRoot), {1, 2});
  const std::string id = name.substr(name.rfind('/') + 1);
  install::UnfinishedJob unfinished;
  unfinished.request = world.installs->begun[0];
  unfinished.results.resize(2);
  unfinished.results[0].result_code = v1::OPERATION_RESULT_CODE_SUCCEEDED;
  world.installs->unfinished.push_back(unfinished);
  world.Restart();
  EXPECT_EQ(world.installs->resumed, std::vector<std::string>{id});
  install::InstallResult good;
  good.result_code = v1::OPERATION_RESULT_CODE_SUCCEEDED;
  const auto observer = world.installs->running[id];
  observer->OnUpdateDone(1, good);
  observer->OnFinished(false);
  const v1::Job job = WaitFor(world, name);
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_SUCCEEDED);
  EXPECT_EQ(job.update_results_size(), 2);
}

TEST(InstallJobTest, OneThatTheJournalForgotIsNamed) {
  World world;
  world.catalog->Add(1);
  const std::string name = *Install(world, OpenName(world, kRoot), {1});
  world.Restart();
  const v1::Job job = WaitFor(world, name);
  EXPECT_EQ(job.result_code(), v1::OPERATION_RESULT_CODE_FAILED);
  EXPECT_EQ(job.update_results(0).hresult(), hr::kWuEServiceStop);
}

TEST(InstallJobTest, TheJournalsOrphansAreClosed) {
  World world;
  install::UnfinishedJob orphan;
  orphan.request.job_id = "gone";
  world.installs->unfinished.push_back(orphan);
  world.Restart();
  EXPECT_EQ(world.installs->resumed, std::vector<std::string>{"gone"});
}

v1::Searcher MakeSearcher(World& world, const std::string& session,
                          bool online) {
  v1::CreateSearcherRequest create;
  create.set_parent(session);
  create.mutable_searcher()->set_online(online);
  create.mutable_update_mask()->add_paths("online");
  v1::Searcher searcher;
  EXPECT_TRUE(CreateSearcher(world.core(), kAlice, create, searcher).ok());
  return searcher;
}

absl::StatusOr<std::shared_ptr<SearchJob>> Search(
    World& world, const v1::Searcher& searcher,
    const std::string& criteria = "") {
  v1::SearchRequest request;
  request.set_searcher(searcher.name());
  request.set_criteria(criteria);
  auto search = StartSearch(world.core(), kAlice, request);
  if (!search.ok()) return search.status();
  return search->job;
}

TEST(SearchJobTest, StreamsEveryRowInBoundedMessages) {
  World world;
  world.AddService();
  constexpr int kUpdates = 3000;
  for (int n = 0; n < kUpdates; ++n) {
    world.catalog->Add(n);
    world.catalog->entries[n].update.set_description(std::string(500, 'x'));
  }
  // One that is far larger than a message should be.
  world.catalog->entries[100].update.set_description(
      std::string(size_t{3} * 1024 * 1024, 'y'));
  const auto job =
      *Search(world, MakeSearcher(world, OpenName(world, kAlice), false));
  EXPECT_EQ(WaitFor(job).result_code(), v1::OPERATION_RESULT_CODE_SUCCEEDED);
  SearchReader reader(world.core(), job);
  int next = 0;
  int categories = 0;
  while (true) {
    std::vector<std::string> messages;
    ASSERT_TRUE(reader.Next(messages).ok());
    if (messages.empty()) break;
    for (const std::string& wire : messages) {
      v1::SearchResponse response;
      ASSERT_TRUE(response.ParseFromString(wire));
      for (const v1::Update& update : response.chunk().updates()) {
        EXPECT_EQ(update.identity().update_id(), UpdateId(next++));
      }
      categories += response.chunk().categories_size();
      if (response.chunk().updates_size() > 1) {
        EXPECT_LT(wire.size(), 256U * 1024 + 3U * 1024 * 1024);
      }
    }
  }
  EXPECT_EQ(next, kUpdates);
  v1::SearchResponse last;
  ASSERT_TRUE(reader.Summary(last).ok());
  EXPECT_EQ(last.summary().update_count(), kUpdates);
  EXPECT_EQ(categories, 1);
}

// What a search refreshes is everybody's.
TEST(SearchJobTest, OnlyWhoManagesServicesChoosesTheProxyOfARefresh) {
  World world;
  world.AddService();
  for (const Call& call : {kAlice, kRoot}) {
    const std::string session = OpenName(world, call);
    v1::UpdateSessionRequest update;
    update.mutable_session()->set_name(session);
    update.mutable_session()->mutable_web_proxy()->set_address("proxy:1");
    update.mutable_update_mask()->add_paths("web_proxy.address");
    update.mutable_update_mask()->add_paths("web_proxy.auto_detect");
    v1::Session changed;
    ASSERT_TRUE(UpdateSession(world.core(), call, update, changed).ok());
    v1::CreateSearcherRequest create;
    create.set_parent(session);
    v1::Searcher searcher;
    ASSERT_TRUE(CreateSearcher(world.core(), call, create, searcher).ok());
    world.clock->Advance(absl::Hours(1));
    world.repositories->proxies.clear();
    v1::SearchRequest request;
    request.set_searcher(searcher.name());
    const auto search = StartSearch(world.core(), call, request);
    ASSERT_TRUE(search.ok()) << search.status();
    WaitFor(search->job);
    const char* const expected = call.caller.is_administrator ? "proxy:1" : "";
    EXPECT_EQ(world.repositories->proxies, std::vector<std::string>{expected});
  }
}

TEST(SearchJobTest, BadQuestionsAreRefusedAtOnce) {
  World world;
  world.AddService();
  const v1::Searcher searcher =
      MakeSearcher(world, OpenName(world, kAlice), false);
  EXPECT_EQ(HResultOf(Search(world, searcher, "bad").status()),
            hr::kWuEInvalidCriteria);
  EXPECT_EQ(
      HResultOf(Search(world, searcher, std::string(40000, ' ')).status()),
      hr::kWuEInvalidCriteria);
  v1::UpdateSearcherRequest write;
  *write.mutable_searcher() = searcher;
  write.mutable_searcher()->set_search_scope(v1::SEARCH_SCOPE_ALL_USERS);
  write.mutable_update_mask()->add_paths("search_scope");
  v1::Searcher changed;
  ASSERT_TRUE(UpdateSearcher(world.core(), kAlice, write, changed).ok());
  EXPECT_EQ(HResultOf(Search(world, changed).status()),  // UAMG-094
            hr::kWuEUnsupportedSearchscope);
}

TEST(SearchJobTest, ServerSelectionIsResolved) {
  World world;
  const v1::Searcher searcher =
      MakeSearcher(world, OpenName(world, kAlice), false);
  EXPECT_EQ(HResultOf(Search(world, searcher).status()),
            hr::kWuEAuNoRegisteredService);
  world.AddService();
  EXPECT_TRUE(Search(world, searcher).ok());
  v1::UpdateSearcherRequest write;
  *write.mutable_searcher() = searcher;
  write.mutable_searcher()->set_server_selection(v1::SERVER_SELECTION_OTHERS);
  write.mutable_searcher()->set_service_id(
      "33333333-3333-4333-8333-333333333333");
  write.mutable_update_mask()->add_paths("server_selection");
  write.mutable_update_mask()->add_paths("service_id");
  v1::Searcher changed;
  ASSERT_TRUE(UpdateSearcher(world.core(), kAlice, write, changed).ok());
  EXPECT_EQ(HResultOf(Search(world, changed).status()),
            hr::kWuEDsUnknownservice);
  // UAMG-089: without OTHERS the id means nothing.
  write.mutable_searcher()->set_server_selection(v1::SERVER_SELECTION_DEFAULT);
  ASSERT_TRUE(UpdateSearcher(world.core(), kAlice, write, changed).ok());
  EXPECT_TRUE(Search(world, changed).ok());
}

TEST(SearchJobTest, AFailedRefreshIsAWarning) {  // UAMG-097
  World world;
  world.AddService();
  world.catalog->Add(1);
  world.clock->Advance(absl::Minutes(2));
  world.repositories->refresh_error = Error(hr::kCertEExpired, "expired");
  const v1::Searcher searcher =
      MakeSearcher(world, OpenName(world, kAlice), true);
  const auto job = *Search(world, searcher);
  EXPECT_EQ(WaitFor(job).result_code(),
            v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS);
  ASSERT_EQ(job->warnings().size(), 1U);
  EXPECT_EQ(job->warnings()[0].hresult(), hr::kCertEExpired);
  EXPECT_EQ(job->rows().size(), 1U);
}

TEST(SearchJobTest, OnlineSearchesShareARefreshAndOfflineOnesMakeNone) {
  World world;
  world.AddService();
  const int before = world.repositories->refreshes;
  const std::string session = OpenName(world, kAlice);
  const v1::Searcher online = MakeSearcher(world, session, true);
  WaitFor(*Search(world, online));
  EXPECT_EQ(world.repositories->refreshes, before);  // fresh enough
  world.clock->Advance(absl::Minutes(2));
  WaitFor(*Search(world, MakeSearcher(world, session, false)));  // UAMG-091
  EXPECT_EQ(world.repositories->refreshes, before);
  auto gate = std::make_shared<absl::Notification>();
  {
    absl::MutexLock lock(&world.repositories->mutex);
    world.repositories->gate = gate;
  }
  const auto first = *Search(world, online);
  const auto second = *Search(world, online);
  gate->Notify();
  WaitFor(first);
  WaitFor(second);
  EXPECT_EQ(world.repositories->refreshes, before + 1);
}

TEST(SearchJobTest, AbortEndsAtOnce) {
  World world;
  world.AddService();
  world.catalog->search_gate = std::make_shared<absl::Notification>();
  const auto job =
      *Search(world, MakeSearcher(world, OpenName(world, kAlice), false));
  EXPECT_FALSE(job->completed());
  job->RequestAbort();
  EXPECT_EQ(WaitFor(job).result_code(), v1::OPERATION_RESULT_CODE_ABORTED);
}

TEST(SearchJobTest, KeptRowsAndRunningJobsAreLimited) {
  CoreOptions options;
  options.limits.search_rows_per_caller = 10;
  options.limits.running_jobs_per_session = 1;
  World world(options);
  world.AddService();
  for (int n = 0; n < 8; ++n) world.catalog->Add(n);
  const v1::Searcher searcher =
      MakeSearcher(world, OpenName(world, kAlice), false);
  WaitFor(*Search(world, searcher));
  const v1::Job second = WaitFor(*Search(world, searcher));
  EXPECT_EQ(second.hresult(), hr::kWuEMaxCapacityReached);

  world.catalog->search_gate = std::make_shared<absl::Notification>();
  const auto running = *Search(world, searcher);
  EXPECT_EQ(SubjectOf(Search(world, searcher).status()),
            "limits.running_jobs_per_session");
  running->RequestAbort();
}

}  // namespace
}  // namespace usher::session
