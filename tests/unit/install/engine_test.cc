// What the engine promises about whole jobs; UAMG numbers as in the API
// reference.

#include "service/install/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/install/payloads.h"
#include "tests/unit/install/temp_dir.h"
#include "tests/unit/install/waiting_installer.h"
#include "tests/unit/install/world.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Key;
using test::Watcher;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kSucceeded = v1::OPERATION_RESULT_CODE_SUCCEEDED;
constexpr int kFailed = v1::OPERATION_RESULT_CODE_FAILED;
constexpr int kAborted = v1::OPERATION_RESULT_CODE_ABORTED;

// An installer that does nothing, so that a crash leaves nothing of it.
class IdleHandler : public Handler {
 public:
  absl::Status Prepare(const Attempt& /*attempt*/) override {
    return absl::OkStatus();
  }
  ApplyResult Apply(const Attempt& /*attempt*/) override { return {}; }
  absl::Status Commit(const Attempt& /*attempt*/) override {
    return absl::OkStatus();
  }
  absl::Status Undo(const Attempt& /*attempt*/, bool /*applying*/) override {
    return absl::OkStatus();
  }
  absl::StatusOr<Recovery> Recover(const Attempt& /*attempt*/) override {
    Recovery recovery;
    recovery.state = Recovery::State::kUndone;
    return recovery;
  }
};

// An installer that shuts the machine down when it is done.
class RestartingHandler : public IdleHandler {
 public:
  ApplyResult Apply(const Attempt& /*attempt*/) override {
    ApplyResult result;
    result.outcome.reboot_required = true;
    result.outcome.restart_mandatory = true;
    return result;
  }
};

class CountingHandler : public IdleHandler {
 public:
  explicit CountingHandler(int& runs) : runs_(runs) {}
  ApplyResult Apply(const Attempt& /*attempt*/) override {
    ++runs_;
    return {};
  }

 private:
  int& runs_;
};

// An installer that is not done before the service stops.
class EndlessHandler : public IdleHandler {
 public:
  enum class Within { kPrepare, kApply };
  EndlessHandler(Within within, absl::Notification& reached)
      : within_(within), reached_(reached) {}
  absl::Status Prepare(const Attempt& attempt) override {
    return within_ == Within::kPrepare ? Work(attempt) : absl::OkStatus();
  }
  ApplyResult Apply(const Attempt& attempt) override {
    return {Work(attempt), {}};
  }

 private:
  absl::Status Work(const Attempt& attempt) {
    reached_.Notify();
    attempt.interrupt.WaitFor(absl::InfiniteDuration());
    return CancelledError();
  }

  const Within within_;
  absl::Notification& reached_;
};
using Within = EndlessHandler::Within;

// A database that a disk has trouble with.
class FlakyDatabase : public store::Database {
 public:
  explicit FlakyDatabase(store::Database& real) : real_(real) {}
  void FailNextRead() { fail_ = true; }

  absl::Status Read(
      absl::FunctionRef<absl::Status(store::Connection&)> body) override {
    if (fail_.exchange(false)) {
      return Error(hr::kWuEDsUnexpected, "the disk cannot be read");
    }
    return real_.Read(body);
  }
  absl::Status Write(
      absl::FunctionRef<absl::Status(store::Connection&)> body) override {
    return real_.Write(body);
  }
  absl::StatusOr<int> SchemaVersion() override { return real_.SchemaVersion(); }

