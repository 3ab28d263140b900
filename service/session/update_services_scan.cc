// UpdateServices' scan packages: a repository in one file, copied into a folder
// of its own and registered with that folder's URL.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "common/file_io.h"
#include "common/missing_file.h"
#include "common/uuid.h"
#include "service/catalog/catalog.h"
#include "service/repository/fetcher.h"
#include "service/repository/scan_package.h"
#include "service/session/catalog_header.h"
#include "service/session/catalog_update.h"
#include "service/session/limits.h"
#include "service/session/proto_time.h"
#include "service/session/scan_package_place.h"
#include "service/session/text.h"
#include "service/session/update_service_entry.h"
#include "service/session/update_services.h"
#include "service/store/service_store.h"
#include "spdlog/spdlog.h"

namespace usher::session {
namespace {

constexpr int kNonVolatile = 1;
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxPathBytes = 4096;
constexpr uint64_t kMaxIdBytes = 64;
constexpr uint64_t kMaxRegistrationBytes = uint64_t{1024} * 1024;

absl::Status CheckNew(const NewScanPackage& request, int64_t max_root_bytes) {
  USHER_RETURN_IF_ERROR(CheckText(request.name, kMaxNameBytes, "service_name"));
  USHER_RETURN_IF_ERROR(
      CheckText(request.location, kMaxPathBytes, "scan_file_location"));
  if (!PathFromUtf8(request.location).is_absolute()) {
    return Error(hr::kEInvalidarg,
                 "scan_file_location must be the absolute path of a scan "
                 "package on the service's machine",
                 "scan_file_location");
  }
  if ((request.flags & ~kNonVolatile) != 0) {
    return Error(hr::kEInvalidarg,
                 "flags must be 0 or 1 (non-volatile: registered until it is "
                 "removed)",
                 "flags");
  }
  if (request.flags == 0 && request.session_id.empty()) {
    return Error(hr::kEInvalidarg,
                 "a volatile registration ends with a session; name one, or "
                 "set flag 1 (non-volatile)",
                 "session");
  }
  return CheckRootMetadata(request.root, max_root_bytes);
}

// The catalog may be the successor's by now. In this order a crash leaves no
// record of what is not loaded.
void GiveUpSuccessor(const ScanPackagePlace& place) {
  ForgetCatalogRecord(place.trusted());
  static_cast<void>(RemoveTree(place.successor()));
}

}  // namespace

absl::Status AboutScanPackage(const absl::Status& status) {
  if (IsMissingFile(status)) {
    return Error(
        hr::kWuEOlInvalidScanfile,
        absl::StrCat("the scan package is incomplete: ", status.message()),
        SubjectOf(status));
  }
  if (HResultOf(status) == hr::kCertEExpired) {
    return Error(status.code(), hr::kCertEExpired,
                 absl::StrCat(status.message(),
                              "; then a new scan package must be made of it"),
                 SubjectOf(status));
  }
  return status;
}

absl::StatusOr<v1::UpdateService> UpdateServices::AddScanPackage(
    const NewScanPackage& request, const CancellationToken& cancel) {
  USHER_RETURN_IF_ERROR(CheckNew(request, options_.repository.max_root_bytes));
  const ScanPackagePlace place = NewScanPackagePlace(options_.scan_package_dir);
  bool taken = false;
  const auto remover = absl::MakeCleanup([&place, &taken] {
    // What cannot be removed now is at the next start.
    if (!taken) static_cast<void>(RemoveTree(place.folder));
  });
  // Not under a lock: it takes as long as the package is large.
  USHER_ASSIGN_OR_RETURN(const std::string id,
                         CopyScanPackage(request, place, cancel));
  USHER_FAULT_POINT("services.scan_package_copied");

  absl::MutexLock adding(&adding_);
  const std::shared_ptr<Entry> known = Find(id);
  if (known != nullptr) {
    return ReplaceScanPackage(request, *known, place, cancel, taken);
  }
  if (static_cast<int>(List().size()) >= options_.max_services) {
    return LimitReached("update services", options_.max_services, "services");
  }
  return RegisterScanPackage(request, id, place, cancel, taken);
}

// Brings the package to its place, verifies it under the root that was given,
// and returns the id of its service.
absl::StatusOr<std::string> UpdateServices::CopyScanPackage(
    const NewScanPackage& request, const ScanPackagePlace& place,
    const CancellationToken& cancel) {
  const repository::RepositoryOptions options =
      RepositoryAt(place.trusted(), place.url(), {});
  USHER_RETURN_IF_ERROR(MakeDirectories(place.trusted()));
  USHER_RETURN_IF_ERROR(repositories_.Initialize(options, request.root));
  std::unique_ptr<repository::Repository> repository;
  std::vector<repository::TargetFile> catalogs;
  // What nobody trusts is refused before its payloads fill the disk.
  const auto verify = [&]() -> absl::Status {
    USHER_ASSIGN_OR_RETURN(repository, repositories_.Open(options));
    absl::StatusOr<repository::RefreshOutcome> outcome =
        repository->Refresh(cancel);
    if (!outcome.ok()) return AboutScanPackage(outcome.status());
    catalogs = std::move(outcome->catalogs);
    if (!catalogs.empty()) return absl::OkStatus();
    return Error(hr::kWuEOlInvalidScanfile,
                 "the scan package has no catalog, so it is nobody's",
                 "catalog");
  };
  USHER_RETURN_IF_ERROR(repository::UnpackScanPackage(
      PathFromUtf8(request.location), place.repository(), options_.repository,
      repository::ScanPackageLimits(), verify, cancel));
  const std::filesystem::path file =
      options_.catalog_dir /
      PathFromUtf8(absl::StrCat(RandomResourceId(), ".usc"));
  const auto remover =
      absl::MakeCleanup([&file] { static_cast<void>(RemoveTree(file)); });
  if (const absl::Status status =
          repository->FetchTarget(catalogs.front(), file, cancel);
      !status.ok()) {
    return AboutScanPackage(status);
  }
  USHER_ASSIGN_OR_RETURN(const CatalogHeader header, ReadCatalogHeader(file));
  return header.service_id;
}

absl::StatusOr<v1::UpdateService> UpdateServices::RegisterScanPackage(
    const NewScanPackage& request, const std::string& service_id,
    const ScanPackagePlace& place, const CancellationToken& cancel,
    bool& taken) {
  const absl::StatusOr<Fetched> fetched = FetchAndLoad(
      RepositoryAt(place.trusted(), place.url(), {}), service_id, cancel);
  if (!fetched.ok()) return AboutScanPackage(fetched.status());
  USHER_FAULT_POINT("services.scan_package_loaded");
  v1::UpdateService service;
  service.set_service_id(service_id);
  service.set_name(!request.name.empty()            ? request.name
                   : !fetched->service_name.empty() ? fetched->service_name
                                                    : request.location);
  service.set_service_url(place.url());
  service.set_is_scan_package_service(true);
  service.set_is_volatile(request.flags == 0);
  SetTime(clock_.Now(), *service.mutable_issue_date());
  TellFetched(*fetched, place.trusted(), service);
  absl::Status status = KeepScanPackage(service, request.session_id, place);
  if (!status.ok()) {
    static_cast<void>(catalog_.Remove(service_id));
    return status;
  }
  taken = true;
  spdlog::info(
      "registration request_id={} service={} \"{}\" registered from the "
      "scan package {}",
      LoggedId(request.request_id), service_id, service.name(),
      request.location);
  return service;
}

// A crash leaves one of these: no successor written (nothing has happened); a
// successor whose catalog is or is not loaded yet (the next start finishes);
// the new registration, and the old folder as a left-over.
absl::StatusOr<v1::UpdateService> UpdateServices::ReplaceScanPackage(
    const NewScanPackage& request, Entry& entry, const ScanPackagePlace& place,
    const CancellationToken& cancel, bool& taken) {
  absl::MutexLock refreshing(&entry.refreshing);
  if (entry.removed) {
    return Error(hr::kWuEDsUnknownservice,
                 absl::StrCat("update service ", entry.id,
                              " was removed at the same time; add the scan "
                              "package again"),
                 "service_id");
  }
  v1::UpdateService service = entry.Read();
  const std::optional<ScanPackagePlace> old =
      ScanPackagePlaceOf(options_.scan_package_dir, service.service_url());
  if (!service.is_scan_package_service() || !old.has_value()) {
    return Error(hr::kWuEDsRowexists,
                 absl::StrCat("update service ", entry.id,
                              " is registered with ", service.service_url(),
                              "; remove it first if a scan package is to take "
                              "its place"),
                 "scan_file_location");
  }
  // From here on under what is trusted of the older package, so that none can
  // be put back.
  USHER_RETURN_IF_ERROR(repositories_.Confirm(
      RepositoryAt(old->trusted(), old->url(), {}), request.root));
  USHER_RETURN_IF_ERROR(CopyTrustedMetadata(*old, place));
  const auto renewed = [&request, &place](v1::UpdateService known) {
    if (!request.name.empty()) known.set_name(request.name);
    known.set_service_url(place.url());
    // What is registered for good stays so.
    if (request.flags != 0) known.set_is_volatile(false);
    return known;
  };
  service = renewed(std::move(service));
  const std::string session = service.is_volatile() ? request.session_id : "";
  if (service.is_volatile()) {
    USHER_RETURN_IF_ERROR(WriteFileAtomically(place.session(), session));
  }
  USHER_RETURN_IF_ERROR(
      WriteFileAtomically(place.registration(), service.SerializeAsString()));
  USHER_RETURN_IF_ERROR(WriteFileAtomically(old->successor(), place.name()));
  USHER_FAULT_POINT("services.scan_package_named");
  const absl::StatusOr<Fetched> fetched = FetchAndLoad(
      RepositoryAt(place.trusted(), place.url(), {}), entry.id, cancel);
  if (!fetched.ok()) {
    GoBackTo(*old, entry.id, cancel);
    return AboutScanPackage(fetched.status());
  }
  // The catalog names it now.
  taken = true;
  USHER_FAULT_POINT("services.scan_package_loaded");
  {
    absl::MutexLock changing(&changing_);
    // It may have been given another name or mark meanwhile.
    service = renewed(entry.Read());
    TellFetched(*fetched, place.trusted(), service);
    USHER_RETURN_IF_ERROR(KeepScanPackage(service, session, place));
  }
  USHER_FAULT_POINT("services.scan_package_kept");
  if (const absl::Status status = RemoveTree(old->folder); !status.ok()) {
    spdlog::warn("cannot remove the older scan package of service {}: {}",
                 entry.id, std::string(status.message()));
  }
  spdlog::info(
      "registration request_id={} service={} \"{}\" renewed from the scan "
      "package {}",
      LoggedId(request.request_id), entry.id, service.name(), request.location);
  return service;
}

// A newer package failed, maybe when its catalog was loaded already.
void UpdateServices::GoBackTo(const ScanPackagePlace& place,
                              const std::string& service_id,
                              const CancellationToken& cancel) {
  GiveUpSuccessor(place);
  const absl::StatusOr<Fetched> fetched = FetchAndLoad(
      RepositoryAt(place.trusted(), place.url(), {}), service_id, cancel);
  if (!fetched.ok()) {
    spdlog::warn(
        "service {}: the next refresh has to load the catalog of its scan "
        "package again: {}",
        service_id, std::string(fetched.status().message()));
  }
}

absl::Status UpdateServices::KeepScanPackage(const v1::UpdateService& service,
                                             const std::string& session_id,
                                             const ScanPackagePlace& place) {
  if (service.is_volatile()) {
    USHER_RETURN_IF_ERROR(WriteFileAtomically(place.session(), session_id));
  }
  USHER_RETURN_IF_ERROR(Keep(service));
  const std::shared_ptr<Entry> entry = Find(service.service_id());
  absl::MutexLock lock(&entry->mutex);
  entry->session = service.is_volatile() ? session_id : "";
  // What was said of an older package is not said of this one.
  entry->tried = clock_.Now();
  entry->last_result = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status UpdateServices::LoadScanPackages() {
  USHER_RETURN_IF_ERROR(MakeDirectories(options_.scan_package_dir));
  absl::flat_hash_set<std::string> used;
  for (const v1::UpdateService& service : List()) {
    if (!service.is_scan_package_service()) continue;
    const std::shared_ptr<Entry> entry = Find(service.service_id());
    LoadScanPackage(*entry);
    if (const std::optional<ScanPackagePlace> place = ScanPackagePlaceOf(
            options_.scan_package_dir, entry->Read().service_url())) {
      used.insert(place->name());
    }
  }
  std::vector<std::filesystem::path> unused;
  std::error_code error;
  for (std::filesystem::directory_iterator it(options_.scan_package_dir, error),
       end;
       !error && it != end; it.increment(error)) {
    if (!used.contains(PathToUtf8(it->path().filename()))) {
      unused.push_back(it->path());
    }
  }
  for (const std::filesystem::path& path : unused) {
    USHER_RETURN_IF_ERROR(RemoveTree(path));
  }
  return absl::OkStatus();
}

void UpdateServices::LoadScanPackage(Entry& entry) {
  v1::UpdateService service = entry.Read();
  const std::optional<ScanPackagePlace> place =
      ScanPackagePlaceOf(options_.scan_package_dir, service.service_url());
  if (!place.has_value()) return;
  bool sure = true;  // that the catalog is this package's, under this URL
  if (const absl::StatusOr<std::string> successor =
          ReadFile(place->successor(), kMaxIdBytes);
      successor.ok()) {
    const absl::Status status = FinishReplacement(entry, *successor);
    if (status.ok()) return;
    spdlog::warn("the newer scan package of service {} is given up: {}",
                 entry.id, std::string(status.message()));
    GiveUpSuccessor(*place);
  }
  if (service.is_volatile()) {
    absl::StatusOr<std::string> session =
        ReadFile(place->session(), kMaxIdBytes);
    absl::MutexLock lock(&entry.mutex);
    // Without one it is nobody's, and goes.
    entry.session = session.ok() ? *std::move(session) : "?";
  }
  if (place->url() != service.service_url()) {  // the state folder was moved
    service.set_service_url(place->url());
    if (const absl::Status status = Keep(service); !status.ok()) {
      spdlog::error("service {}: {}", entry.id, std::string(status.message()));
      return;
    }
    sure = false;
  }
  if (!sure) ForgetCatalogRecord(place->trusted());
  if (HasCatalogRecord(place->trusted())) return;
  // It logs what goes wrong, and puts it down in the registration.
  static_cast<void>(RefreshEntry(entry, {}, CancellationToken()));
}

// Goes on where ReplaceScanPackage was cut short.
absl::Status UpdateServices::FinishReplacement(Entry& entry,
                                               const std::string& successor) {
  const std::optional<ScanPackagePlace> place =
      ScanPackagePlaceNamed(options_.scan_package_dir, successor);
  if (!place.has_value()) return Error(hr::kEUnexpected, "it has no name");
  USHER_ASSIGN_OR_RETURN(
      const std::string bytes,
      ReadFile(place->registration(), kMaxRegistrationBytes));
  v1::UpdateService service;
  if (!service.ParseFromString(bytes) || service.service_id() != entry.id) {
    return Error(hr::kEUnexpected, "its registration is damaged");
  }
  service.set_service_url(place->url());
  std::string session;
  if (service.is_volatile()) {
    USHER_ASSIGN_OR_RETURN(session, ReadFile(place->session(), kMaxIdBytes));
  }
  absl::MutexLock refreshing(&entry.refreshing);
  USHER_ASSIGN_OR_RETURN(
      const Fetched fetched,
      FetchAndLoad(RepositoryAt(place->trusted(), place->url(), {}), entry.id,
                   CancellationToken()));
  TellFetched(fetched, place->trusted(), service);
  USHER_RETURN_IF_ERROR(KeepScanPackage(service, session, *place));
  spdlog::info("service {}: the newer scan package is in place", entry.id);
  return absl::OkStatus();
}

bool UpdateServices::HasVolatile(absl::string_view session_id) const {
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& entry : entries_) {
    if (entry->Session() == session_id) return true;
  }
  return false;
}

void UpdateServices::DropVolatile(absl::string_view session_id) {
  DropVolatileUnless([session_id](absl::string_view session) {
    return session != session_id;
  });
}

void UpdateServices::DropVolatileUnless(
    absl::FunctionRef<bool(absl::string_view session_id)> lives) {
  std::vector<std::shared_ptr<Entry>> ended;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (const auto& entry : entries_) {
      const std::string session = entry->Session();
      if (!session.empty() && !lives(session)) ended.push_back(entry);
    }
  }
  for (const std::shared_ptr<Entry>& entry : ended) {
    const absl::Status status = RemoveEntry(entry);
    if (status.ok()) {
      spdlog::info("service {} dropped: its session has ended", entry->id);
    } else {
      spdlog::error("cannot drop service {}, whose session has ended: {}",
                    entry->id, std::string(status.message()));
    }
  }
}

}  // namespace usher::session
