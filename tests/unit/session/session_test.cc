// Sessions: keys, attaching, isolation, limits, expiry, read-only.

#include <google/protobuf/empty.pb.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/session/downloader_api.h"
#include "service/session/installer_api.h"
#include "service/session/job.h"
#include "service/session/job_api.h"
#include "service/session/machine_api.h"
#include "service/session/searcher_api.h"
#include "service/session/session_api.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/downloader.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/job.pb.h"
#include "usher/v1/searcher.pb.h"
#include "usher/v1/session.pb.h"
#include "usher/v1/update_state.pb.h"

namespace usher::session {
namespace {

using ::testing::HasSubstr;
using usher::testing::CallOf;
using usher::testing::World;

const Call kAlice = CallOf("uid:1001");
const Call kBob = CallOf("uid:1002");
const Call kRoot = CallOf("uid:0", true);

absl::StatusOr<v1::OpenSessionResponse> Open(World& world, const Call& call,
                                             const std::string& id,
                                             bool read_only = false) {
  v1::OpenSessionRequest request;
  request.set_client_application_id(id);
  request.set_read_only(read_only);
  v1::OpenSessionResponse response;
  const absl::Status status =
      OpenSession(world.core(), call, request, response);
  if (!status.ok()) return status;
  return response;
}

std::string OpenName(World& world, const Call& call, const std::string& id) {
  return Open(world, call, id)->session().name();
}

absl::Status Get(World& world, const Call& call, const std::string& name) {
  v1::GetSessionRequest request;
  request.set_name(name);
  v1::Session session;
  return GetSession(world.core(), call, request, session);
}

TEST(SessionTest, SecondOpenOfTheSameKeyAttaches) {
  World world;
  const auto first = Open(world, kAlice, "till");
  const auto second = Open(world, kAlice, "till");
  EXPECT_FALSE(first->attached());
  EXPECT_TRUE(second->attached());
  EXPECT_EQ(first->session().name(), second->session().name());
  EXPECT_EQ(first->session().owner(), "uid:1001");
  EXPECT_NE(OpenName(world, kAlice, "other"), first->session().name());
}

TEST(SessionTest, EmptyApplicationIdReadsUnknown) {
  World world;
  EXPECT_EQ(Open(world, kAlice, "")->session().client_application_id(),
            "Unknown");
  EXPECT_TRUE(Open(world, kAlice, "Unknown")->attached());
}

TEST(SessionTest, ApplicationIdIsChecked) {
  World world;
  for (const std::string& bad :
       {std::string(257, 'x'), std::string("a\nb"), std::string("\xff")}) {
    const auto opened = Open(world, kAlice, bad);
    EXPECT_EQ(HResultOf(opened.status()), hr::kEInvalidarg) << bad;
    EXPECT_EQ(SubjectOf(opened.status()), "client_application_id");
  }
}

TEST(SessionTest, AnotherUsersNamesAreUnknown) {
  World world;
  world.AddService();
  const std::string hers = OpenName(world, kAlice, "same");
  const std::string his = OpenName(world, kBob, "same");
  EXPECT_NE(hers, his);

  const absl::Status foreign = Get(world, kBob, hers);
  const std::string never = "sessions/" + std::string(32, '0');
  const absl::Status unknown = Get(world, kBob, never);
  EXPECT_EQ(foreign.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(foreign.code(), unknown.code());
  EXPECT_EQ(HResultOf(foreign), HResultOf(unknown));
  EXPECT_EQ(std::string(foreign.message()), "there is no " + hers);
  EXPECT_EQ(std::string(unknown.message()), "there is no " + never);
  // Nor is an administrator let into somebody's session.
  EXPECT_EQ(Get(world, kRoot, hers).code(), absl::StatusCode::kNotFound);

  v1::CreateSearcherRequest create;
  create.set_parent(hers);
  v1::Searcher searcher;
  EXPECT_EQ(CreateSearcher(world.core(), kBob, create, searcher).code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(CreateSearcher(world.core(), kAlice, create, searcher).ok());
  v1::SearchRequest search;
  search.set_searcher(searcher.name());
  v1::Job job;
  ASSERT_TRUE(BeginSearch(world.core(), kAlice, search, job).ok());
  EXPECT_EQ(BeginSearch(world.core(), kBob, search, job).code(),
            absl::StatusCode::kNotFound);
  v1::GetJobRequest get_job;
  get_job.set_name(job.name());
  EXPECT_EQ(GetJob(world.core(), kBob, get_job, job).code(),
            absl::StatusCode::kNotFound);
  v1::RequestAbortRequest abort;
  abort.set_name(get_job.name());
  EXPECT_EQ(RequestAbort(world.core(), kBob, abort, job).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ClaimJob(world.core(), kBob, get_job.name(), v1::JOB_KIND_SEARCH)
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  v1::CloseSessionRequest close;
  close.set_name(hers);
  google::protobuf::Empty empty;
  EXPECT_EQ(CloseSession(world.core(), kBob, close, empty).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(Get(world, kAlice, hers).ok());
}

TEST(SessionTest, ListsOnesOwnAndAllForAdministrators) {
  World world;
  const std::string hers = OpenName(world, kAlice, "a");
  OpenName(world, kBob, "b");
  v1::ListSessionsRequest request;
  v1::ListSessionsResponse mine;
  ASSERT_TRUE(ListSessions(world.core(), kAlice, request, mine).ok());
  ASSERT_EQ(mine.sessions_size(), 1);
  EXPECT_EQ(mine.sessions(0).name(), hers);
  request.set_all_callers(true);
  EXPECT_EQ(HResultOf(ListSessions(world.core(), kAlice, request, mine)),
            hr::kEAccessdenied);
  v1::ListSessionsResponse all;
  ASSERT_TRUE(ListSessions(world.core(), kRoot, request, all).ok());
  EXPECT_EQ(all.sessions_size(), 2);
}

TEST(SessionTest, ThePlacesOfAdministratorsAreLimited) {
  CoreOptions options;
  options.limits.sessions = 1;
  World world(options);
  OpenName(world, kAlice, "a");
  for (int i = 0; i < kSessionsForAdministrators; ++i) {
    EXPECT_TRUE(Open(world, kRoot, std::to_string(i)).ok());
  }
  EXPECT_EQ(SubjectOf(Open(world, kRoot, "more").status()), "limits.sessions");
}

TEST(SessionTest, AdministratorsCloseAnybodysAndOthersTheirOwn) {
  World world;
  const std::string hers = OpenName(world, kAlice, "a");
  v1::CloseSessionRequest request;
  google::protobuf::Empty empty;
  request.set_name(hers);
  EXPECT_EQ(CloseSession(world.core(), kBob, request, empty).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(Get(world, kAlice, hers).ok());
  EXPECT_TRUE(CloseSession(world.core(), kRoot, request, empty).ok());
  EXPECT_EQ(Get(world, kAlice, hers).code(), absl::StatusCode::kNotFound);
  const absl::Status again = CloseSession(world.core(), kRoot, request, empty);
  EXPECT_EQ(again.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(SubjectOf(again), hers);
}

TEST(SessionTest, MalformedNamesAreArguments) {
  World world;
  for (const char* name : {"", "sessions/", "sessions/XYZ", "sessions/../x",
                           "searchers/00000000000000000000000000000000"}) {
    EXPECT_EQ(HResultOf(Get(world, kAlice, name)), hr::kEInvalidarg) << name;
  }
}

TEST(SessionTest, LimitsNameTheirSetting) {
  CoreOptions options;
  options.limits.sessions_per_caller = 2;
  options.limits.sessions = 3;
  options.limits.objects_per_session = 1;
  World world(options);
  const std::string first = OpenName(world, kAlice, "1");
  OpenName(world, kAlice, "2");
  const auto third = Open(world, kAlice, "3");
  EXPECT_EQ(HResultOf(third.status()), hr::kWuEMaxCapacityReached);
  EXPECT_EQ(third.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(SubjectOf(third.status()), "limits.sessions_per_caller");
  EXPECT_TRUE(Open(world, kAlice, "1")->attached());  // not another session
  OpenName(world, kBob, "1");
  EXPECT_EQ(SubjectOf(Open(world, kBob, "2").status()), "limits.sessions");
  // Others together do not shut administrators out.
  for (const char* id : {"1", "2"}) {
    EXPECT_TRUE(Open(world, kRoot, id).ok());
  }
  EXPECT_EQ(SubjectOf(Open(world, kRoot, "3").status()),
            "limits.sessions_per_caller");
  EXPECT_EQ(SubjectOf(Open(world, kBob, "2").status()), "limits.sessions");

  v1::CreateSearcherRequest create;
  create.set_parent(first);
  v1::Searcher searcher;
  ASSERT_TRUE(CreateSearcher(world.core(), kAlice, create, searcher).ok());
  const absl::Status full =
      CreateSearcher(world.core(), kAlice, create, searcher);
  EXPECT_EQ(SubjectOf(full), "limits.objects_per_session");
  v1::DeleteSearcherRequest remove;
  remove.set_name(searcher.name());
  google::protobuf::Empty empty;
  // The second was not made; its name, which the failed call filled, is of no
  // use to anyone.
  EXPECT_EQ(DeleteSearcher(world.core(), kAlice, remove, empty).code(),
            absl::StatusCode::kNotFound);
}

TEST(SessionTest, ExpiresWhenIdleButNotWhenHeld) {
  World world;
  const std::string idle = OpenName(world, kAlice, "idle");
  const std::string held = OpenName(world, kAlice, "held");
  v1::WatchSessionRequest watch;
  watch.set_name(held);
  v1::SessionEvent event;
  auto hold = HoldSession(world.core(), kAlice, watch, event,
                          [](SessionEnd /*end*/) {});
  ASSERT_TRUE(hold.ok());
  EXPECT_EQ(event.kind(), v1::SessionEvent::KIND_ATTACHED);
  EXPECT_EQ(event.idle_timeout().seconds(), 600);

  world.clock->Advance(absl::Minutes(9));
  world.core().sessions().ExpireIdle();
  EXPECT_EQ(world.core().sessions().Count(), 2);
  EXPECT_TRUE(Get(world, kAlice, idle).ok());  // a use: counts from here
  world.clock->Advance(absl::Minutes(9));
  world.core().sessions().ExpireIdle();
  EXPECT_EQ(world.core().sessions().Count(), 2);
  world.clock->Advance(absl::Minutes(2));
  world.core().sessions().ExpireIdle();
  EXPECT_EQ(Get(world, kAlice, idle).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Get(world, kAlice, held).ok());
  EXPECT_FALSE(Open(world, kAlice, "idle")->attached());

  hold->reset();
  world.clock->Advance(absl::Minutes(11));
  world.core().sessions().ExpireIdle();
  EXPECT_EQ(world.core().sessions().Count(), 0);
}

TEST(SessionTest, TheTimerExpiresByItself) {
  Limits limits;
  limits.session_idle_timeout = absl::Milliseconds(20);
  const Clock clock;
  Timers timers;
  absl::Notification closed;
  SessionManager manager(
      limits, clock, timers,
      {nullptr, [&closed](const std::shared_ptr<Session>& session) {
         EXPECT_EQ(session->key().client_application_id, "idle");
         closed.Notify();
       }});
  ASSERT_TRUE(manager.Open({"uid:1", false}, "idle", false, "en").ok());
  closed.WaitForNotification();
  EXPECT_EQ(manager.Count(), 0);
  timers.Stop();
}

TEST(SessionTest, HoldersAreToldOfTheEnd) {
  World world;
  const std::string name = OpenName(world, kBob, "closed");
  v1::WatchSessionRequest watch;
  watch.set_name(name);
  v1::SessionEvent event;
  std::vector<SessionEnd> ends;
  const auto hold =
      HoldSession(world.core(), kBob, watch, event,
                  [&ends](SessionEnd end) { ends.push_back(end); });
  ASSERT_TRUE(hold.ok());
  v1::CloseSessionRequest close;
  close.set_name(name);
  google::protobuf::Empty empty;
  ASSERT_TRUE(CloseSession(world.core(), kBob, close, empty).ok());
  EXPECT_EQ(ends, std::vector<SessionEnd>{SessionEnd::kClosed});
}

TEST(SessionTest, TheFirstEventIsThereBeforeTheEndCanCome) {
  World world;
  v1::WatchSessionRequest watch;
  watch.set_name(OpenName(world, kAlice, "ended"));
  const auto session = world.core().sessions().Find(
      kAlice.caller, watch.name().substr(watch.name().find('/') + 1));
  ASSERT_TRUE(session.ok());
  // Somebody ends the streams as fast as they are made.
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) (*session)->TellStopping();
  });
  std::atomic<int> told{0};
  std::atomic<int> too_early{0};
  // Each event must be there for a callback that is under way at the end.
  for (int i = 0; i < 2000 || told < 100; ++i) {
    const auto event = std::make_shared<v1::SessionEvent>();
    const auto hold = HoldSession(
        world.core(), kAlice, watch, *event, [&, event](SessionEnd /*end*/) {
          ++told;
          if (event->kind() != v1::SessionEvent::KIND_ATTACHED ||
              event->idle_timeout().seconds() != 600) {
            ++too_early;
          }
        });
    ASSERT_TRUE(hold.ok());
  }
  done = true;
  other.join();
  EXPECT_EQ(too_early, 0);
}

TEST(SessionTest, PropertiesAreWrittenByMaskAndChecked) {
  World world;
  const std::string name = OpenName(world, kAlice, "props");
  v1::UpdateSessionRequest request;
  request.mutable_session()->set_name(name);
  request.mutable_session()->set_user_locale("pt-BR");
  request.mutable_session()->mutable_web_proxy()->set_address("proxy:3128");
  request.mutable_session()->mutable_web_proxy()->set_password("secret");
  v1::Session session;
  // Nothing named, nothing written.
  EXPECT_EQ(SubjectOf(UpdateSession(world.core(), kAlice, request, session)),
            "update_mask");
  request.mutable_update_mask()->add_paths("user_locale");
  ASSERT_TRUE(UpdateSession(world.core(), kAlice, request, session).ok());
  EXPECT_EQ(session.user_locale(), "pt-BR");
  EXPECT_EQ(session.web_proxy().address(), "");
  request.mutable_update_mask()->add_paths("web_proxy.address");
  request.mutable_update_mask()->add_paths("web_proxy.password");
  ASSERT_TRUE(UpdateSession(world.core(), kAlice, request, session).ok());
  EXPECT_EQ(session.web_proxy().address(), "proxy:3128");
  EXPECT_TRUE(session.web_proxy().auto_detect());
  EXPECT_EQ(session.web_proxy().password(), "");

  request.mutable_session()->set_user_locale("not a locale");
  const absl::Status bad =
      UpdateSession(world.core(), kAlice, request, session);
  EXPECT_EQ(HResultOf(bad), hr::kEInvalidarg);
  EXPECT_EQ(SubjectOf(bad), "session.user_locale");
  request.mutable_session()->set_user_locale("de");
  request.mutable_session()->mutable_web_proxy()->set_address("proxy");
  EXPECT_EQ(HResultOf(UpdateSession(world.core(), kAlice, request, session)),
            hr::kWuEInvalidProxyServer);
  v1::GetSessionRequest get;
  get.set_name(name);
  ASSERT_TRUE(GetSession(world.core(), kAlice, get, session).ok());
  EXPECT_EQ(session.user_locale(), "pt-BR");  // all or nothing

  for (const char* path : {"owner", "client_application_id", "nonsense",
                           "web_proxy.nonsense", "user_locale.x"}) {
    request.mutable_update_mask()->Clear();
    request.mutable_update_mask()->add_paths(path);
    EXPECT_THAT(
        std::string(
            UpdateSession(world.core(), kAlice, request, session).message()),
        HasSubstr(path));
  }
}

TEST(SessionTest, ReadOnlySessionsRefuseSettersAndMakers) {
  World world;
  world.entries.clear();
  const auto opened = Open(world, kRoot, "ro", /*read_only=*/true);
  const std::string name = opened->session().name();
  EXPECT_TRUE(opened->session().read_only());
  EXPECT_EQ(Open(world, kRoot, "ro").status().code(),
            absl::StatusCode::kFailedPrecondition);

  v1::UpdateSessionRequest update;
  update.mutable_session()->set_name(name);
  update.mutable_update_mask()->add_paths("user_locale");
  v1::Session session;
  EXPECT_EQ(HResultOf(UpdateSession(world.core(), kRoot, update, session)),
            hr::kWuENotSupported);
  v1::CreateDownloaderRequest downloader;
  downloader.set_parent(name);
  v1::Downloader made;
  EXPECT_EQ(HResultOf(CreateDownloader(world.core(), kRoot, downloader, made)),
            hr::kEAccessdenied);
  v1::CreateInstallerRequest installer;
  installer.set_parent(name);
  v1::Installer made_installer;
  EXPECT_EQ(HResultOf(CreateInstaller(world.core(), kRoot, installer,
                                      made_installer)),
            hr::kEAccessdenied);
  v1::CreateSearcherRequest create;
  create.set_parent(name);
  v1::Searcher searcher;
  ASSERT_TRUE(CreateSearcher(world.core(), kRoot, create, searcher).ok());
  v1::UpdateSearcherRequest write;
  write.mutable_searcher()->set_name(searcher.name());
  write.mutable_update_mask()->add_paths("online");
  EXPECT_EQ(HResultOf(UpdateSearcher(world.core(), kRoot, write, searcher)),
            hr::kWuENotSupported);
  v1::SetUpdateHiddenRequest hide;
  hide.set_session(name);
  v1::Update hidden;
  EXPECT_EQ(HResultOf(SetUpdateHidden(world.core(), kRoot, hide, hidden,
                                      CancellationToken())),
            hr::kWuENotSupported);
}

TEST(SessionTest, SearcherDefaultsAndCopiesFromItsSession) {
  World world;
  const std::string name = OpenName(world, kAlice, "copies");
  v1::CreateSearcherRequest create;
  create.set_parent(name);
  v1::Searcher searcher;
  ASSERT_TRUE(CreateSearcher(world.core(), kAlice, create, searcher).ok());
  EXPECT_EQ(searcher.client_application_id(), "copies");
  EXPECT_EQ(searcher.user_locale(), "en");
  EXPECT_TRUE(searcher.online());
  EXPECT_FALSE(searcher.can_automatically_upgrade_service());
  EXPECT_FALSE(searcher.include_potentially_superseded_updates());
  EXPECT_FALSE(searcher.ignore_download_priority());
  EXPECT_EQ(searcher.server_selection(), 0);
  EXPECT_EQ(searcher.search_scope(), 0);
  EXPECT_EQ(searcher.service_id(), "");

  // UAMG-021: a later locale does not reach it.
  v1::UpdateSessionRequest update;
  update.mutable_session()->set_name(name);
  update.mutable_session()->set_user_locale("de");
  update.mutable_update_mask()->add_paths("user_locale");
  v1::Session session;
  ASSERT_TRUE(UpdateSession(world.core(), kAlice, update, session).ok());
  v1::GetSearcherRequest get;
  get.set_name(searcher.name());
  ASSERT_TRUE(GetSearcher(world.core(), kAlice, get, searcher).ok());
  EXPECT_EQ(searcher.user_locale(), "en");

  v1::UpdateSearcherRequest write;
  write.mutable_searcher()->set_name(searcher.name());
  write.mutable_searcher()->set_server_selection(
      static_cast<v1::ServerSelection>(9));
  write.mutable_update_mask()->add_paths("server_selection");
  v1::Searcher changed;
  EXPECT_EQ(SubjectOf(UpdateSearcher(world.core(), kAlice, write, changed)),
            "searcher.server_selection");
}

TEST(SessionTest, SessionsComeBackAfterARestart) {
  World world;
  const std::string name = OpenName(world, kAlice, "stays");
  v1::UpdateSessionRequest update;
  update.mutable_session()->set_name(name);
  update.mutable_session()->set_user_locale("de");
  update.mutable_session()->mutable_web_proxy()->set_address("proxy:1");
  update.mutable_update_mask()->add_paths("user_locale");
  update.mutable_update_mask()->add_paths("web_proxy.address");
  v1::Session session;
  ASSERT_TRUE(UpdateSession(world.core(), kAlice, update, session).ok());
  const std::string closed = OpenName(world, kAlice, "closed");
  v1::CloseSessionRequest close;
  close.set_name(closed);
  google::protobuf::Empty empty;
  ASSERT_TRUE(CloseSession(world.core(), kAlice, close, empty).ok());

  world.Restart();
  const auto again = Open(world, kAlice, "stays");
  EXPECT_TRUE(again->attached());
  EXPECT_EQ(again->session().name(), name);
  EXPECT_EQ(again->session().user_locale(), "de");
  EXPECT_EQ(again->session().web_proxy().address(), "proxy:1");
  EXPECT_FALSE(Open(world, kAlice, "closed")->attached());
  EXPECT_FALSE(Open(world, kBob, "stays")->attached());
}

}  // namespace
}  // namespace usher::session