 private:
  store::Database& real_;
  std::atomic<bool> fail_ = false;
};

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(world_.Start().ok()); }
  // An update of the handler that the engine is started with.
  catalog::UpdateKey AddMsi(int n) {
    auto update = test::World::NewUpdate(Key(n));
    update.mutable_handler()->mutable_msi();
    world_.catalog().Add(update);
    return Key(n);
  }
  catalog::UpdateKey AddBundle(int n,
                               const std::vector<catalog::UpdateKey>& parts) {
    auto bundle = test::World::NewUpdate(Key(n));
    for (const auto& part : parts) {
      auto* key = bundle.mutable_update()->add_bundled_updates();
      key->set_update_id(part.update_id);
      key->set_revision_number(part.revision);
    }
    world_.catalog().Add(bundle);
    return Key(n);
  }
  Engine& engine() { return world_.engine(); }
  absl::Status Begin(const InstallRequest& request,
                     std::shared_ptr<Watcher> watcher = nullptr,
                     const CancellationToken& cancel = CancellationToken()) {
    if (watcher == nullptr) {
      watcher = std::make_shared<Watcher>(request.updates.size());
    }
    return engine().Begin(request, watcher, cancel);
  }
  // Starts the service, begins the job or goes on with it, and stops the
  // service again in the middle of its first msi update.
  void StopWithin(Within within, const InstallRequest& request) {
    world_.options().stop_timeout = absl::ZeroDuration();
    absl::Notification reached;
    ASSERT_TRUE(
        world_.Start(std::make_unique<EndlessHandler>(within, reached)).ok());
    const auto watcher = std::make_shared<Watcher>(request.updates.size());
    const absl::Status going =
        engine().Unfinished().empty()
            ? Begin(request, watcher)
            : engine().Resume(request.job_id, watcher, CancellationToken());
    ASSERT_TRUE(going.ok()) << going;
    reached.WaitForNotification();
    engine().Stop();
    watcher->Wait();
    EXPECT_TRUE(watcher->parked);
  }
  // Stops the service while the installer of `waiting_` runs in a forced
  // installation, after `meanwhile`. Returns what the next start says of it.
  InstallResult InterruptForced(const catalog::UpdateKey& key,
                                const std::function<void()>& meanwhile) {
    world_.options().stop_timeout = absl::ZeroDuration();
    EXPECT_TRUE(world_.Start().ok());
    InstallRequest request = world_.Request({key});
    request.is_forced = true;
    const auto watcher = std::make_shared<Watcher>(1);
    EXPECT_TRUE(Begin(request, watcher).ok());
    waiting_->WaitUntilStarted();
    meanwhile();
    engine().Stop();
    watcher->Wait();
    EXPECT_TRUE(watcher->parked);
    EXPECT_TRUE(world_.Start().ok());
    const auto unfinished = engine().Unfinished();
    EXPECT_THAT(unfinished, SizeIs(1));
    return unfinished.empty() ? InstallResult() : unfinished[0].results[0];
  }
  // Begins the job and stops the service between its first two updates.
  std::vector<InstallResult> RunAndStopAfterTheFirst(
      const InstallRequest& request) {
    const auto watcher = std::make_shared<Watcher>(request.updates.size());
    std::thread stopper;
    watcher->on_update_done = [&](int) {
      stopper = std::thread([this] { engine().Stop(); });
      while (HResultOf(Begin(world_.Request({request.updates[1]}))) !=
             hr::kWuEServiceStop) {
        std::this_thread::yield();
      }
    };
    EXPECT_TRUE(Begin(request, watcher).ok());
    watcher->Wait();
    stopper.join();
    EXPECT_TRUE(watcher->parked);
    return watcher->results;
  }

  test::TempDir dir_;
  test::World world_{dir_.path()};
  const std::unique_ptr<test::WaitingInstaller> waiting_ =
      test::WaitingInstaller::Make(dir_.path());
};

TEST_F(EngineTest, EmptyListIsRefused) {  // UAMG-179
  EXPECT_EQ(HResultOf(Begin(world_.Request({}))), hr::kWuENoUpdate);
  EXPECT_EQ(HResultOf(Begin(world_.Request({}, Operation::kUninstall))),
            hr::kWuENoUpdate);
}

TEST_F(EngineTest, BusyForEverybody) {  // UAMG-180, 181
  const auto slow = waiting_->Add(world_, 1);
  const auto other = world_.AddArchive(2, "app", "1", "x");
  EXPECT_FALSE(engine().IsBusy());
  const auto watcher = std::make_shared<Watcher>(1);
  ASSERT_TRUE(Begin(world_.Request({slow}), watcher).ok());
  EXPECT_TRUE(engine().IsBusy());
  waiting_->WaitUntilStarted();
  EXPECT_EQ(HResultOf(Begin(world_.Request({other}))),
            hr::kWuEInstallNotAllowed);
  EXPECT_EQ(HResultOf(Begin(world_.Request({other}, Operation::kUninstall))),
            hr::kWuEInstallNotAllowed);
  waiting_->LetGo();
  watcher->Wait();
  EXPECT_FALSE(engine().IsBusy());
  EXPECT_EQ(world_.Install({other})[0].result_code, kSucceeded);
}

TEST_F(EngineTest, ExclusiveUpdateMustBeAlone) {  // UAMG-183, 184
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  auto description = *world_.catalog().Describe(one);
  description.mutable_update()->mutable_installation_behavior()->set_impact(
      v1::INSTALLATION_IMPACT_REQUIRES_EXCLUSIVE_HANDLING);
  world_.catalog().Add(description);
  EXPECT_EQ(HResultOf(Begin(world_.Request({one, two}))),
            hr::kWuEExclusiveInstallConflict);
  EXPECT_THAT(world_.History(), IsEmpty());
  EXPECT_EQ(world_.Install({one})[0].result_code, kSucceeded);
}

