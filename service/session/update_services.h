#ifndef USHER_SERVICE_SESSION_UPDATE_SERVICES_H_
#define USHER_SERVICE_SESSION_UPDATE_SERVICES_H_

// The registered update services: registration, refreshing, and which one a
// search asks.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/cancellation.h"
#include "service/repository/repository.h"
#include "service/session/clock.h"
#include "service/session/thread_pool.h"

namespace usher::catalog {
class Catalog;
}  // namespace usher::catalog
namespace usher::store {
class Database;
}  // namespace usher::store
namespace usher::v1 {
class UpdateService;
class UpdateServiceRegistration;
}  // namespace usher::v1

namespace usher::session {

struct ScanPackagePlace;

// How repositories are opened; the real one calls the repository layer.
class RepositoryFactory {
 public:
  virtual ~RepositoryFactory() = default;
  virtual absl::Status Initialize(const repository::RepositoryOptions& options,
                                  absl::string_view root);
  virtual absl::Status Confirm(const repository::RepositoryOptions& options,
                               absl::string_view root);
  virtual absl::StatusOr<std::unique_ptr<repository::Repository>> Open(
      const repository::RepositoryOptions& options);
};

// On whose behalf a repository's server is asked.
struct Errand {
  repository::ProxySettings proxy;
  // Of the call that it is for; empty when the service itself wants it.
  std::string request_id;
};

// A registration as it is asked for.
struct NewService {
  // AddServiceFlag bits: 1 allow pending, 2 allow online, 4 register with
  // Automatic Updates. 0 is taken as 2.
  int flags = 0;
  std::string service_id;  // canonical, or empty: taken from the catalog
  std::string name;        // empty: taken from the catalog
  std::string url;
  std::string root;  // trusted root.json
  bool is_managed = false;
  bool is_default = false;
};

// A scan package as it is asked for.
struct NewScanPackage {
  std::string name;      // empty: taken from the catalog
  std::string location;  // absolute path
  // UpdateServiceOption bits: 1 non-volatile.
  int flags = 0;
  std::string root;  // trusted root.json
  // The session that a volatile registration belongs to.
  std::string session_id;
  // Of the call, for the log.
  std::string request_id;
};

// Thread-safe. What blocks says so; one refresh, registration or removal of a
// service runs at a time.
class UpdateServices {
 public:
  struct Options {
    // {metadata_dir}/{service id}: trusted metadata.
    std::filesystem::path metadata_dir;
    // The added scan packages, each in a folder of its own with its trusted
    // metadata.
    std::filesystem::path scan_package_dir;
    // Where catalog files lie while they are loaded.
    std::filesystem::path catalog_dir;
    // An online search refreshes first what was refreshed longer ago; 0:
    // always.
    absl::Duration refresh_interval = absl::Seconds(60);
    int max_services = 64;
    // A refresh or registration that takes longer is given up.
    absl::Duration max_refresh_time = absl::Minutes(30);
    // A refresh that finds the trusted timestamp does not look for a new root
    // if one before it did so within this time; 0: always.
    absl::Duration root_interval = absl::Hours(1);
    // Limits and speeds; the rest is filled in.
    repository::RepositoryOptions repository;
  };

  // The references must outlive this.
  UpdateServices(Options options, store::Database& database,
                 catalog::Catalog& catalog, RepositoryFactory& repositories,
                 const Clock& clock);
  ~UpdateServices();

  // Reads the registrations; once, before anything else. Blocks.
  absl::Status Load();

  // In order of registration.
  std::vector<v1::UpdateService> List() const;
  // WU_E_DS_UNKNOWNSERVICE.
  absl::StatusOr<v1::UpdateService> Get(absl::string_view service_id) const;

  // The service that a search asks (UAMG-087 … 090). `server_selection` is a
  // usher.v1.ServerSelection. Errors: WU_E_DS_UNKNOWNSERVICE,
  // WU_E_AU_NO_REGISTERED_SERVICE when there is none at all.
  absl::StatusOr<std::string> Resolve(int server_selection,
                                      absl::string_view service_id) const;

