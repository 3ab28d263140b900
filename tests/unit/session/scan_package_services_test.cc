// Scan packages as update services.

#include <google/protobuf/empty.pb.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/session/machine_api.h"
#include "service/session/session_api.h"
#include "tests/unit/common/temp_folder.h"
#include "tests/unit/repository/test_tar.h"
#include "tests/unit/session/fakes.h"
#include "usher/v1/session.pb.h"
#include "usher/v1/types.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

using ::testing::HasSubstr;
using usher::testing::CallOf;
using usher::testing::kServiceId;
using usher::testing::World;

const Call kRoot = CallOf("uid:0", true);

class ScanPackageServicesTest : public ::testing::Test {
 protected:
  ScanPackageServicesTest() {
    EXPECT_TRUE(
        WriteFileAtomically(
            folder_ / "package.usp",
            repository::TestTar().Add("metadata/timestamp.json", "{}").Bytes())
            .ok());
  }

  std::string OpenSessionOf(const std::string& id) {
    v1::OpenSessionRequest request;
    request.set_client_application_id(id);
    v1::OpenSessionResponse response;
    EXPECT_TRUE(OpenSession(world_.core(), kRoot, request, response).ok());
    return response.session().name();
  }

  // Volatile if `session` is given.
  absl::StatusOr<v1::UpdateService> Add(const std::string& session = "",
                                        const Call& call = kRoot) {
    v1::AddScanPackageServiceRequest request;
    request.set_scan_file_location(PathToUtf8(folder_ / "package.usp"));
    request.set_root_metadata("root");
    request.set_flags(session.empty() ? 1 : 0);
    request.set_session(session);
    v1::UpdateService service;
    const absl::Status status = AddScanPackageService(
        world_.core(), call, request, service, CancellationToken());
    if (!status.ok()) return status;
    return service;
  }

  UpdateServices& services() { return world_.core().services(); }

  TempFolder folder_;
  World world_;
};

TEST_F(ScanPackageServicesTest, StaysRegistered) {  // UAMG-214
  const auto added = Add();
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->service_id(), kServiceId);
  EXPECT_EQ(added->name(), "Test");
  EXPECT_TRUE(added->is_scan_package_service());
  EXPECT_FALSE(added->is_volatile());
  EXPECT_THAT(added->service_url(), HasSubstr("file:///"));
  world_.Restart();
  ASSERT_EQ(services().List().size(), 1U);
  EXPECT_EQ(services().List()[0].SerializeAsString(),
            added->SerializeAsString());
}

TEST_F(ScanPackageServicesTest, OnlyAdministratorsAddThem) {
  EXPECT_EQ(HResultOf(Add("", CallOf("uid:1001")).status()),
            hr::kEAccessdenied);
}

TEST_F(ScanPackageServicesTest, WhatFailsChangesNothing) {
  world_.catalog->load_error = Error(hr::kWuEInvalidUpdate, "bad record");
  EXPECT_EQ(HResultOf(Add().status()), hr::kWuEInvalidUpdate);
  EXPECT_TRUE(services().List().empty());
  world_.catalog->load_error = absl::OkStatus();
  const auto first = Add();
  ASSERT_TRUE(first.ok());
  world_.catalog->load_error = Error(hr::kWuEInvalidUpdate, "bad record");
  EXPECT_EQ(HResultOf(Add().status()), hr::kWuEInvalidUpdate);
  EXPECT_EQ(services().Get(kServiceId)->service_url(), first->service_url());
  world_.Restart();
  EXPECT_EQ(services().Get(kServiceId)->service_url(), first->service_url());
}

TEST_F(ScanPackageServicesTest, AnotherTakesItsPlace) {
  const auto first = Add();
  ASSERT_TRUE(first.ok());
  world_.repositories->version = 2;
  const auto second = Add();
  ASSERT_TRUE(second.ok());
  EXPECT_NE(second->service_url(), first->service_url());
  EXPECT_EQ(services().List().size(), 1U);
}

// The newer one's catalog is loaded, and nobody could write that down.
TEST_F(ScanPackageServicesTest, WhatFailsLateIsUndone) {
  const auto first = Add();
  ASSERT_TRUE(first.ok());
  world_.repositories->version = 2;
  const size_t loads = world_.catalog->loaded.size();
  std::set<std::filesystem::path> before;
  const std::filesystem::path places = world_.state_dir() / "scan-packages";
  for (const auto& place : std::filesystem::directory_iterator(places)) {
    before.insert(place.path());
  }
  ASSERT_EQ(before.size(), 1U);
  world_.catalog->on_load = [&before, &places] {
    for (const auto& place : std::filesystem::directory_iterator(places)) {
      if (before.contains(place.path())) continue;
      std::filesystem::create_directories(place.path() / "trusted" / "loaded" /
                                          "in the way");
    }
  };
  EXPECT_FALSE(Add().ok());
  EXPECT_EQ(services().Get(kServiceId)->service_url(), first->service_url());
  // The newer one's, and the older one's again.
  EXPECT_EQ(world_.catalog->loaded.size(), loads + 2);
  world_.catalog->on_load = nullptr;
  EXPECT_TRUE(Add().ok());
}

