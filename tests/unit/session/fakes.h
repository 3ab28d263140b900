#ifndef USHER_TESTS_UNIT_SESSION_FAKES_H_
#define USHER_TESTS_UNIT_SESSION_FAKES_H_

// The layers below the session layer, under the test's control, and a Core on
// top of them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/error.h"
#include "service/catalog/catalog.h"
#include "service/download/content_cache.h"
#include "service/download/content_pins.h"
#include "service/download/download_engine.h"
#include "service/install/install_engine.h"
#include "service/session/clock.h"
#include "service/session/core.h"
#include "usher/repository/v1/catalog.pb.h"
#include "usher/v1/update.pb.h"

namespace usher::testing {

inline constexpr char kServiceId[] = "11111111-1111-4111-8111-111111111111";

// The id of the n-th made-up update.
std::string UpdateId(int n);

class ManualClock : public session::Clock {
 public:
  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }
  void Advance(absl::Duration step) {
    absl::MutexLock lock(&mutex_);
    now_ += step;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
};

// Updates by row, the row being the n of UpdateId(n).
class FakeCatalog : public catalog::Catalog {
 public:
  struct Entry {
    v1::Update update;
    Applicability state{false, true};
  };
  // Rows that exist; filled before the core runs, or under `mutex`.
  absl::Mutex mutex;
  std::map<int64_t, Entry> entries;
  // If set, Search waits for it or for cancellation.
  std::shared_ptr<absl::Notification> search_gate;
  // If set, told once when Search begins to wait for the gate.
  std::shared_ptr<absl::Notification> search_waits;
  absl::Status search_error;
  absl::Status load_error;
  // If set, called by a load that succeeds.
  std::function<void()> on_load;
  absl::Status remove_error;
  // If set, called by a removal, without locks, before it does anything.
  std::function<void()> on_remove;
  std::vector<std::string> loaded;        // services, once for each load
  std::vector<std::string> loaded_files;  // of the last load
  // Given back by the loads that succeed.
  std::vector<catalog::LeftOutPublisher> publishers_left_out;
  // Those of any updates; if empty, one named "All".
  std::vector<v1::Category> categories;

  // Adds the n-th update with one file of `size` bytes.
  void Add(int n, int64_t size = 1000);

  absl::StatusOr<catalog::LoadSummary> Load(
      absl::string_view service_id, absl::string_view base_url,
      absl::Span<const catalog::CatalogFile> files,
      const CancellationToken& cancel) override;
  absl::Status Remove(absl::string_view service_id) override;
  absl::Status CheckCriteria(absl::string_view criteria) override;
  absl::StatusOr<catalog::SearchResult> Search(
      const catalog::Query& query, const CancellationToken& cancel) override;
  absl::StatusOr<int64_t> Stream(
      absl::Span<const int64_t> rows, absl::string_view locale,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override;
  absl::StatusOr<std::vector<v1::Category>> CategoriesOf(
      absl::Span<const int64_t> rows, absl::string_view locale) override;
  absl::StatusOr<v1::Update> Get(const catalog::UpdateKey& key,
                                 absl::string_view locale) override;
  absl::StatusOr<int64_t> Row(const catalog::UpdateKey& key) override;
  absl::StatusOr<repository::v1::UpdateDescription> Describe(
      const catalog::UpdateKey& key) override;
  absl::StatusOr<Applicability> Evaluate(
      const catalog::UpdateKey& key) override;
  absl::Status SetHidden(const catalog::UpdateKey& key, bool hidden) override;
  absl::Status AcceptEula(const catalog::UpdateKey& key) override;
  absl::Status RecordInstalled(const catalog::UpdateKey& key,
                               bool reboot_required) override;
  absl::Status RecordUninstalled(const catalog::UpdateKey& key,
                                 bool reboot_required) override;
  absl::StatusOr<int64_t> UpdateCount(absl::string_view service_id) override;
  absl::StatusOr<std::vector<std::string>> LoadedServices() override;
};

class FakeCache : public download::ContentCache {
 public:
  mutable absl::Mutex mutex;
  std::set<Sha256Digest> contents;

  bool Contains(const Sha256Digest& digest) const override;
  absl::StatusOr<std::unique_ptr<download::CachedFile>> Open(
      const Sha256Digest& digest) override;
  std::filesystem::path PartialPath(const Sha256Digest& digest) override;
  absl::Status Commit(const Sha256Digest& digest, int64_t size) override;
  absl::Status Remove(const Sha256Digest& digest) override;
  download::ContentPin Pin(const Sha256Digest& digest) override {
    return pins->Pin(digest);
  }
  int64_t MaxBytes() const override { return max_bytes; }
  int64_t TotalBytes() const override;