TEST_F(EngineTest, DuplicatesAndUnknownUpdates) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  EXPECT_EQ(HResultOf(Begin(world_.Request({one, one}))), hr::kEInvalidarg);
  EXPECT_EQ(HResultOf(Begin(world_.Request({Key(99)}))),
            hr::kWuEDsNodataNosuchrevision);
  InstallRequest unnamed = world_.Request({one});
  unnamed.job_id.clear();
  EXPECT_EQ(HResultOf(Begin(unnamed)), hr::kEInvalidarg);
}

TEST_F(EngineTest, AlreadyInstalled) {  // UAMG-185, 186
  const auto one = world_.AddArchive(1, "app", "1", "x");
  EXPECT_EQ(world_.Install({one})[0].hresult, hr::kSOk);
  const InstallResult again = world_.Install({one})[0];
  EXPECT_EQ(again.result_code, kSucceeded);
  EXPECT_EQ(again.hresult, hr::kWuSAlreadyInstalled);
  InstallRequest forced = world_.Request({one});
  forced.is_forced = true;
  EXPECT_EQ(world_.Run(forced)[0].hresult, hr::kSOk);
  EXPECT_THAT(world_.History(), SizeIs(3));
}

TEST_F(EngineTest, NotDownloaded) {  // UAMG-187, 188
  const auto one = world_.AddArchive(1, "app", "1", "x");
  auto description = *world_.catalog().Describe(one);
  description.mutable_payloads(0)->set_sha256(std::string(32, 'x'));
  world_.catalog().Add(description);
  EXPECT_EQ(world_.Install({one})[0].hresult, hr::kWuEDmNotdownloaded);
  InstallRequest forced = world_.Request({one});
  forced.is_forced = true;
  EXPECT_EQ(world_.Run(forced)[0].hresult, hr::kWuEDmNotdownloaded);
}

TEST_F(EngineTest, ForceQuiet) {  // UAMG-189
  const auto one = world_.AddArchive(1, "app", "1", "x");
  auto description = *world_.catalog().Describe(one);
  description.mutable_update()
      ->mutable_installation_behavior()
      ->set_can_request_user_input(true);
  world_.catalog().Add(description);
  InstallRequest quiet = world_.Request({one});
  quiet.force_quiet = true;
  EXPECT_EQ(world_.Run(quiet)[0].hresult, hr::kWuEUhDoesnotsupportaction);
  EXPECT_EQ(world_.Install({one})[0].result_code, kSucceeded);
}

TEST_F(EngineTest, MandatoryRestartComesFirst) {  // UAMG-191, 193
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  world_.AlwaysRequiresReboot(one);
  const InstallResult result = world_.Install({one})[0];
  EXPECT_TRUE(result.reboot_required);
  EXPECT_EQ(result.hresult, hr::kWuSRebootRequired);
  EXPECT_TRUE(engine().RebootRequired());
  EXPECT_TRUE(engine().RebootRequiredBeforeInstallation());
  EXPECT_EQ(HResultOf(Begin(world_.Request({two}))), hr::kWuEInstallNotAllowed);
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_TRUE(engine().RebootRequiredBeforeInstallation());
  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_FALSE(engine().RebootRequired());
  EXPECT_EQ(world_.Install({two})[0].result_code, kSucceeded);
}

TEST_F(EngineTest, MandatoryRestartStopsTheRestOfTheJob) {  // UAMG-191
  ASSERT_TRUE(world_.Start(std::make_unique<RestartingHandler>()).ok());
  const auto there = world_.AddArchive(1, "there", "1", "x");
  ASSERT_EQ(world_.Install({there})[0].result_code, kSucceeded);
  const auto one = AddMsi(2);
  const auto two = world_.AddArchive(3, "tool", "1", "x");
  const auto results = world_.Install({one, two, there});
  EXPECT_EQ(results[0].hresult, hr::kWuSRebootRequired);
  EXPECT_EQ(results[1].result_code, kFailed);
  EXPECT_EQ(results[1].hresult, hr::kWuEInstallNotAllowed);
  EXPECT_THAT(results[1].message, HasSubstr("restart"));
  EXPECT_FALSE(std::filesystem::exists(world_.product("tool")));
  // For what is there already nothing has to be done.
  EXPECT_EQ(results[2].hresult, hr::kWuSAlreadyInstalled);
  EXPECT_THAT(world_.History(), SizeIs(4));

  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_EQ(world_.Install({two})[0].result_code, kSucceeded);
}