TEST_F(ScanPackageServicesTest, NotBetweenTheStepsOfARemoval) {
  ASSERT_TRUE(Add().ok());
  absl::Notification removing;
  absl::Notification go_on;
  world_.catalog->on_remove = [&] {
    removing.Notify();
    go_on.WaitForNotification();
  };
  std::thread remove([&] { EXPECT_TRUE(services().Remove(kServiceId).ok()); });
  removing.WaitForNotification();
  absl::Notification added;
  std::thread add([&] {
    static_cast<void>(Add());
    added.Notify();
  });
  // Time to do it, if it does not wait.
  added.WaitForNotificationWithTimeout(absl::Milliseconds(200));
  go_on.Notify();
  remove.join();
  add.join();
  EXPECT_EQ(services().List().empty(), world_.catalog->loaded.empty());
}

TEST_F(ScanPackageServicesTest, NotWhereAUrlIsRegistered) {
  world_.AddService();
  const absl::Status status = Add().status();
  EXPECT_EQ(HResultOf(status), hr::kWuEDsRowexists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("http://test"));
}

TEST_F(ScanPackageServicesTest, ExpiredLaterSaysWhatToDo) {
  ASSERT_TRUE(Add().ok());
  world_.repositories->refresh_error =
      Error(hr::kCertEExpired, "timestamp.json: expired at 2030-01-31",
            "timestamp.json");
  const absl::Status status =
      services().Refresh(kServiceId, {}, CancellationToken()).status();
  EXPECT_EQ(HResultOf(status), hr::kCertEExpired);
  EXPECT_EQ(SubjectOf(status), "timestamp.json");
  EXPECT_THAT(services().Get(kServiceId)->last_refresh_error(),
              HasSubstr("new scan package"));
}

TEST_F(ScanPackageServicesTest, AreAskedForByName) {  // UAMG-090
  ASSERT_TRUE(Add().ok());
  EXPECT_EQ(*services().Resolve(v1::SERVER_SELECTION_DEFAULT, ""), kServiceId);
  const std::string online = "33333333-3333-4333-8333-333333333333";
  world_.repositories->service_id = online;
  NewService service;
  service.url = "http://test";
  service.root = "root";
  ASSERT_TRUE(services().Add(service, {}, CancellationToken()).ok());
  EXPECT_EQ(*services().Resolve(v1::SERVER_SELECTION_DEFAULT, ""), online);
  EXPECT_EQ(*services().Resolve(v1::SERVER_SELECTION_OTHERS, kServiceId),
            kServiceId);
}

TEST_F(ScanPackageServicesTest, VolatileEndsWithItsSession) {
  const std::string session = OpenSessionOf("till");
  const auto added = Add(session);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_TRUE(added->is_volatile());
  world_.Restart();
  EXPECT_EQ(services().List().size(), 1U);
  // By its idle time.
  world_.clock->Advance(world_.core().limits().session_idle_timeout * 2);
  world_.core().sessions().ExpireIdle();
  world_.core().administration().Drain();
  EXPECT_TRUE(services().List().empty());
  EXPECT_TRUE(world_.catalog->loaded.empty());
}

TEST_F(ScanPackageServicesTest, TheLastSessionThatAsksHasIt) {
  const std::string first = OpenSessionOf("first");
  const std::string second = OpenSessionOf("second");
  ASSERT_TRUE(Add(first).ok());
  ASSERT_TRUE(Add(second).ok());
  const auto close = [this](const std::string& name) {
    v1::CloseSessionRequest request;
    request.set_name(name);
    google::protobuf::Empty response;
    EXPECT_TRUE(CloseSession(world_.core(), kRoot, request, response).ok());
    world_.core().administration().Drain();
  };
  close(first);
  EXPECT_EQ(services().List().size(), 1U);
  close(second);
  EXPECT_TRUE(services().List().empty());
}

TEST_F(ScanPackageServicesTest, NotForASessionThatEndsMeanwhile) {
  const std::string session = OpenSessionOf("till");
  world_.repositories->gate = std::make_shared<absl::Notification>();
  std::thread adding([&] {
    EXPECT_EQ(Add(session).status().code(), absl::StatusCode::kNotFound);
  });
  {
    absl::MutexLock lock(&world_.repositories->mutex);
    const auto refreshing = [this] {
      return world_.repositories->refreshes > 0;
    };
    world_.repositories->mutex.Await(absl::Condition(&refreshing));
  }
  v1::CloseSessionRequest request;
  request.set_name(session);
  google::protobuf::Empty response;
  EXPECT_TRUE(CloseSession(world_.core(), kRoot, request, response).ok());
  world_.repositories->gate->Notify();
  adding.join();
  EXPECT_TRUE(services().List().empty());
}

}  // namespace
}  // namespace usher::session
