// Registration of update services.

#include "service/session/update_services.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/session/machine_api.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/types.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

using ::testing::HasSubstr;
using usher::testing::CallOf;
using usher::testing::kServiceId;
using usher::testing::World;

NewService Service(int flags = 0) {
  NewService service;
  service.flags = flags;
  service.url = "http://test";
  service.root = "root";
  return service;
}

absl::StatusOr<v1::UpdateServiceRegistration> Add(World& world,
                                                  const NewService& service) {
  return world.core().services().Add(service, {}, CancellationToken());
}

TEST(UpdateServicesTest, TakesIdAndNameFromTheCatalog) {
  World world;
  const auto added = Add(world, Service());
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->service_id(), kServiceId);
  EXPECT_EQ(added->registration_state(),
            v1::UPDATE_SERVICE_REGISTRATION_STATE_REGISTERED);
  EXPECT_EQ(added->service().name(), "Test");
  EXPECT_EQ(added->service().root_sha256(), ToHex(Sha256Of("root")));
  EXPECT_TRUE(added->service().has_last_refresh_time());
  world.Restart();
  ASSERT_EQ(world.core().services().List().size(), 1U);
  EXPECT_EQ(world.core().services().List()[0].service_url(), "http://test");
}

TEST(UpdateServicesTest, AllOrNothing) {
  World world;
  NewService service = Service();
  service.root = "forged";
  EXPECT_EQ(HResultOf(Add(world, service).status()),
            hr::kWuEMetadataBadSignature);
  service = Service();
  service.service_id = "33333333-3333-4333-8333-333333333333";
  EXPECT_EQ(HResultOf(Add(world, service).status()), hr::kWuEInvalidUpdate);
  world.catalog->load_error = Error(hr::kWuEInvalidUpdate, "bad record");
  EXPECT_EQ(HResultOf(Add(world, Service()).status()), hr::kWuEInvalidUpdate);
  EXPECT_TRUE(world.core().services().List().empty());
  world.catalog->load_error = absl::OkStatus();
  EXPECT_TRUE(Add(world, Service()).ok());
}

TEST(UpdateServicesTest, ArgumentsAreChecked) {
  World world;
  NewService service = Service();
  service.url = "ftp://test";
  EXPECT_EQ(SubjectOf(Add(world, service).status()), "service_url");
  service = Service();
  service.root.clear();
  EXPECT_EQ(SubjectOf(Add(world, service).status()), "root_metadata");
  EXPECT_EQ(SubjectOf(Add(world, Service(4)).status()), "flags");  // UAMG-227
  EXPECT_EQ(SubjectOf(Add(world, Service(1)).status()), "service_id");
}

TEST(UpdateServicesTest, PendingWhenTheServerIsAway) {  // UAMG-226
  World world;
  NewService service = Service(1);
  service.service_id = kServiceId;
  const auto pending = Add(world, service);
  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_EQ(pending->registration_state(),
            v1::UPDATE_SERVICE_REGISTRATION_STATE_PENDING);
  EXPECT_EQ(world.repositories->refreshes, 0);
  EXPECT_TRUE(world.core()
                  .services()
                  .Refresh(kServiceId, {}, CancellationToken())
                  .ok());
  EXPECT_TRUE(world.core().services().Get(kServiceId)->has_last_refresh_time());
}

TEST(UpdateServicesTest, RefreshKeepsWhatWasLoadedWhenItFails) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  EXPECT_FALSE(world.catalog->loaded.empty());
  const size_t loads = world.catalog->loaded.size();
  ASSERT_TRUE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
  EXPECT_EQ(world.catalog->loaded.size(), loads);  // the same files
  world.repositories->version = 2;
  world.catalog->load_error = Error(hr::kWuEInvalidUpdate, "bad record");
  EXPECT_FALSE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
  EXPECT_THAT(services.Get(kServiceId)->last_refresh_error(),
              HasSubstr("bad record"));
  // Although the metadata is trusted by now, the catalog is still wanted.
  world.catalog->load_error = absl::OkStatus();
  ASSERT_TRUE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
  EXPECT_EQ(world.catalog->loaded.size(), loads + 1);
  EXPECT_EQ(services.Get(kServiceId)->last_refresh_error(), "");
}

