// Limits of a session and of the service: each is reached, names its setting,
// and leaves what was there as it was.

#include <google/protobuf/empty.pb.h>

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/session/downloader_api.h"
#include "service/session/installer_api.h"
#include "service/session/job_api.h"
#include "service/session/search_job.h"
#include "service/session/searcher_api.h"
#include "service/session/session_api.h"
#include "spdlog/spdlog.h"
#include "tests/unit/session/calls.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/downloader.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/session.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

using ::testing::HasSubstr;
using usher::testing::CallOf;
using usher::testing::Download;
using usher::testing::Find;
using usher::testing::Keys;
using usher::testing::OpenName;
using usher::testing::TakeFetch;
using usher::testing::WaitFor;
using usher::testing::World;

const Call kRoot = CallOf("uid:0", true);

// That `status` says which limit was reached.
void ExpectReached(const absl::Status& status, const std::string& setting) {
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(HResultOf(status), hr::kWuEMaxCapacityReached) << status;
  EXPECT_EQ(SubjectOf(status), "limits." + setting);
  EXPECT_THAT(std::string(status.message()), HasSubstr("limits." + setting));
}

TEST(LimitsTest, AnEndedJobMakesRoomAndNoOther) {
  CoreOptions options;
  options.limits.jobs_per_session = 2;
  World world(options);
  for (int n = 1; n <= 3; ++n) world.catalog->Add(n);
  const std::string session = OpenName(world, kRoot);
  const std::string first = *Download(world, session, {1});
  const std::string second = *Download(world, session, {2});
  ExpectReached(Download(world, session, {3}).status(), "jobs_per_session");
  // Nobody has taken its result yet, so it may not go.
  TakeFetch(*world.downloads, 2).observer->OnDone(absl::OkStatus());
  WaitFor(world, second);
  ExpectReached(Download(world, session, {3}).status(), "jobs_per_session");

  const auto claim =
      ClaimJob(world.core(), kRoot, second, v1::JOB_KIND_DOWNLOAD);
  ASSERT_TRUE(claim.ok());
  v1::Job taken;
  ASSERT_TRUE(FinishClaim(*claim->job, taken).ok());
  const absl::StatusOr<std::string> third = Download(world, session, {3});
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ(Find(world, second), nullptr);
  EXPECT_NE(Find(world, first), nullptr);
  EXPECT_NE(Find(world, *third), nullptr);
  // It is gone from the disk, too.
  world.Restart();
  EXPECT_EQ(Find(world, second), nullptr);
  EXPECT_NE(Find(world, first), nullptr);
}

TEST(LimitsTest, UpdatesOfOneJob) {
  CoreOptions options;
  options.limits.updates_per_job = 2;
  World world(options);
  v1::CreateDownloaderRequest create;
  create.set_parent(OpenName(world, kRoot));
  *create.mutable_downloader()->mutable_updates() = Keys({1, 2, 3});
  create.mutable_update_mask()->add_paths("updates");
  v1::Downloader downloader;
  ExpectReached(CreateDownloader(world.core(), kRoot, create, downloader),
                "updates_per_job");
  *create.mutable_downloader()->mutable_updates() = Keys({1, 2});
  ASSERT_TRUE(CreateDownloader(world.core(), kRoot, create, downloader).ok());

  v1::UpdateDownloaderRequest write;
  *write.mutable_downloader() = downloader;
  *write.mutable_downloader()->mutable_updates() = Keys({1, 2, 3});
  write.mutable_update_mask()->add_paths("updates");
  ExpectReached(UpdateDownloader(world.core(), kRoot, write, downloader),
                "updates_per_job");
  v1::GetDownloaderRequest get;
  get.set_name(write.downloader().name());
  ASSERT_TRUE(GetDownloader(world.core(), kRoot, get, downloader).ok());
  EXPECT_EQ(downloader.updates_size(), 2);

  v1::CreateInstallerRequest install;
  install.set_parent(create.parent());
  *install.mutable_installer()->mutable_updates() = Keys({1, 2, 3});
  install.mutable_update_mask()->add_paths("updates");
  v1::Installer installer;
  ExpectReached(CreateInstaller(world.core(), kRoot, install, installer),
                "updates_per_job");
}