TEST_F(EngineTest, MandatoryRestartStopsTheRestOfABundle) {
  ASSERT_TRUE(world_.Start(std::make_unique<RestartingHandler>()).ok());
  const auto tool = world_.AddArchive(2, "tool", "1", "x");
  const auto bundle = AddBundle(3, {AddMsi(1), tool});
  const InstallResult result = world_.Install({bundle})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_EQ(result.hresult, hr::kWuEInstallNotAllowed);
  EXPECT_TRUE(result.reboot_required);
  EXPECT_THAT(result.message, HasSubstr("1 of the bundle's 2"));
  EXPECT_FALSE(std::filesystem::exists(world_.product("tool")));
  EXPECT_TRUE(engine().RebootRequiredBeforeInstallation());
  EXPECT_EQ(HResultOf(Begin(world_.Request({tool}))),
            hr::kWuEInstallNotAllowed);
  // After the restart the same call does what is left.
  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_EQ(world_.Install({bundle})[0].hresult, hr::kSOk);
  EXPECT_TRUE(std::filesystem::exists(world_.product("tool")));
}

TEST_F(EngineTest, ARestartThatAPartAlwaysNeedsComesBeforeTheNextPart) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  world_.AlwaysRequiresReboot(one);
  const auto bundle = AddBundle(3, {one, two});
  const InstallResult result = world_.Install({bundle})[0];
  EXPECT_EQ(result.hresult, hr::kWuEInstallNotAllowed) << result.message;
  EXPECT_TRUE(result.reboot_required);
  EXPECT_THAT(result.message, HasSubstr("1 of the bundle's 2"));
  EXPECT_FALSE(std::filesystem::exists(world_.product("tool")));
  EXPECT_TRUE(engine().RebootRequiredBeforeInstallation());

  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_EQ(world_.Install({bundle})[0].hresult, hr::kSOk);
  EXPECT_FALSE(engine().RebootRequired());
}

TEST_F(EngineTest, ARestartThatABundleAlwaysNeedsComesAfterItsParts) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  const auto inner = AddBundle(3, {one, two});
  world_.AlwaysRequiresReboot(inner);
  const auto three = world_.AddArchive(4, "extra", "1", "x");
  const auto outer = AddBundle(5, {inner, three});
  const InstallResult part = world_.Install({outer})[0];
  EXPECT_EQ(part.hresult, hr::kWuEInstallNotAllowed) << part.message;
  EXPECT_THAT(part.message, HasSubstr("2 of the bundle's 3"));
  EXPECT_TRUE(engine().RebootRequiredBeforeInstallation());

  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  world_.AlwaysRequiresReboot(outer);
  const InstallResult rest = world_.Install({outer})[0];
  EXPECT_EQ(rest.result_code, kSucceeded) << rest.message;
  EXPECT_TRUE(rest.reboot_required);
  EXPECT_TRUE(engine().RebootRequiredBeforeInstallation());
}

// A wish of what was done is not lost with the failure of what came after it.
TEST_F(EngineTest, AFailedBundleMayNeedARestart) {
  const auto one = world_.AddScript(
      1, "exit 10", "", [](repository::v1::UpdateDescription& update) {
        auto* exit = update.mutable_handler()->mutable_exec()->add_exit_codes();
        exit->set_code(10);
        exit->set_meaning(
            repository::v1::ExitCode::MEANING_SUCCESS_REBOOT_REQUIRED);
      });
  const auto bad = world_.AddScript(2, "exit 3", "", nullptr);
  const InstallResult result = world_.Install({AddBundle(3, {one, bad})})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_EQ(result.unmapped_result_code, 3);
  EXPECT_TRUE(result.reboot_required);
  EXPECT_TRUE(engine().RebootRequired());
  EXPECT_FALSE(engine().RebootRequiredBeforeInstallation());
}

TEST_F(EngineTest, AResumedJobWaitsForTheMandatoryRestart) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  world_.AlwaysRequiresReboot(one);
  const InstallRequest request = world_.Request({one, two});
  EXPECT_EQ(RunAndStopAfterTheFirst(request)[0].result_code, kSucceeded);
  // The service is started again, but not the machine.
  ASSERT_TRUE(world_.Start().ok());
  const auto watcher = std::make_shared<Watcher>(2);
  ASSERT_TRUE(
      engine().Resume(request.job_id, watcher, CancellationToken()).ok());
  watcher->Wait();
  EXPECT_EQ(watcher->results[1].hresult, hr::kWuEInstallNotAllowed);
  EXPECT_FALSE(std::filesystem::exists(world_.product("tool")));
}