TEST(UpdateServicesTest, LooksForRootsOnceInAWhile) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  const auto refresh = [&services] {
    return services.Refresh(kServiceId, {}, CancellationToken()).status();
  };
  const auto recent = [&world] { return world.repositories->roots_are_recent; };
  ASSERT_TRUE(refresh().ok());
  EXPECT_FALSE(recent()) << "the first one since the start";
  world.clock->Advance(absl::Minutes(59));
  ASSERT_TRUE(refresh().ok());
  EXPECT_TRUE(recent());
  world.clock->Advance(absl::Minutes(1));
  ASSERT_TRUE(refresh().ok());
  EXPECT_FALSE(recent()) << "an hour since they were looked for";
  world.clock->Advance(absl::Minutes(1));
  world.repositories->refresh_error = Error(hr::kCertEExpired, "expired");
  EXPECT_FALSE(refresh().ok());
  world.repositories->refresh_error = absl::OkStatus();
  ASSERT_TRUE(refresh().ok());
  EXPECT_FALSE(recent()) << "after a failure";
  world.clock->Advance(absl::Hours(-2));
  ASSERT_TRUE(refresh().ok());
  EXPECT_FALSE(recent()) << "the clock was set back";
}

TEST(UpdateServicesTest, APublishersLapseIsToldAndStopsNobody) {
  World world;
  world.repositories->problems = {
      {"acme", Error(hr::kCertEExpired, "acme.json: expired")}};
  ASSERT_TRUE(Add(world, Service()).ok());
  const auto read = [&] { return *world.core().services().Get(kServiceId); };
  EXPECT_EQ(read().last_refresh_error(), "left out: acme.json: expired");
  const auto refresh = [&] {
    return world.core().services().Refresh(kServiceId, {}, CancellationToken());
  };
  for (int i = 0; i < 6; ++i) {
    world.repositories->problems.push_back(
        {"x", Error(hr::kCertEExpired, "x.json: expired")});
  }
  world.clock->Advance(absl::Hours(1));
  ASSERT_TRUE(refresh().ok());
  EXPECT_THAT(read().last_refresh_error(), HasSubstr("; and 2 more"));
  EXPECT_EQ(read().last_refresh_time().seconds(),
            absl::ToUnixSeconds(world.clock->Now()));
  world.repositories->problems.clear();
  ASSERT_TRUE(refresh().ok());
  EXPECT_EQ(read().last_refresh_error(), "");
}

repository::TargetFile Delegated(const std::string& role, int priority,
                                 const std::string& content) {
  return {"catalog/" + role + "/a.usc", 100, Sha256Of(content), role, priority};
}

TEST(UpdateServicesTest, APublisherLeftOutOfTheCatalogIsTold) {
  World world;
  world.repositories->delegated = {Delegated("acme", 1, "acme"),
                                   Delegated("bolt", 2, "bolt")};
  world.catalog->publishers_left_out = {
      {2, Error(hr::kWuEInvalidUpdate, "record 3:\nno title")}};
  ASSERT_TRUE(Add(world, Service()).ok());
  const auto told = [&] {
    return world.core().services().Get(kServiceId)->last_refresh_error();
  };
  const std::string reason = "left out: bolt's catalogs: record 3:\nno title";
  EXPECT_EQ(told(), reason);
  const auto refresh = [&] {
    return world.core().services().Refresh(kServiceId, {}, CancellationToken());
  };
  // Nothing new: not read again, and still told.
  const size_t loads = world.catalog->loaded.size();
  world.repositories->fetched.clear();
  ASSERT_TRUE(refresh().ok());
  EXPECT_EQ(world.catalog->loaded.size(), loads);
  EXPECT_TRUE(world.repositories->fetched.empty());
  EXPECT_EQ(told(), "left out: bolt's catalogs: record 3: no title");
  // Its next catalog is taken, and nobody else's.
  world.catalog->publishers_left_out.clear();
  world.repositories->delegated[1] = Delegated("bolt", 2, "better");
  ASSERT_TRUE(refresh().ok());
  EXPECT_EQ(told(), "");
  EXPECT_EQ(world.repositories->fetched,
            std::vector<std::string>{"catalog/bolt/a.usc"});
  EXPECT_EQ(world.catalog->loaded_files.size(), 3U);
}

