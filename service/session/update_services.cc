#include "service/session/update_services.h"

#include <optional>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/hresult.h"
#include "common/uuid.h"
#include "service/catalog/catalog.h"
#include "service/session/catalog_update.h"
#include "service/session/limits.h"
#include "service/session/proto_time.h"
#include "service/session/scan_package_place.h"
#include "service/session/text.h"
#include "service/session/update_service_entry.h"
#include "service/store/service_store.h"
#include "spdlog/spdlog.h"
#include "usher/v1/types.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

constexpr int kAllowPending = 1;
constexpr int kAllowOnline = 2;
constexpr int kRegisterWithAu = 4;
constexpr size_t kMaxUrlBytes = 2048;
constexpr size_t kMaxNameBytes = 256;
// Folders of registrations under way; what is left of one goes at start.
constexpr char kNewPrefix[] = ".new-";

absl::Status CheckUrl(const std::string& url) {
  USHER_RETURN_IF_ERROR(CheckText(url, kMaxUrlBytes, "service_url"));
  if (absl::StartsWith(url, "https://") || absl::StartsWith(url, "http://") ||
      absl::StartsWith(url, "file:///")) {
    return absl::OkStatus();
  }
  return Error(hr::kEInvalidarg,
               "service_url must begin with https://, http:// or file:/// and "
               "name the folder that holds metadata/ and targets/",
               "service_url");
}

absl::Status CheckNew(const NewService& request, int64_t max_root_bytes) {
  USHER_RETURN_IF_ERROR(CheckUrl(request.url));
  USHER_RETURN_IF_ERROR(CheckText(request.name, kMaxNameBytes, "name"));
  USHER_RETURN_IF_ERROR(CheckOptionalUuid(request.service_id, "service_id"));
  constexpr int kAll = kAllowPending | kAllowOnline | kRegisterWithAu;
  if ((request.flags & ~kAll) != 0 || request.flags == kRegisterWithAu) {
    return Error(hr::kEInvalidarg,
                 "flags must combine 1 (allow pending), 2 (allow online) and 4 "
                 "(register with AU), and 4 needs one of the others",
                 "flags");
  }
  USHER_RETURN_IF_ERROR(CheckRootMetadata(request.root, max_root_bytes));
  if (request.flags == kAllowPending && request.service_id.empty()) {
    return Error(hr::kEInvalidarg,
                 "a pending registration (flag 1 alone) needs a service_id",
                 "service_id");
  }
  return absl::OkStatus();
}

bool IsNetworkFault(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

}  // namespace

absl::Status UnknownService(absl::string_view service_id) {
  return Error(hr::kWuEDsUnknownservice,
               absl::StrCat("no update service ", service_id,
                            " is registered; list the services to see which "
                            "ones are"),
               service_id);
}

absl::Status CheckRootMetadata(absl::string_view root, int64_t max_root_bytes) {
  if (root.empty()) {
    return Error(hr::kEInvalidarg,
                 "root_metadata is missing; give the repository's root.json, "
                 "obtained in a way you trust",
                 "root_metadata");
  }
  if (static_cast<int64_t>(root.size()) > max_root_bytes) {
    return Error(
        hr::kEInvalidarg,
        absl::StrCat("root_metadata has more than ", max_root_bytes, " bytes"),
        "root_metadata");
  }
  return absl::OkStatus();
}

absl::Status RepositoryFactory::Initialize(
    const repository::RepositoryOptions& options, absl::string_view root) {
  return repository::Repository::Initialize(options, root);
}

absl::Status RepositoryFactory::Confirm(
    const repository::RepositoryOptions& options, absl::string_view root) {
  return repository::Repository::Confirm(options, root);
}

absl::StatusOr<std::unique_ptr<repository::Repository>> RepositoryFactory::Open(
    const repository::RepositoryOptions& options) {
  return repository::Repository::Open(options);
}

UpdateServices::UpdateServices(Options options, store::Database& database,
                               catalog::Catalog& catalog,
                               RepositoryFactory& repositories,
                               const Clock& clock)
    : options_(std::move(options)),
      database_(database),
      catalog_(catalog),
      repositories_(repositories),
      clock_(clock) {}

UpdateServices::~UpdateServices() = default;