TEST_F(EngineTest, AJobThatTheRestartInterruptedGoesOnAfterIt) {
  ASSERT_TRUE(world_.Start(std::make_unique<RestartingHandler>()).ok());
  const auto one = AddMsi(1);
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  const InstallRequest request = world_.Request({one, two});
  // The shutdown reaches the service before the next update's turn.
  RunAndStopAfterTheFirst(request);
  world_.options().boot_id = "boot-2";
  ASSERT_TRUE(world_.Start().ok());
  const auto again = std::make_shared<Watcher>(2);
  ASSERT_TRUE(engine().Resume(request.job_id, again, CancellationToken()).ok());
  again->Wait();
  EXPECT_EQ(again->results[1].hresult, hr::kSOk) << again->results[1].message;
}

TEST_F(EngineTest, Uninstall) {  // UAMG-199, 200
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const InstallResult absent = world_.Uninstall({one})[0];
  EXPECT_EQ(absent.result_code, kSucceeded);
  EXPECT_EQ(absent.hresult, hr::kWuSAlreadyUninstalled);
  auto description = *world_.catalog().Describe(one);
  description.mutable_update()->set_is_uninstallable(false);
  world_.catalog().Add(description);
  EXPECT_EQ(world_.Install({one})[0].result_code, kSucceeded);
  EXPECT_EQ(world_.Uninstall({one})[0].hresult, hr::kWuEUninstallNotAllowed);
}

TEST_F(EngineTest, EachAttemptIsHistory) {  // UAMG-201
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto bad = world_.AddScript(2, "exit 3", "", nullptr);
  const auto results = world_.Install({one, bad});
  EXPECT_EQ(results[0].result_code, kSucceeded);
  EXPECT_EQ(results[1].result_code, kFailed);
  world_.Uninstall({one});
  const auto history = world_.History();
  ASSERT_THAT(history, SizeIs(3));
  EXPECT_EQ(history[0].operation(), v1::UPDATE_OPERATION_UNINSTALLATION);
  EXPECT_EQ(history[1].operation(), v1::UPDATE_OPERATION_INSTALLATION);
  EXPECT_EQ(history[1].result_code(), v1::OPERATION_RESULT_CODE_FAILED);
  EXPECT_EQ(history[1].hresult(), hr::kWuEUhInstallerfailure);
  EXPECT_EQ(history[2].update_identity().update_id(), one.update_id);
  EXPECT_EQ(history[2].title(), "Update 01");
  EXPECT_EQ(history[2].version(), "1.2.3");
  EXPECT_EQ(history[2].client_application_id(), "test");
  ASSERT_THAT(history[2].categories(), SizeIs(1));
  EXPECT_EQ(history[2].categories(0).name(), "Tests");
  EXPECT_GT(history[2].date().seconds(), 1'600'000'000);
}

TEST_F(EngineTest, LicenceApplicabilityHandler) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  world_.catalog().DeclineEula(one);
  EXPECT_EQ(world_.Install({one})[0].hresult, hr::kWuEEulasDeclined);
  ASSERT_TRUE(world_.catalog().AcceptEula(one).ok());

  auto description = *world_.catalog().Describe(one);
  description.mutable_is_installable()->set_constant(false);
  world_.catalog().Add(description);
  EXPECT_EQ(world_.Install({one})[0].hresult, hr::kWuENotApplicable);
  InstallRequest forced = world_.Request({one});
  forced.is_forced = true;
  EXPECT_EQ(world_.Run(forced)[0].result_code, kSucceeded);

  // Each system lacks the other's packages.
  auto foreign = test::World::NewUpdate(Key(2));
  if (test::kIsUnix) {
    foreign.mutable_handler()->mutable_msi();
  } else {
    foreign.mutable_handler()->mutable_deb();
  }
  world_.catalog().Add(foreign);
  EXPECT_EQ(world_.Install({Key(2)})[0].hresult, hr::kWuEUhUnknownhandler);
}

TEST_F(EngineTest, PinsItsContentUntilItsEnd) {
  const auto slow = waiting_->Add(world_, 1);
  const auto part = world_.AddScript(2, test::kDoNothing, "echo bye", nullptr);
  const auto bundle = AddBundle(3, {part});
  const auto watcher = std::make_shared<Watcher>(2);
  ASSERT_TRUE(Begin(world_.Request({slow, bundle}), watcher).ok());
  waiting_->WaitUntilStarted();
  const std::string content = world_.WholeScript("echo bye");
  EXPECT_TRUE(world_.cache().IsPinned(content));
  waiting_->LetGo();
  watcher->Wait();
  EXPECT_FALSE(world_.cache().IsPinned(content));
}