TEST(UpdateServicesTest, APublishersFileThatIsNotThereIsTriedAgain) {
  World world;
  world.repositories->delegated = {Delegated("acme", 1, "acme"),
                                   Delegated("bolt", 2, "bolt")};
  world.repositories->fetch_errors["catalog/acme/a.usc"] =
      Error(hr::kWuEDmIncorrectfilehash, "not the signed one");
  ASSERT_TRUE(Add(world, Service()).ok());
  const auto told = [&] {
    return world.core().services().Get(kServiceId)->last_refresh_error();
  };
  EXPECT_EQ(told(), "left out: acme's catalogs: not the signed one");
  EXPECT_EQ(
      world.catalog->loaded_files,
      (std::vector<std::string>{"catalog/catalog.usc", "catalog/bolt/a.usc"}));
  const auto refresh = [&] {
    return world.core().services().Refresh(kServiceId, {}, CancellationToken());
  };
  // A network that is away is nobody's fault: all stays as it is.
  world.repositories->fetch_errors["catalog/acme/a.usc"] =
      Error(hr::kWuENoConnection, "no network");
  EXPECT_FALSE(refresh().ok());
  world.repositories->fetch_errors.clear();
  ASSERT_TRUE(refresh().ok());
  EXPECT_EQ(told(), "");
  EXPECT_EQ(world.catalog->loaded_files.size(), 3U);
}

// Copied bytes, which anybody can publish, are not taken for what is loaded.
TEST(UpdateServicesTest, TheSameContentUnderAnotherNameIsFetched) {
  World world;
  world.repositories->delegated = {Delegated("acme", 1, "acme")};
  ASSERT_TRUE(Add(world, Service()).ok());
  world.repositories->fetched.clear();
  world.repositories->delegated.push_back(Delegated("bolt", 2, "acme"));
  ASSERT_TRUE(world.core()
                  .services()
                  .Refresh(kServiceId, {}, CancellationToken())
                  .ok());
  EXPECT_EQ(world.repositories->fetched,
            std::vector<std::string>{"catalog/bolt/a.usc"});
}

// What it says is a matter of whose it is.
TEST(UpdateServicesTest, TheSameFileOfAnotherPublisherIsFetched) {
  World world;
  world.repositories->delegated = {Delegated("acme", 1, "acme")};
  ASSERT_TRUE(Add(world, Service()).ok());
  const size_t loads = world.catalog->loaded.size();
  world.repositories->fetched.clear();
  world.repositories->delegated[0].role = "bolt";
  ASSERT_TRUE(world.core()
                  .services()
                  .Refresh(kServiceId, {}, CancellationToken())
                  .ok());
  EXPECT_EQ(world.repositories->fetched,
            std::vector<std::string>{"catalog/acme/a.usc"});
  EXPECT_EQ(world.catalog->loaded.size(), loads + 1);
}