TEST(LimitsTest, WatchesOfSessionAndJobsTogether) {
  CoreOptions options;
  options.limits.watches_per_session = 2;
  World world(options);
  world.catalog->Add(1);
  v1::WatchSessionRequest watch;
  watch.set_name(OpenName(world, kRoot));
  const std::string job = *Download(world, watch.name(), {1});
  const auto hold = [&]() {
    v1::SessionEvent event;
    return HoldSession(world.core(), kRoot, watch, event,
                       [](SessionEnd /*end*/) {});
  };
  auto held = hold();
  ASSERT_TRUE(held.ok());
  auto watched = WatchJob(world.core(), kRoot, job);
  ASSERT_TRUE(watched.ok());
  ExpectReached(hold().status(), "watches_per_session");
  ExpectReached(WatchJob(world.core(), kRoot, job).status(),
                "watches_per_session");
  watched->place.reset();
  EXPECT_TRUE(WatchJob(world.core(), kRoot, job).ok());
  held->reset();
  EXPECT_TRUE(hold().ok());
}

TEST(LimitsTest, CriteriaBytes) {
  CoreOptions options;
  options.limits.criteria_bytes = 13;
  World world(options);
  world.AddService();
  v1::CreateSearcherRequest create;
  create.set_parent(OpenName(world, kRoot));
  v1::Searcher searcher;
  ASSERT_TRUE(CreateSearcher(world.core(), kRoot, create, searcher).ok());
  v1::SearchRequest search;
  search.set_searcher(searcher.name());
  search.set_criteria("IsInstalled=0");
  v1::Job job;
  EXPECT_TRUE(BeginSearch(world.core(), kRoot, search, job).ok());
  search.set_criteria("IsInstalled=0 ");
  const absl::Status status = BeginSearch(world.core(), kRoot, search, job);
  EXPECT_EQ(HResultOf(status), hr::kWuEInvalidCriteria);
  EXPECT_EQ(SubjectOf(status), "criteria");
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("14 bytes; limits.criteria_bytes allows 13"));
}

TEST(LimitsTest, Services) {
  CoreOptions options;
  options.services.max_services = 1;
  World world(options);
  world.AddService();
  NewService other;
  other.url = "http://other";
  other.root = "root";
  ExpectReached(
      world.core().services().Add(other, {}, CancellationToken()).status(),
      "services");
  EXPECT_EQ(world.core().services().List().size(), 1U);
  world.AddService();  // the one that is known is no other
  ASSERT_TRUE(world.core().services().Remove(usher::testing::kServiceId).ok());
  EXPECT_TRUE(world.core().services().Add(other, {}, CancellationToken()).ok());
}

// A job goes whole into a message: GetJob, WatchJob's last event, End….
TEST(LimitsTest, TheLargestJobFitsIntoAMessage) {
  World world;
  const auto hooks = world.core().job_hooks();
  class Filled : public Job {
   public:
    using Job::Job;
    void Fill(int updates) {
      for (int i = 0; i < updates; ++i) {
        v1::UpdateResult result;
        result.set_update_index(i);
        result.set_result_code(v1::OPERATION_RESULT_CODE_FAILED);
        result.set_hresult(hr::kWuEUhInstallerfailure);
        result.set_unmapped_result_code(-1);
        result.set_reboot_required(true);
        result.set_message(std::string(100'000, 'x'));
        SetResult(result);
      }
      Complete(v1::OPERATION_RESULT_CODE_FAILED, hr::kWuEAllUpdatesFailed,
               std::string(100'000, 'x'));
    }
  };
  v1::Job initial;
  initial.set_kind(v1::JOB_KIND_SEARCH);  // is not kept on disk
  std::vector<int> numbers(kMaxUpdatesPerJob);
  for (int i = 0; i < kMaxUpdatesPerJob; ++i) numbers[i] = i;
  *initial.mutable_updates() = Keys(numbers);
  // Thousands of lines help nobody.
  const spdlog::level::level_enum level = spdlog::get_level();
  spdlog::set_level(spdlog::level::off);
  const auto job = std::make_shared<Filled>(
      hooks, initial, std::string(32, '0'), std::string(32, '1'));
  job->Fill(kMaxUpdatesPerJob);
  spdlog::set_level(level);
  v1::Job state;
  job->Read(state);
  EXPECT_EQ(state.update_results_size(), kMaxUpdatesPerJob);
  EXPECT_LT(state.ByteSizeLong(), size_t{4} * 1024 * 1024 - size_t{64} * 1024);
  // Cut at a character's border, visibly.
  EXPECT_LE(state.update_results(7).message().size(), kMaxResultMessageBytes);
  EXPECT_THAT(state.update_results(7).message(), ::testing::EndsWith("x…"));
  EXPECT_LE(state.message().size(), kMaxResultMessageBytes);
}

}  // namespace
}  // namespace usher::session