absl::Status UpdateServices::Load() {
  USHER_RETURN_IF_ERROR(MakeDirectories(options_.metadata_dir));
  // What a crash has left of catalogs that were being loaded.
  USHER_RETURN_IF_ERROR(RemoveTree(options_.catalog_dir));
  USHER_RETURN_IF_ERROR(MakeDirectories(options_.catalog_dir));
  std::error_code error;
  for (std::filesystem::directory_iterator it(options_.metadata_dir, error),
       end;
       !error && it != end; it.increment(error)) {
    if (absl::StartsWith(PathToUtf8(it->path().filename()), kNewPrefix)) {
      USHER_RETURN_IF_ERROR(RemoveTree(it->path()));
    }
  }
  USHER_ASSIGN_OR_RETURN(const std::vector<v1::UpdateService> services,
                         store::ListServices(database_));
  {
    absl::MutexLock lock(&mutex_);
    for (const v1::UpdateService& service : services) {
      entries_.push_back(std::make_shared<Entry>(service));
    }
  }
  USHER_RETURN_IF_ERROR(RemoveOrphanedCatalogs());
  return LoadScanPackages();
}

absl::Status UpdateServices::RemoveOrphanedCatalogs() {
  USHER_ASSIGN_OR_RETURN(const std::vector<std::string> loaded,
                         catalog_.LoadedServices());
  for (const std::string& service_id : loaded) {
    if (Find(service_id) != nullptr) continue;
    // On a full disk the next start does it; this one must not fail for it.
    if (const absl::Status removed = catalog_.Remove(service_id);
        !removed.ok()) {
      spdlog::warn("service {}: cannot remove what its registration left: {}",
                   service_id, std::string(removed.message()));
      continue;
    }
    spdlog::info(
        "service {}: removed the catalog of a registration that was cut short",
        service_id);
  }
  return absl::OkStatus();
}

std::vector<v1::UpdateService> UpdateServices::List() const {
  std::vector<v1::UpdateService> services;
  absl::ReaderMutexLock lock(&mutex_);
  services.reserve(entries_.size());
  for (const auto& entry : entries_) services.push_back(entry->Read());
  return services;
}

std::shared_ptr<UpdateServices::Entry> UpdateServices::Find(
    absl::string_view service_id) const {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& entry : entries_) {
    if (entry->id == service_id) return entry;
  }
  return nullptr;
}

absl::StatusOr<v1::UpdateService> UpdateServices::Get(
    absl::string_view service_id) const {
  const std::shared_ptr<Entry> entry = Find(service_id);
  if (entry == nullptr) return UnknownService(service_id);
  return entry->Read();
}

absl::StatusOr<std::string> UpdateServices::Resolve(
    int server_selection, absl::string_view service_id) const {
  if (server_selection == v1::SERVER_SELECTION_OTHERS) {
    if (Find(service_id) == nullptr) return UnknownService(service_id);
    return std::string(service_id);
  }
  const std::vector<v1::UpdateService> services = List();
  const auto first = [&services](auto test) -> std::string {
    const auto it = std::find_if(services.begin(), services.end(), test);
    return it == services.end() ? std::string() : it->service_id();
  };
  const auto managed = [](const v1::UpdateService& s) {
    return s.is_managed();
  };
  if (server_selection == v1::SERVER_SELECTION_MANAGED_SERVER) {
    std::string id = first(managed);
    if (!id.empty()) return id;
    return Error(hr::kWuEDsUnknownservice,
                 "no managed update service is registered; an administrator "
                 "marks one with managed = true in the configuration",
                 "server_selection");
  }
  if (server_selection == v1::SERVER_SELECTION_WINDOWS_UPDATE) {
    std::string id = first(
        [](const v1::UpdateService& s) { return s.is_default_au_service(); });
    if (!id.empty()) return id;
    return Error(hr::kWuEDsUnknownservice,
                 "no update service is marked as default; an administrator "
                 "marks one with default = true in the configuration",
                 "server_selection");
  }
  // The managed one (UAMG-087), else the first registered with Automatic
  // Updates (UAMG-088), else simply the first: a machine with one repository
  // needs no mark on it. Scan packages are asked for by name (UAMG-090) unless
  // there is nothing else.
  std::string id = first(managed);
  if (id.empty()) {
    id = first(
        [](const v1::UpdateService& s) { return s.is_registered_with_au(); });
  }
  if (id.empty()) {
    id = first([](const v1::UpdateService& s) {
      return !s.is_scan_package_service();
    });
  }
  if (id.empty()) id = first([](const v1::UpdateService&) { return true; });
  if (!id.empty()) return id;
  return Error(hr::kWuEAuNoRegisteredService,
               "no update service is registered; an administrator registers "
               "one with its URL and root.json",
               "server_selection");
}

