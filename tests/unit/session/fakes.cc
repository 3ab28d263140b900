#include "tests/unit/session/fakes.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <zstd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "service/store/database.h"
#include "usher/v1/update_service.pb.h"

namespace usher::testing {
namespace {

Sha256Digest DigestOf(int64_t n) { return Sha256Of(absl::StrCat("file ", n)); }

std::string UrlOf(int64_t n) { return absl::StrCat("http://test/", n); }

// A catalog file with nothing but a header.
std::string HeaderOnlyCatalog(const std::string& service_id) {
  repository::v1::CatalogRecord record;
  record.mutable_header()->set_format_version(1);
  record.mutable_header()->set_service_id(service_id);
  record.mutable_header()->set_service_name("Test");
  std::string plain;
  {
    google::protobuf::io::StringOutputStream stream(&plain);
    google::protobuf::io::CodedOutputStream output(&stream);
    output.WriteVarint32(static_cast<uint32_t>(record.ByteSizeLong()));
    record.SerializeToCodedStream(&output);
  }
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(),
                              plain.size(), 1));
  return packed;
}

class FakeRepository : public repository::Repository {
 public:
  explicit FakeRepository(std::shared_ptr<FakeRepositories::State> state)
      : state_(std::move(state)) {}

  absl::StatusOr<repository::RefreshOutcome> Refresh(
      const CancellationToken& cancel) override {
    std::shared_ptr<absl::Notification> gate;
    std::shared_ptr<absl::Notification> stalled;
    {
      absl::MutexLock lock(&state_->mutex);
      ++state_->refreshes;
      gate = state_->gate;
      stalled.swap(state_->stalled);
    }
    if (stalled != nullptr) {
      stalled->Notify();
      static_cast<void>(cancel.WaitFor(absl::InfiniteDuration()));
      return Error(hr::kWuECallCancelled, "cancelled");
    }
    if (gate != nullptr) gate->WaitForNotification();
    return Trusted();
  }

  absl::StatusOr<repository::RefreshOutcome> Trusted() override {
    absl::MutexLock lock(&state_->mutex);
    if (!state_->refresh_error.ok()) return state_->refresh_error;
    repository::RefreshOutcome outcome;
    outcome.changed = true;
    outcome.roots_followed = !state_->roots_are_recent;
    outcome.root_version = 1;
    outcome.problems = state_->problems;
    outcome.root_expires = absl::FromUnixSeconds(4'000'000'000);
    outcome.catalogs = {{"catalog/catalog.usc", 100,
                         Sha256Of(absl::StrCat("catalog ", state_->version)),
                         "targets", 0}};
    outcome.catalogs.insert(outcome.catalogs.end(), state_->delegated.begin(),
                            state_->delegated.end());
    return outcome;
  }

  absl::Status FetchTarget(const repository::TargetFile& target,
                           const std::filesystem::path& destination,
                           const CancellationToken& /*cancel*/) override {
    absl::MutexLock lock(&state_->mutex);
    state_->fetched.push_back(target.name);
    const auto error = state_->fetch_errors.find(target.name);
    if (error != state_->fetch_errors.end()) return error->second;
    return WriteFileAtomically(destination,
                               HeaderOnlyCatalog(state_->service_id));
  }

 private:
  const std::shared_ptr<FakeRepositories::State> state_;
};

class FakeCachedFile final : public download::CachedFile {
 public:
  int64_t size() const override { return 1; }
  absl::Status CopyTo(const std::filesystem::path& destination) override {
    return WriteFileAtomically(destination, "x");
  }
};

}  // namespace

std::string UpdateId(int n) {
  return absl::StrFormat("22222222-2222-4222-8222-%012d", n);
}

void FakeCatalog::Add(int n, int64_t size) {
  absl::MutexLock lock(&mutex);
  v1::Update& update = entries[n].update;
  update.mutable_identity()->set_service_id(kServiceId);
  update.mutable_identity()->set_update_id(UpdateId(n));
  update.mutable_identity()->set_revision_number(1);
  update.set_name(absl::StrCat("update-", n));
  v1::UpdateDownloadContent& content = *update.add_download_contents();
  content.set_download_url(UrlOf(n));
  content.set_size(size);
  content.set_sha256(ToHex(DigestOf(n)));
}