TEST(UpdateServicesTest, SelectionPrefersManagedThenAutomaticUpdates) {
  World world;
  NewService plain = Service();
  ASSERT_TRUE(Add(world, plain).ok());
  auto& services = world.core().services();
  EXPECT_EQ(*services.Resolve(v1::SERVER_SELECTION_DEFAULT, ""), kServiceId);
  EXPECT_EQ(
      HResultOf(
          services.Resolve(v1::SERVER_SELECTION_WINDOWS_UPDATE, "").status()),
      hr::kWuEDsUnknownservice);
  const std::string second = "33333333-3333-4333-8333-333333333333";
  world.repositories->service_id = second;
  NewService with_au = Service(2 | 4);
  with_au.url = "http://second";
  ASSERT_TRUE(Add(world, with_au).ok());
  EXPECT_EQ(*services.Resolve(v1::SERVER_SELECTION_DEFAULT, ""), second);
  const std::string third = "44444444-4444-4444-8444-444444444444";
  world.repositories->service_id = third;
  NewService managed = Service();
  managed.url = "http://third";
  managed.is_managed = true;
  ASSERT_TRUE(Add(world, managed).ok());
  EXPECT_EQ(*services.Resolve(v1::SERVER_SELECTION_DEFAULT, ""), third);
  EXPECT_EQ(*services.Resolve(v1::SERVER_SELECTION_MANAGED_SERVER, ""), third);
  EXPECT_EQ(*services.Resolve(v1::SERVER_SELECTION_OTHERS, second), second);
}

TEST(UpdateServicesTest, RemovalNeedsNotWaitForASlowServer) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  const auto stalled = std::make_shared<absl::Notification>();
  world.repositories->stalled = stalled;
  absl::Status refreshed;
  std::thread refresh([&] {
    refreshed = services.Refresh(kServiceId, {}, CancellationToken()).status();
  });
  stalled->WaitForNotification();
  EXPECT_TRUE(services.Remove(kServiceId).ok());
  refresh.join();
  EXPECT_EQ(HResultOf(refreshed), hr::kWuEDsUnknownservice);
  EXPECT_TRUE(services.List().empty());
}

TEST(UpdateServicesTest, RemovalNeedsNotWaitForARegistration) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  const auto stalled = std::make_shared<absl::Notification>();
  world.repositories->stalled = stalled;
  CancellationToken cancel;
  absl::Status added;
  std::thread add([&] {
    NewService other = Service();
    other.url = "http://slow";
    added = services.Add(other, {}, cancel).status();
  });
  stalled->WaitForNotification();
  EXPECT_TRUE(services.Remove(kServiceId).ok());
  cancel.Cancel();
  add.join();
  EXPECT_EQ(HResultOf(added), hr::kWuECallCancelled);
  EXPECT_TRUE(services.List().empty());
}

TEST(UpdateServicesTest, ACancelledRefreshIsNoFault) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  const auto stalled = std::make_shared<absl::Notification>();
  world.repositories->stalled = stalled;
  CancellationToken cancel;
  std::thread refresh([&] {
    EXPECT_EQ(HResultOf(services.Refresh(kServiceId, {}, cancel).status()),
              hr::kWuECallCancelled);
  });
  stalled->WaitForNotification();
  cancel.Cancel();
  refresh.join();
  EXPECT_EQ(services.Get(kServiceId)->last_refresh_error(), "");
}

// The catalog is the new one, and nobody could write that down; then the
// publisher goes back.
TEST(UpdateServicesTest, WhatIsLoadedIsNotMistaken) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  const size_t loads = world.catalog->loaded.size();
  world.repositories->version = 2;
  const std::filesystem::path record =
      world.state_dir() / "repositories" / kServiceId / "loaded";
  ASSERT_TRUE(std::filesystem::exists(record));
  world.catalog->on_load = [&record] {
    // A folder cannot be replaced by a file.
    std::filesystem::create_directories(record / "in the way");
  };
  EXPECT_FALSE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
  EXPECT_EQ(world.catalog->loaded.size(), loads + 1);
  world.catalog->on_load = nullptr;
  std::filesystem::remove_all(record);
  world.repositories->version = 1;
  ASSERT_TRUE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
  EXPECT_EQ(world.catalog->loaded.size(), loads + 2);
}

TEST(UpdateServicesTest, RemovedIsUnknown) {  // UAMG-218
  World world;
  world.AddService();
  auto& services = world.core().services();
  EXPECT_TRUE(services.Remove(kServiceId).ok());
  EXPECT_EQ(HResultOf(services.Remove(kServiceId)), hr::kWuEDsUnknownservice);
  EXPECT_TRUE(world.catalog->loaded.empty());
  EXPECT_TRUE(Add(world, Service()).ok());
}