  // Registers a repository, all or nothing. Registering what is registered
  // with the same URL, under a root that Repository::Confirm allows, is fine
  // and changes its name and marks. Blocks.
  absl::StatusOr<v1::UpdateServiceRegistration> Add(
      const NewService& request, const Errand& errand,
      const CancellationToken& cancel);
  // Copies a scan package, verifies it and registers it, all or nothing, or
  // puts it in the place of an older one of its service. Blocks.
  absl::StatusOr<v1::UpdateService> AddScanPackage(
      const NewScanPackage& request, const CancellationToken& cancel);
  // Blocks.
  absl::Status Remove(absl::string_view service_id);
  bool HasVolatile(absl::string_view session_id) const;
  // Removes the volatile registrations of a session that has ended. Blocks.
  void DropVolatile(absl::string_view session_id);
  // The same for all sessions that `lives` does not know. Blocks.
  void DropVolatileUnless(
      absl::FunctionRef<bool(absl::string_view session_id)> lives);
  // Refreshes now; true if something changed. On failure what was loaded stays
  // loaded. Blocks.
  absl::StatusOr<bool> Refresh(absl::string_view service_id,
                               const Errand& errand,
                               const CancellationToken& cancel);

  // Refreshes on `network` unless that was done (or failed) within the refresh
  // interval; searches that ask at the same time share one refresh. Calls
  // `done` with the result: at once, or on a network thread.
  void EnsureFresh(const std::string& service_id, const Errand& errand,
                   ThreadPool& network, const CancellationToken& cancel,
                   const std::function<void(const absl::Status&)>& done);

 private:
  struct Entry;
  struct Fetched;

  std::shared_ptr<Entry> Find(absl::string_view service_id) const;
  repository::RepositoryOptions RepositoryAt(
      const std::filesystem::path& folder, const std::string& url,
      const repository::ProxySettings& proxy) const;
  absl::StatusOr<v1::UpdateServiceRegistration> AddNew(
      const NewService& request, const Errand& errand,
      const CancellationToken& cancel);
  absl::Status Keep(const v1::UpdateService& service);
  // Where the trusted metadata of a registered service lies.
  std::filesystem::path TrustedFolder(const v1::UpdateService& service) const;
  absl::Status RemoveEntry(const std::shared_ptr<Entry>& entry);
  // What a registration that was cut short has loaded.
  absl::Status RemoveOrphanedCatalogs();
  absl::StatusOr<v1::UpdateServiceRegistration> ChangeKnown(
      const v1::UpdateService& known, const NewService& asked,
      const repository::ProxySettings& proxy)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changing_);

  // update_services_refresh.cc: asking the servers for what is new.
  absl::StatusOr<bool> RefreshEntry(Entry& entry, const Errand& errand,
                                    const CancellationToken& cancel);
  absl::StatusOr<Fetched> FetchAndLoad(
      const repository::RepositoryOptions& options,
      const std::string& service_id, const CancellationToken& cancel);
  // Puts down in `service` what was fetched under the trust of `folder`.
  void TellFetched(const Fetched& fetched, const std::filesystem::path& folder,
                   v1::UpdateService& service);

  // update_services_scan.cc: scan packages. `taken` becomes true once the
  // place must not be removed any more.
  absl::StatusOr<std::string> CopyScanPackage(const NewScanPackage& request,
                                              const ScanPackagePlace& place,
                                              const CancellationToken& cancel);
  absl::StatusOr<v1::UpdateService> RegisterScanPackage(
      const NewScanPackage& request, const std::string& service_id,
      const ScanPackagePlace& place, const CancellationToken& cancel,
      bool& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(adding_);
  absl::StatusOr<v1::UpdateService> ReplaceScanPackage(
      const NewScanPackage& request, Entry& entry,
      const ScanPackagePlace& place, const CancellationToken& cancel,
      bool& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(adding_);
  void GoBackTo(const ScanPackagePlace& place, const std::string& service_id,
                const CancellationToken& cancel);
  absl::Status KeepScanPackage(const v1::UpdateService& service,
                               const std::string& session_id,
                               const ScanPackagePlace& place);
  // Finish or undo what a crash cut short, and remove what it left.
  absl::Status LoadScanPackages();
  void LoadScanPackage(Entry& entry);
  absl::Status FinishReplacement(Entry& entry, const std::string& successor);

  const Options options_;
  store::Database& database_;
  catalog::Catalog& catalog_;
  RepositoryFactory& repositories_;
  const Clock& clock_;

  // One registration at a time: two of the same repository would meet in its
  // folder. Held while servers are asked.
  absl::Mutex adding_;
  // Held while a registration is put down, changed or removed, never while
  // anything is waited for. After adding_ and an entry's `refreshing`.
  absl::Mutex changing_;
  mutable absl::Mutex mutex_;
  std::vector<std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_UPDATE_SERVICES_H_