absl::StatusOr<catalog::LoadSummary> FakeCatalog::Load(
    absl::string_view service_id, absl::string_view /*base_url*/,
    absl::Span<const catalog::CatalogFile> files,
    const CancellationToken& /*cancel*/) {
  absl::MutexLock lock(&mutex);
  if (!load_error.ok()) return load_error;
  loaded.emplace_back(service_id);
  loaded_files.clear();
  for (const catalog::CatalogFile& file : files) {
    loaded_files.push_back(file.target_name);
  }
  if (on_load) on_load();
  catalog::LoadSummary summary;
  summary.left_out = publishers_left_out;
  summary.service_name = "Test";
  return summary;
}

absl::Status FakeCatalog::Remove(absl::string_view service_id) {
  if (on_remove) on_remove();
  absl::MutexLock lock(&mutex);
  if (!remove_error.ok()) return remove_error;
  std::erase(loaded, std::string(service_id));
  return absl::OkStatus();
}

absl::Status FakeCatalog::CheckCriteria(absl::string_view criteria) {
  if (criteria == "bad") {
    return Error(hr::kWuEInvalidCriteria, "bad criteria", "criteria");
  }
  return absl::OkStatus();
}

absl::StatusOr<catalog::SearchResult> FakeCatalog::Search(
    const catalog::Query& query, const CancellationToken& cancel) {
  std::shared_ptr<absl::Notification> gate;
  std::shared_ptr<absl::Notification> waits;
  {
    absl::MutexLock lock(&mutex);
    gate = search_gate;
    waits = search_waits;
    if (!search_error.ok()) return search_error;
  }
  if (gate != nullptr) {
    const uint64_t id = cancel.OnCancel([gate] {
      if (!gate->HasBeenNotified()) gate->Notify();
    });
    if (waits != nullptr) waits->Notify();
    gate->WaitForNotification();
    cancel.Forget(id);
    if (cancel.cancelled()) {
      return Error(hr::kWuECallCancelled, "cancelled");
    }
  }
  absl::MutexLock lock(&mutex);
  catalog::SearchResult result;
  for (const auto& [row, entry] : entries) {
    if (query.max_results > 0 &&
        static_cast<int64_t>(result.rows.size()) >= query.max_results) {
      break;
    }
    result.rows.push_back(row);
  }
  return result;
}

absl::StatusOr<int64_t> FakeCatalog::Stream(
    absl::Span<const int64_t> rows, absl::string_view /*locale*/,
    absl::FunctionRef<absl::Status(absl::string_view)> sink) {
  int64_t left_out = 0;
  for (const int64_t row : rows) {
    std::string wire;
    {
      absl::MutexLock lock(&mutex);
      const auto it = entries.find(row);
      if (it == entries.end()) {
        ++left_out;
        continue;
      }
      wire = it->second.update.SerializeAsString();
    }
    USHER_RETURN_IF_ERROR(sink(wire));
  }
  return left_out;
}

absl::StatusOr<std::vector<v1::Category>> FakeCatalog::CategoriesOf(
    absl::Span<const int64_t> /*rows*/, absl::string_view /*locale*/) {
  absl::MutexLock lock(&mutex);
  if (!categories.empty()) return categories;
  std::vector<v1::Category> all(1);
  all[0].set_name("All");
  return all;
}

absl::StatusOr<v1::Update> FakeCatalog::Get(const catalog::UpdateKey& key,
                                            absl::string_view /*locale*/) {
  USHER_ASSIGN_OR_RETURN(const int64_t row, Row(key));
  absl::MutexLock lock(&mutex);
  return entries[row].update;
}

absl::StatusOr<int64_t> FakeCatalog::Row(const catalog::UpdateKey& key) {
  absl::MutexLock lock(&mutex);
  for (const auto& [row, entry] : entries) {
    if (entry.update.identity().update_id() == key.update_id &&
        entry.update.identity().revision_number() == key.revision) {
      return row;
    }
  }
  return Error(hr::kWuEDsNodataNosuchrevision, "no such revision",
               key.update_id);
}

absl::StatusOr<repository::v1::UpdateDescription> FakeCatalog::Describe(
    const catalog::UpdateKey& key) {
  repository::v1::UpdateDescription description;
  USHER_ASSIGN_OR_RETURN(*description.mutable_update(), Get(key, "en"));
  return description;
}

absl::StatusOr<catalog::Catalog::Applicability> FakeCatalog::Evaluate(
    const catalog::UpdateKey& key) {
  USHER_ASSIGN_OR_RETURN(const int64_t row, Row(key));
  absl::MutexLock lock(&mutex);
  return entries[row].state;
}

absl::Status FakeCatalog::SetHidden(const catalog::UpdateKey& key,
                                    bool hidden) {
  USHER_ASSIGN_OR_RETURN(const int64_t row, Row(key));
  absl::MutexLock lock(&mutex);
  entries[row].update.set_is_hidden(hidden);
  return absl::OkStatus();
}