TEST(UpdateServicesTest, ARemovalThatFailsCanBeAskedForAgain) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  world.catalog->remove_error = Error(hr::kErrorDiskFull, "disk full");
  EXPECT_EQ(HResultOf(services.Remove(kServiceId)), hr::kErrorDiskFull);
  EXPECT_TRUE(services.Get(kServiceId).ok());
  // Who knows what is left of the catalog: it is loaded again.
  const size_t loads = world.catalog->loaded.size();
  ASSERT_TRUE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
  EXPECT_EQ(world.catalog->loaded.size(), loads + 1);
  world.catalog->remove_error = absl::OkStatus();
  EXPECT_TRUE(services.Remove(kServiceId).ok());
  EXPECT_TRUE(world.catalog->loaded.empty());
  EXPECT_TRUE(services.List().empty());
}

// The catalog is loaded, and nobody could write that down.
TEST(UpdateServicesTest, NothingIsLeftOfARegistrationThatFailsLate) {
  World world;
  world.catalog->on_load = [&world] {
    for (const auto& folder : std::filesystem::directory_iterator(
             world.state_dir() / "repositories")) {
      std::filesystem::create_directories(folder.path() / "loaded" /
                                          "in the way");
    }
  };
  EXPECT_FALSE(Add(world, Service()).ok());
  EXPECT_TRUE(world.catalog->loaded.empty());
  world.catalog->on_load = nullptr;
  EXPECT_TRUE(Add(world, Service()).ok());
}

TEST(UpdateServicesTest, StartRemovesTheCatalogOfWhatIsNotRegistered) {
  World world;
  world.AddService();
  world.loaded_at_start = {kServiceId, "33333333-3333-4333-8333-333333333333"};
  world.Restart();
  EXPECT_EQ(world.catalog->loaded, std::vector<std::string>{kServiceId});
}

TEST(UpdateServicesTest, AChangeAndARefreshLoseNeither) {
  World world;
  world.AddService();
  auto& services = world.core().services();
  world.clock->Advance(absl::Hours(1));
  std::thread refresh;
  world.repositories->on_confirm = [&] {
    refresh = std::thread([&] {
      EXPECT_TRUE(services.Refresh(kServiceId, {}, CancellationToken()).ok());
    });
    // In the middle of the change; time to do it, if it does not wait.
    const auto recorded = [&] {
      return services.Get(kServiceId)->last_refresh_time().seconds() ==
             absl::ToUnixSeconds(world.clock->Now());
    };
    for (int i = 0; i < 20 && !recorded(); ++i) {
      absl::SleepFor(absl::Milliseconds(10));
    }
  };
  NewService change = Service();
  change.service_id = kServiceId;
  change.name = "another name";
  EXPECT_TRUE(Add(world, change).ok());
  refresh.join();
  const auto expect_both = [&world] {
    const v1::UpdateService service = *world.core().services().Get(kServiceId);
    EXPECT_EQ(service.name(), "another name");
    EXPECT_EQ(service.last_refresh_time().seconds(),
              absl::ToUnixSeconds(world.clock->Now()));
  };
  expect_both();
  const absl::Time now = world.clock->Now();
  world.Restart();
  world.clock->Advance(now - world.clock->Now());
  expect_both();
}

TEST(UpdateServicesTest, OnlyAdministratorsChangeThem) {
  World world;
  v1::AddUpdateServiceRequest request;
  request.set_service_url("http://test");
  request.set_root_metadata("root");
  v1::UpdateServiceRegistration registration;
  EXPECT_EQ(
      HResultOf(AddUpdateService(world.core(), CallOf("uid:1001"), request,
                                 registration, CancellationToken())),
      hr::kEAccessdenied);
  EXPECT_TRUE(AddUpdateService(world.core(), CallOf("uid:0", true), request,
                               registration, CancellationToken())
                  .ok());
}

}  // namespace
}  // namespace usher::session