repository::RepositoryOptions UpdateServices::RepositoryAt(
    const std::filesystem::path& folder, const std::string& url,
    const repository::ProxySettings& proxy) const {
  repository::RepositoryOptions options = options_.repository;
  options.metadata_dir = folder;
  options.url = url;
  options.proxy = proxy;
  options.deadline = absl::Now() + options_.max_refresh_time;
  return options;
}

std::filesystem::path UpdateServices::TrustedFolder(
    const v1::UpdateService& service) const {
  if (service.is_scan_package_service()) {
    if (const std::optional<ScanPackagePlace> place = ScanPackagePlaceOf(
            options_.scan_package_dir, service.service_url())) {
      return place->trusted();
    }
  }
  return options_.metadata_dir / PathFromUtf8(service.service_id());
}

absl::Status UpdateServices::Keep(const v1::UpdateService& service) {
  USHER_RETURN_IF_ERROR(store::PutService(database_, service));
  if (const std::shared_ptr<Entry> known = Find(service.service_id());
      known != nullptr) {
    absl::MutexLock lock(&known->mutex);
    known->service = service;
    return absl::OkStatus();
  }
  absl::MutexLock lock(&mutex_);
  entries_.push_back(std::make_shared<Entry>(service));
  return absl::OkStatus();
}

absl::StatusOr<v1::UpdateServiceRegistration> UpdateServices::Add(
    const NewService& request, const Errand& errand,
    const CancellationToken& cancel) {
  NewService asked = request;
  if (asked.flags == 0) asked.flags = kAllowOnline;
  USHER_RETURN_IF_ERROR(CheckNew(asked, options_.repository.max_root_bytes));
  absl::MutexLock adding(&adding_);
  {
    absl::MutexLock changing(&changing_);
    const std::vector<v1::UpdateService> services = List();
    const auto known = std::find_if(
        services.begin(), services.end(), [&asked](const v1::UpdateService& s) {
          return asked.service_id.empty() ? s.service_url() == asked.url
                                          : s.service_id() == asked.service_id;
        });
    if (known != services.end()) {
      return ChangeKnown(*known, asked, errand.proxy);
    }
    if (static_cast<int>(services.size()) >= options_.max_services) {
      return LimitReached("update services", options_.max_services, "services");
    }
  }
  return AddNew(asked, errand, cancel);
}

absl::StatusOr<v1::UpdateServiceRegistration> UpdateServices::ChangeKnown(
    const v1::UpdateService& known, const NewService& asked,
    const repository::ProxySettings& proxy) {
  if (known.service_url() != asked.url) {
    return Error(hr::kWuEDsRowexists,
                 absl::StrCat("update service ", known.service_id(),
                              " is registered with ", known.service_url(),
                              "; remove it first"),
                 "service_id");
  }
  USHER_RETURN_IF_ERROR(repositories_.Confirm(
      RepositoryAt(TrustedFolder(known), asked.url, proxy), asked.root));
  v1::UpdateService changed = known;
  if (!asked.name.empty()) changed.set_name(asked.name);
  if (asked.is_managed) changed.set_is_managed(true);
  if (asked.is_default) changed.set_is_default_au_service(true);
  if ((asked.flags & kRegisterWithAu) != 0) {
    changed.set_is_registered_with_au(true);
  }
  USHER_RETURN_IF_ERROR(Keep(changed));
  v1::UpdateServiceRegistration registration;
  registration.set_registration_state(
      changed.has_last_refresh_time()
          ? v1::UPDATE_SERVICE_REGISTRATION_STATE_REGISTERED
          : v1::UPDATE_SERVICE_REGISTRATION_STATE_PENDING);
  registration.set_service_id(changed.service_id());
  *registration.mutable_service() = std::move(changed);
  return registration;
}