TEST_F(EngineTest, UnfinishedJobsPinTheirContentFromTheStart) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddScript(2, "echo two", "", nullptr);
  const InstallRequest request = world_.Request({one, two});
  RunAndStopAfterTheFirst(request);
  const std::string content = world_.WholeScript("echo two");
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_TRUE(world_.cache().IsPinned(content));
  const auto watcher = std::make_shared<Watcher>(2);
  ASSERT_TRUE(
      engine().Resume(request.job_id, watcher, CancellationToken()).ok());
  watcher->Wait();
  EXPECT_FALSE(world_.cache().IsPinned(content));
}

TEST_F(EngineTest, UpdateThatVanishedFailsAlone) {
  const auto slow = waiting_->Add(world_, 1);
  const auto gone = world_.AddArchive(2, "app", "1", "x");
  const auto watcher = std::make_shared<Watcher>(2);
  ASSERT_TRUE(Begin(world_.Request({slow, gone}), watcher).ok());
  waiting_->WaitUntilStarted();
  world_.catalog().Forget(gone);
  waiting_->LetGo();
  watcher->Wait();
  EXPECT_EQ(watcher->results[0].result_code, kSucceeded);
  EXPECT_EQ(watcher->results[1].hresult, hr::kWuEDsNodataNosuchrevision);
  EXPECT_THAT(world_.History(), SizeIs(2));
}

TEST_F(EngineTest, BundleIsOneUpdate) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  AddBundle(3, {one, two});
  EXPECT_EQ(world_.Install({one})[0].result_code, kSucceeded);
  const InstallResult result = world_.Install({Key(3)})[0];
  EXPECT_EQ(result.result_code, kSucceeded) << result.message;
  EXPECT_TRUE(world_.catalog().HasReceipt(two));
  EXPECT_TRUE(world_.catalog().HasReceipt(Key(3)));
  EXPECT_THAT(world_.History(), SizeIs(2));
  EXPECT_EQ(world_.Uninstall({Key(3)})[0].result_code, kSucceeded);
  EXPECT_FALSE(world_.catalog().HasReceipt(one));
  EXPECT_FALSE(std::filesystem::exists(world_.product("tool")));
}

// What the older revision bundled is not what the newer one does.
TEST_F(EngineTest, ABundleOfAnOlderRevisionIsUninstalled) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto r1 = AddBundle(3, {one});
  ASSERT_EQ(world_.Install({r1})[0].result_code, kSucceeded);
  world_.catalog().Forget(r1);
  auto bundle = test::World::NewUpdate(Key(3, 2));
  auto* key = bundle.mutable_update()->add_bundled_updates();
  key->set_update_id(world_.AddArchive(2, "tool", "1", "x").update_id);
  key->set_revision_number(1);
  world_.catalog().Add(bundle);
  const InstallResult result = world_.Uninstall({Key(3, 2)})[0];
  EXPECT_EQ(result.result_code, kSucceeded) << result.message;
  EXPECT_THAT(result.message, HasSubstr("no part"));
  EXPECT_FALSE(world_.catalog().HasReceipt(r1));
  EXPECT_FALSE(world_.catalog().Evaluate(Key(3, 2))->is_present);
  // Its part is an update of its own.
  EXPECT_EQ(world_.Uninstall({one})[0].hresult, hr::kSOk);
}

TEST_F(EngineTest, FailedBundleSaysHowFarItCame) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto bad = world_.AddScript(2, "exit 3", "", nullptr);
  AddBundle(3, {one, bad});
  const InstallResult result = world_.Install({Key(3)})[0];
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_EQ(result.unmapped_result_code, 3);
  EXPECT_THAT(result.message, HasSubstr("1 of the bundle's 2"));
  EXPECT_FALSE(world_.catalog().HasReceipt(Key(3)));
}

TEST_F(EngineTest, BundleInItselfEnds) {
  AddBundle(3, {Key(3)});
  EXPECT_EQ(world_.Install({Key(3)})[0].hresult, hr::kWuETooDeepRelation);
}

TEST_F(EngineTest, CancelBetweenUpdatesAbortsTheRest) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto two = world_.AddArchive(2, "tool", "1", "x");
  CancellationToken cancel;
  const auto watcher = std::make_shared<Watcher>(2);
  watcher->on_update_done = [&cancel](int) { cancel.Cancel(); };
  ASSERT_TRUE(Begin(world_.Request({one, two}), watcher, cancel).ok());
  watcher->Wait();
  EXPECT_FALSE(watcher->parked);
  EXPECT_EQ(watcher->results[0].result_code, kSucceeded);
  EXPECT_EQ(watcher->results[1].result_code, kAborted);
  EXPECT_EQ(watcher->results[1].hresult, hr::kWuECallCancelled);
  EXPECT_THAT(world_.History(), SizeIs(1));
}