  const std::shared_ptr<download::ContentPins> pins =
      std::make_shared<download::ContentPins>();
  int64_t max_bytes = 0;
};

// Keeps fetches until the test finishes them. Destruction parks what is left,
// as the real engine does.
class FakeDownloads : public download::DownloadEngine {
 public:
  struct Running {
    download::FileRequest request;
    std::shared_ptr<download::FileObserver> observer;
    CancellationToken cancel;
  };
  // Outlives the engine, so that a test can look after a stop.
  struct State {
    absl::Mutex mutex;
    std::map<std::string, Running> running;  // by URL
    int started = 0;
  };
  explicit FakeDownloads(std::shared_ptr<State> state)
      : state_(std::move(state)) {}
  ~FakeDownloads() override;

  void Fetch(const download::FileRequest& request,
             std::shared_ptr<download::FileObserver> observer,
             const CancellationToken& cancel) override;

 private:
  const std::shared_ptr<State> state_;
};
// Waits until the file of the n-th update is being fetched.
void AwaitFetch(FakeDownloads::State& state, int n);
// The same, and takes it: the test finishes it, not the engine.
FakeDownloads::Running TakeFetch(FakeDownloads::State& state, int n);

class FakeInstalls : public install::InstallEngine {
 public:
  struct State {
    absl::Mutex mutex;
    std::map<std::string, std::shared_ptr<install::InstallObserver>> running;
    std::vector<install::InstallRequest> begun;
    std::vector<std::string> resumed;
    std::vector<install::UnfinishedJob> unfinished;
    absl::Status begin_error;
    // If set, called by Begin, without locks, before it does anything.
    std::function<void(const install::InstallRequest&)> on_begin;
    bool busy = false;
  };
  explicit FakeInstalls(std::shared_ptr<State> state)
      : state_(std::move(state)) {}

  std::vector<install::UnfinishedJob> Unfinished() override;
  absl::Status Begin(const install::InstallRequest& request,
                     std::shared_ptr<install::InstallObserver> observer,
                     const CancellationToken& cancel) override;
  absl::Status Resume(const std::string& job_id,
                      std::shared_ptr<install::InstallObserver> observer,
                      const CancellationToken& cancel) override;
  bool IsBusy() const override;
  bool RebootRequired() const override { return false; }
  bool RebootRequiredBeforeInstallation() const override { return false; }
  void Stop() override;

 private:
  const std::shared_ptr<State> state_;
};

class FakeRepositories : public session::RepositoryFactory {
 public:
  struct State {
    absl::Mutex mutex;
    absl::Status refresh_error;
    int refreshes = 0;
    // If set, a refresh waits for it.
    std::shared_ptr<absl::Notification> gate;
    // If set, a refresh tells it and goes on for ever, until it is cancelled.
    std::shared_ptr<absl::Notification> stalled;
    // Addresses of the proxies of the repositories opened; "" for none.
    std::vector<std::string> proxies;
    // If set, called by Confirm, without locks.
    std::function<void()> on_confirm;
    // Whether the last one opened could leave out the roots.
    bool roots_are_recent = false;
    // Delegated roles that a refresh has to do without.
    std::vector<repository::RoleProblem> problems;
    // Catalogs besides the repository's own, and what fetching one by that name
    // ends with.
    std::vector<repository::TargetFile> delegated;
    std::map<std::string, absl::Status> fetch_errors;
    // Names of what was fetched.
    std::vector<std::string> fetched;
    // Name and header of the catalogs; a file is made when one is fetched.
    std::string service_id = kServiceId;
    int version = 1;
  };
  explicit FakeRepositories(std::shared_ptr<State> state)
      : state_(std::move(state)) {}

  absl::Status Initialize(const repository::RepositoryOptions& options,
                          absl::string_view root) override;
  absl::Status Confirm(const repository::RepositoryOptions& options,
                       absl::string_view root) override;
  absl::StatusOr<std::unique_ptr<repository::Repository>> Open(
      const repository::RepositoryOptions& options) override;

 private:
  const std::shared_ptr<State> state_;
};

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A Core on fakes; Restart() stops it and starts another on the same folder.
class World {
 public:
  explicit World(session::CoreOptions options = {});
  ~World();

  void Restart();
  void Stop();
  session::Core& core() { return *core_; }

  const std::filesystem::path& state_dir() const { return folder_.path(); }
  // Registers the service kServiceId.
  void AddService();

  ManualClock* clock = nullptr;    // of the running core
  FakeCatalog* catalog = nullptr;  // of the running core
  FakeCache* cache = nullptr;      // of the running core
  std::shared_ptr<FakeDownloads::State> downloads;
  std::shared_ptr<FakeInstalls::State> installs;
  std::shared_ptr<FakeRepositories::State> repositories;
  std::map<int64_t, FakeCatalog::Entry> entries;  // given to each catalog
  std::vector<std::string> loaded_at_start;       // the same

 private:
  void Start();

  TemporaryFolder folder_;
  session::CoreOptions options_;
  std::unique_ptr<session::Core> core_;
};

session::Call CallOf(const std::string& user, bool administrator = false);

}  // namespace usher::testing

#endif  // USHER_TESTS_UNIT_SESSION_FAKES_H_
