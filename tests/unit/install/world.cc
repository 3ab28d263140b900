#include "tests/unit/install/world.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "service/install/switch.h"
#include "service/store/history_store.h"

namespace usher::install::test {

using repository::v1::UpdateDescription;

catalog::UpdateKey Key(int n, int32_t revision) {
  return {kService, absl::StrFormat("bbbbbbbb-0000-4000-8000-%012d", n),
          revision};
}

void Watcher::OnProgress(int index, int percent) {
  percents[static_cast<size_t>(index)].push_back(percent);
  if (on_progress) on_progress(percent);
}

void Watcher::OnUpdateDone(int index, const InstallResult& result) {
  results[static_cast<size_t>(index)] = result;
  if (on_update_done) on_update_done(index);
}

void Watcher::OnFinished(bool was_parked) {
  parked = was_parked;
  finished.Notify();
}

World::World(const std::filesystem::path& dir)
    : dir_(dir), catalog_(dir / "receipts") {
  store::DatabaseOptions database_options;
  database_options.check = false;
  auto database = store::Database::Open(dir / "usher.db", database_options);
  EXPECT_TRUE(database.ok()) << database.status();
  database_ = std::move(*database);
  options_.product_dir = dir / "products";
  options_.work_dir = dir / "work";
  options_.boot_id = "boot-1";
  options_.locale = "en";
  const std::filesystem::path root = dir / "root";
  options_.dpkg.admin_dir = root / "var/lib/dpkg";
  options_.dpkg.extra_arguments = {absl::StrCat("--root=", root.string()),
                                   "--force-not-root",
                                   "--force-script-chrootless"};
  options_.dpkg.require_root = false;
  options_.dpkg.lock_timeout = absl::Milliseconds(200);
  options_.dpkg.reboot_required_file = root / "reboot-required";
}

absl::Status World::Start(std::unique_ptr<Handler> msi) {
  engine_.reset();
  HandlerSet handlers = HandlerSet::Standard(options_);
  if (msi != nullptr) {
    handlers.Add(repository::v1::Handler::kMsi, std::move(msi));
  }
  auto engine = Engine::StartWith(*database_, catalog_, cache_, options_,
                                  std::move(handlers));
  if (engine.ok()) engine_ = std::move(*engine);
  return engine.status();
}

UpdateDescription World::NewUpdate(const catalog::UpdateKey& key) {
  UpdateDescription description;
  v1::Update& update = *description.mutable_update();
  update.mutable_identity()->set_service_id(key.service_id);
  update.mutable_identity()->set_update_id(key.update_id);
  update.mutable_identity()->set_revision_number(key.revision);
  update.set_title(absl::StrCat("Update ", key.update_id.substr(34)));
  update.set_description("Made by a test");
  update.set_version("1.2.3");
  update.set_is_uninstallable(true);
  return description;
}

void World::AddPayload(UpdateDescription& update, const std::string& name,
                       const std::string& content) {
  auto* payload = update.add_payloads();
  payload->set_name(name);
  payload->set_size(static_cast<int64_t>(content.size()));
  payload->set_sha256(cache_.Add(content));
}

catalog::UpdateKey World::AddArchive(int n, const std::string& product,
                                     const std::string& version,
                                     const std::string& content,
                                     int32_t revision) {
  UpdateDescription update = NewUpdate(Key(n, revision));
  AddPayload(update, "files.tar.gz",
             MakeArchive({{"bin", "", Member::Type::kFolder, 0755},
                          {"bin/run", content, Member::Type::kFile, 0755}}));
  update.mutable_handler()->mutable_archive()->set_product(product);
  update.mutable_handler()->mutable_archive()->set_version(version);
  catalog_.Add(update);
  return Key(n, revision);
}

catalog::UpdateKey World::AddScript(
    int n, const std::string& script, const std::string& uninstall_script,
    const std::function<void(UpdateDescription&)>& change) {
  UpdateDescription update = NewUpdate(Key(n));
  AddPayload(update, kScript, WholeScript(script));
  update.mutable_handler()->mutable_exec();
  if (!uninstall_script.empty()) {
    const std::string name = kIsUnix ? "remove.sh" : "remove.cmd";
    AddPayload(update, name, WholeScript(uninstall_script));
    update.mutable_handler()->mutable_exec()->set_uninstall_program(name);
  }
  if (change) change(update);
  catalog_.Add(update);
  return Key(n);
}

std::string World::WholeScript(const std::string& script) const {
  return absl::StrCat(
      kIsUnix ? "#!/bin/sh\n" : "@echo off\r\n",
      absl::StrReplaceAll(script, {{"$STATE", PathToUtf8(dir_)}}),
      kIsUnix ? "\n" : "\r\n");
}

catalog::UpdateKey World::AddDeb(int n, const std::vector<Deb>& packages) {
  UpdateDescription update = NewUpdate(Key(n));
  for (const Deb& deb : packages) {
    AddPayload(update, absl::StrCat(deb.name, "_", deb.version, "_all.deb"),
               MakeDeb(deb, dir_));
  }
  update.mutable_handler()->mutable_deb();
  catalog_.Add(update);
  return Key(n);
}

void World::AlwaysRequiresReboot(const catalog::UpdateKey& key) {
  UpdateDescription description = *catalog_.Describe(key);
  description.mutable_update()
      ->mutable_installation_behavior()
      ->set_reboot_behavior(
          v1::INSTALLATION_REBOOT_BEHAVIOR_ALWAYS_REQUIRES_REBOOT);
  catalog_.Add(description);
}

InstallRequest World::Request(std::vector<catalog::UpdateKey> keys,
                              Operation operation) {
  InstallRequest request;
  request.job_id = absl::StrCat("job-", ++next_job_, "-", RandomResourceId());
  request.operation = operation;
  request.updates = std::move(keys);
  request.client_application_id = "test";
  request.caller = "uid:0";
  return request;
}

std::vector<InstallResult> World::Run(const InstallRequest& request) {
  const auto watcher = std::make_shared<Watcher>(request.updates.size());
  const absl::Status begun =
      engine_->Begin(request, watcher, CancellationToken());
  EXPECT_TRUE(begun.ok()) << begun;
  if (!begun.ok()) return watcher->results;
  watcher->Wait();
  EXPECT_FALSE(watcher->parked);
  return watcher->results;
}

std::vector<v1::UpdateHistoryEntry> World::History() {
  std::vector<v1::UpdateHistoryEntry> entries;
  const absl::Status status = store::QueryHistory(
      *database_, "", 0, 1000, [&entries](const v1::UpdateHistoryEntry& entry) {
        entries.push_back(entry);
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  return entries;
}

std::vector<std::string> World::Strays() const {
  std::vector<std::string> strays;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(dir_, error)) {
    const std::string path =
        entry.path().lexically_relative(dir_).generic_string();
    if (absl::StrContains(path, ".staging-") ||
        absl::StrContains(path, ".old-") ||
        absl::StrContains(path, ".current.next") ||
        absl::StrContains(path, ".tmp") ||
        absl::StartsWith(path, "work/attempts/")) {
      strays.push_back(path);
    }
  }
  return strays;
}

std::string Content(const std::filesystem::path& path) {
  return ReadFile(path, 1 << 20).value_or("");
}

std::filesystem::path InUse(const std::filesystem::path& product) {
  const absl::StatusOr<std::string> version =
      CurrentVersion(product / "current");
  EXPECT_TRUE(version.ok()) << version.status();
  return version.ok() && !version->empty() ? product / PathFromUtf8(*version)
                                           : product / "nothing in use";
}

}  // namespace usher::install::test