TEST_F(EngineTest, ProgressNeverGoesBack) {
  const auto one = world_.AddArchive(1, "app", "1", std::string(300'000, 'x'));
  const auto watcher = std::make_shared<Watcher>(1);
  ASSERT_TRUE(Begin(world_.Request({one}), watcher).ok());
  watcher->Wait();
  const auto& percents = watcher->percents[0];
  EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
  EXPECT_EQ(percents.front(), 0);
  EXPECT_EQ(percents.back(), 100);
}

TEST_F(EngineTest, StopParksAndResumeGoesOn) {
  const auto one = world_.AddArchive(1, "tool", "1", "x");
  const auto two = world_.AddArchive(2, "app", "1", "x");
  const InstallRequest request = world_.Request({one, two});
  const auto results = RunAndStopAfterTheFirst(request);
  EXPECT_EQ(results[0].result_code, kSucceeded);
  EXPECT_EQ(results[1].result_code, 0);

  ASSERT_TRUE(world_.Start().ok());
  const auto unfinished = engine().Unfinished();
  ASSERT_THAT(unfinished, SizeIs(1));
  EXPECT_EQ(unfinished[0].request.job_id, request.job_id);
  EXPECT_EQ(unfinished[0].request.updates, request.updates);
  EXPECT_EQ(unfinished[0].results[0].result_code, kSucceeded);
  EXPECT_EQ(unfinished[0].results[1].result_code, 0);
  EXPECT_FALSE(engine().IsBusy());
  const auto again = std::make_shared<Watcher>(2);
  ASSERT_TRUE(engine().Resume(request.job_id, again, CancellationToken()).ok());
  again->Wait();
  EXPECT_FALSE(again->parked);
  EXPECT_EQ(again->results[0].result_code, 0) << "done before, not again";
  EXPECT_EQ(again->results[1].result_code, kSucceeded);
  EXPECT_THAT(world_.History(), SizeIs(2));
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_THAT(engine().Unfinished(), IsEmpty());
  EXPECT_EQ(
      HResultOf(engine().Resume(request.job_id, again, CancellationToken())),
      hr::kWuEItemnotfound);
}

TEST_F(EngineTest, StopInterruptsWhatDoesNotEnd) {
  world_.options().stop_timeout = absl::Milliseconds(50);
  ASSERT_TRUE(world_.Start().ok());
  const auto slow = waiting_->Add(world_, 1);
  const auto watcher = std::make_shared<Watcher>(1);
  ASSERT_TRUE(Begin(world_.Request({slow}), watcher).ok());
  waiting_->WaitUntilStarted();
  engine().Stop();
  watcher->Wait();
  EXPECT_TRUE(watcher->parked);
  EXPECT_THAT(world_.History(), IsEmpty());
  // The next start names what became of it.
  ASSERT_TRUE(world_.Start().ok());
  const auto unfinished = engine().Unfinished();
  ASSERT_THAT(unfinished, SizeIs(1));
  EXPECT_EQ(unfinished[0].results[0].result_code, kFailed);
  EXPECT_EQ(unfinished[0].results[0].hresult, hr::kWuEUhUnexpected);
  ASSERT_THAT(world_.History(), SizeIs(1));
  EXPECT_THAT(world_.History()[0].message(), HasSubstr("not known"));
}

// Else it would be told as done, though the installer did not get to its end.
TEST_F(EngineTest, ARuleThatHeldBeforeDoesNotTellThatAnInstallerRan) {
  const auto key = waiting_->Add(world_, 1);
  auto description = *world_.catalog().Describe(key);
  description.mutable_is_installed()->set_constant(true);
  world_.catalog().Add(description);
  const InstallResult result = InterruptForced(key, [] {});
  EXPECT_EQ(result.result_code, kFailed);
  EXPECT_THAT(result.message, HasSubstr("not known"));
  EXPECT_FALSE(world_.catalog().HasReceipt(key));
}

TEST_F(EngineTest, ARuleThatDidNotHoldBeforeTells) {
  const auto key = waiting_->Add(world_, 1);
  const std::filesystem::path made = dir_.path() / "made";
  auto description = *world_.catalog().Describe(key);
  description.mutable_is_installed()->mutable_file()->set_path(
      PathToUtf8(made));
  world_.catalog().Add(description);
  const InstallResult result = InterruptForced(
      key, [&made] { EXPECT_TRUE(WriteFileAtomically(made, "").ok()); });
  EXPECT_EQ(result.result_code, kSucceeded) << result.message;
  EXPECT_TRUE(world_.catalog().HasReceipt(key));
}

TEST_F(EngineTest, WhatWasBegunAndTakenBackIsAborted) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  const auto bundle = AddBundle(3, {one, AddMsi(2)});
  const auto other = world_.AddArchive(4, "tool", "1", "x");
  const InstallRequest request = world_.Request({bundle, other});
  ASSERT_NO_FATAL_FAILURE(StopWithin(Within::kApply, request));
  ASSERT_TRUE(world_.Start(std::make_unique<IdleHandler>()).ok());
  EXPECT_THAT(world_.History(), IsEmpty());
  CancellationToken cancelled;
  cancelled.Cancel();
  const auto watcher = std::make_shared<Watcher>(2);
  ASSERT_TRUE(engine().Resume(request.job_id, watcher, cancelled).ok());
  watcher->Wait();
  EXPECT_FALSE(watcher->parked);
  EXPECT_EQ(watcher->results[0].result_code, kAborted);
  EXPECT_EQ(watcher->results[1].result_code, kAborted);
  // What was not begun is none of history's business.
  ASSERT_THAT(world_.History(), SizeIs(1));
  EXPECT_EQ(world_.History()[0].update_identity().update_id(),
            bundle.update_id);
  EXPECT_EQ(world_.History()[0].result_code(), kAborted);
  EXPECT_THAT(world_.History()[0].message(), HasSubstr("1 of the bundle's 2"));
  ASSERT_TRUE(world_.Start().ok());
  EXPECT_THAT(engine().Unfinished(), IsEmpty());
}

TEST_F(EngineTest, WhatCannotBeReadIsNotPlannedAgain) {
  const InstallRequest request = world_.Request({AddMsi(1)});
  ASSERT_NO_FATAL_FAILURE(StopWithin(Within::kApply, request));
  world_.StopEngine();
  FlakyDatabase flaky(world_.database());
  int runs = 0;
  HandlerSet handlers;
  handlers.Add(repository::v1::Handler::kMsi,
               std::make_unique<CountingHandler>(runs));
  auto started = Engine::StartWith(flaky, world_.catalog(), world_.cache(),
                                   world_.options(), std::move(handlers));
  ASSERT_TRUE(started.ok()) << started.status();
  const auto watcher = std::make_shared<Watcher>(1);
  flaky.FailNextRead();
  ASSERT_TRUE(
      (*started)->Resume(request.job_id, watcher, CancellationToken()).ok());
  watcher->Wait();
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(watcher->results[0].result_code, kFailed);
  EXPECT_THAT(watcher->results[0].message, HasSubstr("cannot be read"));
}

TEST_F(EngineTest, AnOrderlyStopIsNoCrash) {
  const InstallRequest request = world_.Request({AddMsi(1)});
  for (int i = 0; i < UpdateRunner::kMaxAttempts; ++i) {
    ASSERT_NO_FATAL_FAILURE(StopWithin(Within::kPrepare, request));
  }
  ASSERT_TRUE(world_.Start(std::make_unique<IdleHandler>()).ok());
  ASSERT_THAT(engine().Unfinished(), SizeIs(1));
  EXPECT_EQ(engine().Unfinished()[0].results[0].result_code, 0)
      << engine().Unfinished()[0].results[0].message;
}

// It may be the installer that stops the service.
TEST_F(EngineTest, AStopWhileAnInstallerRunsIsCounted) {
  const InstallRequest request = world_.Request({AddMsi(1)});
  for (int i = 0; i < UpdateRunner::kMaxAttempts; ++i) {
    ASSERT_NO_FATAL_FAILURE(StopWithin(Within::kApply, request));
  }
  ASSERT_TRUE(world_.Start(std::make_unique<IdleHandler>()).ok());
  ASSERT_THAT(world_.History(), SizeIs(1));
  EXPECT_EQ(world_.History()[0].result_code(), kFailed);
  EXPECT_THAT(world_.History()[0].message(), HasSubstr("ended 3 times"));
}

TEST_F(EngineTest, FailedReceiptIsToldAndDoesNotUndo) {
  const auto one = world_.AddArchive(1, "app", "1", "x");
  world_.catalog().FailRecords(true);
  const InstallResult result = world_.Install({one})[0];
  EXPECT_EQ(result.result_code,
            v1::OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS);
  EXPECT_EQ(result.hresult, hr::kWuSUpdateError);
  EXPECT_THAT(result.message, HasSubstr("disk is full"));
  EXPECT_THAT(world_.History(), SizeIs(1));
}

}  // namespace
}  // namespace usher::install