absl::Status FakeCatalog::AcceptEula(const catalog::UpdateKey& key) {
  USHER_ASSIGN_OR_RETURN(const int64_t row, Row(key));
  absl::MutexLock lock(&mutex);
  entries[row].update.set_eula_accepted(true);
  return absl::OkStatus();
}

absl::Status FakeCatalog::RecordInstalled(const catalog::UpdateKey& /*key*/,
                                          bool /*reboot_required*/) {
  return absl::OkStatus();
}

absl::Status FakeCatalog::RecordUninstalled(const catalog::UpdateKey& /*key*/,
                                            bool /*reboot_required*/) {
  return absl::OkStatus();
}

absl::StatusOr<int64_t> FakeCatalog::UpdateCount(
    absl::string_view /*service_id*/) {
  absl::MutexLock lock(&mutex);
  return static_cast<int64_t>(entries.size());
}

absl::StatusOr<std::vector<std::string>> FakeCatalog::LoadedServices() {
  absl::MutexLock lock(&mutex);
  const std::set<std::string> services(loaded.begin(), loaded.end());
  return std::vector<std::string>(services.begin(), services.end());
}

bool FakeCache::Contains(const Sha256Digest& digest) const {
  absl::MutexLock lock(&mutex);
  return contents.contains(digest);
}

absl::StatusOr<std::unique_ptr<download::CachedFile>> FakeCache::Open(
    const Sha256Digest& digest) {
  if (!Contains(digest)) return Error(hr::kWuEDmNotdownloaded, "fake");
  return std::make_unique<FakeCachedFile>();
}

std::filesystem::path FakeCache::PartialPath(const Sha256Digest& digest) {
  return ToHex(digest);
}

absl::Status FakeCache::Commit(const Sha256Digest& digest, int64_t /*size*/) {
  absl::MutexLock lock(&mutex);
  contents.insert(digest);
  return absl::OkStatus();
}

absl::Status FakeCache::Remove(const Sha256Digest& digest) {
  absl::MutexLock lock(&mutex);
  contents.erase(digest);
  return absl::OkStatus();
}

int64_t FakeCache::TotalBytes() const {
  absl::MutexLock lock(&mutex);
  return static_cast<int64_t>(contents.size());
}

FakeDownloads::~FakeDownloads() {
  std::map<std::string, Running> running;
  {
    absl::MutexLock lock(&state_->mutex);
    running.swap(state_->running);
  }
  for (auto& [url, fetch] : running) {
    fetch.observer->OnDone(Error(hr::kWuEServiceStop, "stopping"));
  }
}

void FakeDownloads::Fetch(const download::FileRequest& request,
                          std::shared_ptr<download::FileObserver> observer,
                          const CancellationToken& cancel) {
  {
    absl::MutexLock lock(&state_->mutex);
    ++state_->started;
    state_->running[request.url] = {request, observer, cancel};
  }
  cancel.OnCancel([state = state_, url = request.url] {
    std::shared_ptr<download::FileObserver> cancelled;
    {
      absl::MutexLock lock(&state->mutex);
      const auto it = state->running.find(url);
      if (it == state->running.end()) return;
      cancelled = it->second.observer;
      state->running.erase(it);
    }
    cancelled->OnDone(Error(hr::kWuECallCancelled, "cancelled"));
  });
}

void AwaitFetch(FakeDownloads::State& state, int n) {
  const std::string url = UrlOf(n);
  absl::MutexLock lock(&state.mutex);
  const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state.mutex) {
    return state.running.contains(url);
  };
  state.mutex.Await(absl::Condition(&there));
}

FakeDownloads::Running TakeFetch(FakeDownloads::State& state, int n) {
  AwaitFetch(state, n);
  const std::string url = UrlOf(n);
  absl::MutexLock lock(&state.mutex);
  FakeDownloads::Running running = state.running[url];
  state.running.erase(url);
  return running;
}

std::vector<install::UnfinishedJob> FakeInstalls::Unfinished() {
  absl::MutexLock lock(&state_->mutex);
  return state_->unfinished;
}

absl::Status FakeInstalls::Begin(
    const install::InstallRequest& request,
    std::shared_ptr<install::InstallObserver> observer,
    const CancellationToken& /*cancel*/) {
  if (state_->on_begin) state_->on_begin(request);
  absl::MutexLock lock(&state_->mutex);
  if (!state_->begin_error.ok()) return state_->begin_error;
  state_->begun.push_back(request);
  state_->running[request.job_id] = std::move(observer);
  state_->busy = true;
  return absl::OkStatus();
}

