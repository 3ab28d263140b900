#include "tests/unit/session/calls.h"

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "service/session/downloader_api.h"
#include "service/session/installer_api.h"
#include "service/session/lookup.h"
#include "service/session/session_api.h"
#include "usher/v1/downloader.pb.h"
#include "usher/v1/installer.pb.h"
#include "usher/v1/session.pb.h"

namespace usher::testing {
namespace {

session::Call Root() { return CallOf("uid:0", true); }

}  // namespace

std::string OpenName(World& world, const session::Call& call) {
  v1::OpenSessionRequest request;
  request.set_client_application_id("test");
  v1::OpenSessionResponse response;
  EXPECT_TRUE(session::OpenSession(world.core(), call, request, response).ok());
  return response.session().name();
}

google::protobuf::RepeatedPtrField<v1::UpdateKey> Keys(
    const std::vector<int>& updates) {
  google::protobuf::RepeatedPtrField<v1::UpdateKey> keys;
  for (const int n : updates) {
    v1::UpdateKey& key = *keys.Add();
    key.set_service_id(kServiceId);
    key.set_update_id(UpdateId(n));
    key.set_revision_number(1);
  }
  return keys;
}

absl::StatusOr<std::string> Download(World& world, const std::string& session,
                                     const std::vector<int>& updates,
                                     bool forced, const session::Call& call) {
  v1::CreateDownloaderRequest create;
  create.set_parent(session);
  create.mutable_downloader()->set_is_forced(forced);
  *create.mutable_downloader()->mutable_updates() = Keys(updates);
  create.mutable_update_mask()->add_paths("updates");
  create.mutable_update_mask()->add_paths("is_forced");
  v1::Downloader downloader;
  USHER_RETURN_IF_ERROR(
      session::CreateDownloader(world.core(), call, create, downloader));
  v1::BeginDownloadRequest begin;
  begin.set_downloader(downloader.name());
  v1::Job job;
  USHER_RETURN_IF_ERROR(session::BeginDownload(world.core(), call, begin, job,
                                               CancellationToken()));
  return job.name();
}

absl::StatusOr<std::string> Install(World& world, const std::string& session,
                                    const std::vector<int>& updates) {
  v1::CreateInstallerRequest create;
  create.set_parent(session);
  *create.mutable_installer()->mutable_updates() = Keys(updates);
  create.mutable_update_mask()->add_paths("updates");
  v1::Installer installer;
  USHER_RETURN_IF_ERROR(
      session::CreateInstaller(world.core(), Root(), create, installer));
  v1::BeginInstallRequest begin;
  begin.set_installer(installer.name());
  v1::Job job;
  USHER_RETURN_IF_ERROR(session::BeginInstall(world.core(), Root(), begin, job,
                                              CancellationToken()));
  return job.name();
}

std::shared_ptr<session::Job> Find(World& world, const std::string& name) {
  const auto found = session::FindJob(world.core(), Root(), name);
  return found.ok() ? found->job : nullptr;
}

v1::Job WaitFor(const std::shared_ptr<session::Job>& job) {
  absl::Notification settled;
  job->OnSettled([&settled] { settled.Notify(); });
  settled.WaitForNotification();
  v1::Job state;
  job->Read(state);
  return state;
}

v1::Job WaitFor(World& world, const std::string& name) {
  return WaitFor(Find(world, name));
}

}  // namespace usher::testing