absl::StatusOr<v1::UpdateServiceRegistration> UpdateServices::AddNew(
    const NewService& request, const Errand& errand,
    const CancellationToken& cancel) {
  const repository::ProxySettings& proxy = errand.proxy;
  const std::filesystem::path folder =
      options_.metadata_dir /
      PathFromUtf8(absl::StrCat(kNewPrefix, RandomResourceId()));
  auto remover =
      absl::MakeCleanup([&folder] { static_cast<void>(RemoveTree(folder)); });
  USHER_RETURN_IF_ERROR(MakeDirectories(folder));
  USHER_RETURN_IF_ERROR(repositories_.Initialize(
      RepositoryAt(folder, request.url, proxy), request.root));
  Fetched fetched;
  fetched.service_id = request.service_id;
  bool pending = (request.flags & kAllowOnline) == 0;
  if (!pending) {
    absl::StatusOr<Fetched> result = FetchAndLoad(
        RepositoryAt(folder, request.url, proxy), request.service_id, cancel);
    if (result.ok()) {
      fetched = *std::move(result);
    } else if ((request.flags & kAllowPending) != 0 &&
               !request.service_id.empty() && IsNetworkFault(result.status())) {
      pending = true;  // the server may be there later
    } else {
      return result.status();
    }
  }
  const auto forget = [&] {
    if (!pending) static_cast<void>(catalog_.Remove(fetched.service_id));
  };
  absl::MutexLock changing(&changing_);
  const std::filesystem::path home =
      options_.metadata_dir / PathFromUtf8(fetched.service_id);
  // Left over from a registration that a crash cut short.
  if (absl::Status status = RemoveTree(home); !status.ok()) {
    forget();
    return status;
  }
  if (absl::Status status = RenameDurably(folder, home); !status.ok()) {
    forget();
    return status;
  }
  v1::UpdateService service;
  service.set_service_id(fetched.service_id);
  service.set_name(!request.name.empty()           ? request.name
                   : !fetched.service_name.empty() ? fetched.service_name
                                                   : request.url);
  service.set_service_url(request.url);
  service.set_is_managed(request.is_managed);
  service.set_is_default_au_service(request.is_default);
  service.set_is_registered_with_au((request.flags & kRegisterWithAu) != 0 ||
                                    request.is_default);
  service.set_can_register_with_au(true);
  service.set_root_sha256(RootDigest(home, options_.repository.max_root_bytes));
  SetTime(clock_.Now(), *service.mutable_issue_date());
  if (!pending) TellFetched(fetched, home, service);
  if (absl::Status status = Keep(service); !status.ok()) {
    forget();
    static_cast<void>(RemoveTree(home));
    return status;
  }
  spdlog::info("registration request_id={} service={} \"{}\" registered: {}",
               LoggedId(errand.request_id), service.service_id(),
               service.name(), service.service_url());
  v1::UpdateServiceRegistration registration;
  registration.set_registration_state(
      pending ? v1::UPDATE_SERVICE_REGISTRATION_STATE_PENDING
              : v1::UPDATE_SERVICE_REGISTRATION_STATE_REGISTERED);
  registration.set_service_id(service.service_id());
  *registration.mutable_service() = std::move(service);
  return registration;
}

absl::Status UpdateServices::Remove(absl::string_view service_id) {
  const std::shared_ptr<Entry> entry = Find(service_id);
  if (entry == nullptr) return UnknownService(service_id);
  return RemoveEntry(entry);
}

absl::Status UpdateServices::RemoveEntry(const std::shared_ptr<Entry>& entry) {
  const std::string& service_id = entry->id;
  entry->Stop().Cancel();
  absl::MutexLock refreshing(&entry->refreshing);
  if (entry->removed) return UnknownService(service_id);
  absl::MutexLock changing(&changing_);
  // Should it fail, the service stays and is refreshed again.
  const auto stays = absl::MakeCleanup([&entry] {
    absl::MutexLock lock(&entry->mutex);
    entry->stop = CancellationToken();
  });
  const v1::UpdateService service = entry->Read();
  const std::filesystem::path trusted = TrustedFolder(service);
  // The registration goes last: as long as it is there, the removal can be
  // asked for again, and a refresh brings back the catalog.
  ForgetCatalogRecord(trusted);
  USHER_RETURN_IF_ERROR(catalog_.Remove(service_id));
  USHER_FAULT_POINT("services.catalog_removed");
  USHER_RETURN_IF_ERROR(store::RemoveService(database_, service_id));
  entry->removed = true;
  absl::Status status = RemoveTree(
      service.is_scan_package_service() ? trusted.parent_path() : trusted);
  // Nobody can register the id anew before this.
  absl::MutexLock lock(&mutex_);
  std::erase(entries_, entry);
  return status;
}

}  // namespace usher::session