absl::Status FakeInstalls::Resume(
    const std::string& job_id,
    std::shared_ptr<install::InstallObserver> observer,
    const CancellationToken& /*cancel*/) {
  absl::MutexLock lock(&state_->mutex);
  state_->resumed.push_back(job_id);
  state_->running[job_id] = std::move(observer);
  return absl::OkStatus();
}

bool FakeInstalls::IsBusy() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->busy;
}

void FakeInstalls::Stop() {
  std::map<std::string, std::shared_ptr<install::InstallObserver>> running;
  {
    absl::MutexLock lock(&state_->mutex);
    running.swap(state_->running);
  }
  for (auto& [id, observer] : running) observer->OnFinished(/*parked=*/true);
}

absl::Status FakeRepositories::Initialize(
    const repository::RepositoryOptions& options, absl::string_view root) {
  if (root != "root") {
    return Error(hr::kWuEMetadataBadSignature, "not signed", "root.json");
  }
  return WriteFileAtomically(options.metadata_dir / "root.json", root);
}

absl::Status FakeRepositories::Confirm(
    const repository::RepositoryOptions& options, absl::string_view root) {
  std::function<void()> on_confirm;
  {
    absl::MutexLock lock(&state_->mutex);
    on_confirm = state_->on_confirm;
  }
  if (on_confirm) on_confirm();
  USHER_ASSIGN_OR_RETURN(const std::string trusted,
                         ReadFile(options.metadata_dir / "root.json", 1024));
  if (root == trusted) return absl::OkStatus();
  return Error(hr::kWuEDsRowexists, "another root", "root.json");
}

absl::StatusOr<std::unique_ptr<repository::Repository>> FakeRepositories::Open(
    const repository::RepositoryOptions& options) {
  absl::MutexLock lock(&state_->mutex);
  state_->proxies.push_back(options.proxy.address);
  state_->roots_are_recent = options.roots_are_recent;
  return std::make_unique<FakeRepository>(state_);
}

TemporaryFolder::TemporaryFolder()
    : path_(std::filesystem::temp_directory_path() /
            ("usher-test-" + RandomResourceId().substr(0, 12))) {
  if (!MakeDirectories(path_).ok()) std::abort();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

World::World(session::CoreOptions options)
    : downloads(std::make_shared<FakeDownloads::State>()),
      installs(std::make_shared<FakeInstalls::State>()),
      repositories(std::make_shared<FakeRepositories::State>()),
      options_(std::move(options)) {
  options_.services.metadata_dir = folder_.path() / "repositories";
  options_.services.scan_package_dir = folder_.path() / "scan-packages";
  options_.services.catalog_dir = folder_.path() / "catalogs";
  Start();
}

World::~World() { Stop(); }

void World::Start() {
  session::CoreParts parts;
  auto database = store::Database::Open(folder_.path() / "usher.db", {});
  if (!database.ok()) std::abort();
  parts.database = *std::move(database);
  auto manual = std::make_unique<ManualClock>();
  clock = manual.get();
  parts.clock = std::move(manual);
  auto contents = std::make_unique<FakeCache>();
  cache = contents.get();
  parts.cache = std::move(contents);
  auto updates = std::make_unique<FakeCatalog>();
  catalog = updates.get();
  {
    absl::MutexLock lock(&catalog->mutex);
    catalog->entries = entries;
    catalog->loaded = loaded_at_start;
  }
  parts.catalog = std::move(updates);
  parts.downloads = std::make_unique<FakeDownloads>(downloads);
  parts.installs = std::make_unique<FakeInstalls>(installs);
  parts.repositories = std::make_unique<FakeRepositories>(repositories);
  auto core = session::Core::Start(options_, std::move(parts));
  if (!core.ok()) std::abort();
  core_ = *std::move(core);
}

void World::Stop() {
  if (core_ == nullptr) return;
  {
    absl::MutexLock lock(&catalog->mutex);
    entries = catalog->entries;
  }
  core_.reset();
}

void World::Restart() {
  Stop();
  Start();
}

void World::AddService() {
  session::NewService service;
  service.service_id = kServiceId;
  service.url = "http://test";
  service.root = "root";
  service.is_default = true;
  const auto added = core_->services().Add(service, {}, CancellationToken());
  if (!added.ok()) std::abort();
}

session::Call CallOf(const std::string& user, bool administrator) {
  return {{user, administrator}, "request-1"};
}

}  // namespace usher::testing
