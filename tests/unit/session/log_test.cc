// What the log tells about a job: one line for each update, and all lines under
// the id of the call that began it.

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/session/lookup.h"
#include "service/session/search_job.h"
#include "service/session/searcher_api.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"
#include "tests/unit/session/calls.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/searcher.pb.h"

namespace usher::session {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using usher::testing::CallOf;
using usher::testing::Download;
using usher::testing::Install;
using usher::testing::kServiceId;
using usher::testing::OpenName;
using usher::testing::TakeFetch;
using usher::testing::UpdateId;
using usher::testing::WaitFor;
using usher::testing::World;

const Call kRoot = CallOf("uid:0", true);

// Takes what is logged, as long as it lives.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    auto logger = std::make_shared<spdlog::logger>("captured", sink);
    logger->set_pattern("%l %v");
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(logger);
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // The lines that have `text`. Nothing may be logged at this moment.
  std::vector<std::string> With(const std::string& text) const {
    std::vector<std::string> lines;
    for (const absl::string_view line : absl::StrSplit(text_.str(), '\n')) {
      if (absl::StrContains(line, text)) lines.emplace_back(line);
    }
    return lines;
  }

 private:
  const std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

TEST(LogTest, EachUpdateOfADownloadHasItsLine) {
  World world;
  for (const int n : {1, 2, 3}) world.catalog->Add(n);
  world.catalog->entries[3].state.is_installed = true;
  LogCapture log;
  const std::string job = *Download(world, OpenName(world, kRoot), {1, 2, 3});
  TakeFetch(*world.downloads, 1).observer->OnDone(absl::OkStatus());
  // What a server says must not write a line of its own.
  TakeFetch(*world.downloads, 2)
      .observer->OnDone(Error(hr::kWuEDmIncorrectfilehash,
                              "flipped\ncall request_id=forged"));
  WaitFor(world, job);
  world.Stop();

  const std::string common =
      absl::StrCat("update request_id=request-1 job=", job,
                   " kind=JOB_KIND_DOWNLOAD service=", kServiceId, " update=");
  EXPECT_THAT(log.With(common + UpdateId(1)),
              ElementsAre(AllOf(HasSubstr("info "), HasSubstr(" revision=1 "),
                                HasSubstr("CODE_SUCCEEDED hresult=0x00000000 "
                                          "duration_ms="),
                                Not(HasSubstr("message=")))));
  EXPECT_THAT(log.With(common + UpdateId(2)),
              ElementsAre(AllOf(HasSubstr("warning "),
                                HasSubstr("CODE_FAILED hresult=0x80246002"),
                                HasSubstr("flipped\\ncall"))));
  EXPECT_THAT(log.With(common + UpdateId(3)),
              ElementsAre(HasSubstr("hresult=0x00240006")));
  EXPECT_THAT(log.With("forged"), ::testing::SizeIs(1));
}

TEST(LogTest, NobodysUpdatesFillTheLog) {
  constexpr int kUpdates = 300;
  for (const bool administrator : {false, true}) {
    CoreOptions options;
    options.policy.users_may_download = true;
    World world(options);
    std::vector<int> updates;
    for (int n = 1; n <= kUpdates; ++n) {
      world.catalog->Add(n);
      world.catalog->entries[n].state.is_installed = true;  // nothing to do
      updates.push_back(n);
    }
    LogCapture log;
    const Call call = CallOf("uid:1001", administrator);
    const std::string job = *Download(world, OpenName(world, call), updates,
                                      /*forced=*/false, call);
    WaitFor(FindJob(world.core(), call, job)->job);
    world.Stop();
    if (administrator) {
      EXPECT_THAT(log.With("update request_id="), ::testing::SizeIs(kUpdates));
    } else {
      EXPECT_THAT(log.With("update request_id="),
                  ::testing::SizeIs(::testing::Lt(100)));
      EXPECT_THAT(log.With("uid:1001"),
                  Contains(HasSubstr("more are suppressed")));
    }
  }
}

TEST(LogTest, EachUpdateOfAnInstallationHasItsLineOnce) {
  World world;
  world.catalog->Add(1);
  world.catalog->Add(2);
  LogCapture log;
  const std::string job = *Install(world, OpenName(world, kRoot), {1, 2});
  const auto observer = world.installs->running[job.substr(job.rfind('/') + 1)];
  observer->OnProgress(0, 0);
  install::InstallResult bad;
  bad.result_code = v1::OPERATION_RESULT_CODE_FAILED;
  bad.hresult = hr::kWuEUhInstallerfailure;
  bad.message = "the installer failed with code 7";
  observer->OnUpdateDone(0, bad);
  install::InstallResult aborted;
  aborted.result_code = v1::OPERATION_RESULT_CODE_ABORTED;
  aborted.hresult = hr::kWuECallCancelled;
  observer->OnUpdateDone(1, aborted);
  observer->OnUpdateDone(1, bad);  // final is final
  observer->OnFinished(false);
  WaitFor(world, job);
  world.Stop();

  const std::string common =
      absl::StrCat("update request_id=request-1 job=", job,
                   " kind=JOB_KIND_INSTALLATION service=", kServiceId);
  EXPECT_THAT(
      log.With(common),
      ElementsAre(AllOf(HasSubstr("warning "), HasSubstr(UpdateId(1)),
                        HasSubstr("message=the installer failed with code 7")),
                  AllOf(HasSubstr("info "), HasSubstr(UpdateId(2)),
                        HasSubstr("CODE_ABORTED"))));
}

TEST(LogTest, ARefreshIsUnderTheIdOfTheSearchThatWantedIt) {
  World world;
  world.AddService();
  world.clock->Advance(absl::Hours(1));
  v1::CreateSearcherRequest create;
  create.set_parent(OpenName(world, kRoot));
  v1::Searcher searcher;
  ASSERT_TRUE(CreateSearcher(world.core(), kRoot, create, searcher).ok());
  v1::SearchRequest request;
  request.set_searcher(searcher.name());
  LogCapture log;
  Call call = kRoot;
  call.request_id = "search-1";
  const auto search = [&] {
    // Searches must go before the core does.
    const auto begun = StartSearch(world.core(), call, request);
    ASSERT_TRUE(begun.ok());
    WaitFor(begun->job);
  };
  search();
  world.repositories->refresh_error =
      Error(hr::kWuEPtWinhttpNameNotResolved, "no such host");
  world.clock->Advance(absl::Hours(1));
  call.request_id = "search-2";
  search();
  world.Stop();

  EXPECT_THAT(
      log.With("refresh request_id=search-1"),
      ElementsAre(AllOf(HasSubstr(kServiceId), HasSubstr("changed=true"),
                        HasSubstr("duration_ms="))));
  EXPECT_THAT(log.With("refresh request_id=search-2"),
              ElementsAre(AllOf(HasSubstr("warning "), HasSubstr(kServiceId),
                                HasSubstr("failed hresult=0x"),
                                HasSubstr("error=no such host"))));
  // Beginning, refresh and end.
  EXPECT_THAT(log.With("request_id=search-1"), ::testing::SizeIs(3));
}

}  // namespace
}  // namespace usher::session
