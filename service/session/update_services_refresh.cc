// UpdateServices: asking the servers for what is new.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/hresult.h"
#include "common/sha256.h"
#include "service/catalog/catalog.h"
#include "service/platform/heap.h"
#include "service/session/catalog_update.h"
#include "service/session/proto_time.h"
#include "service/session/update_service_entry.h"
#include "service/session/update_services.h"
#include "service/store/service_store.h"
#include "spdlog/spdlog.h"
#include "usher/v1/types.pb.h"
#include "usher/v1/update_service.pb.h"

namespace usher::session {
namespace {

// The delegated roles without whose catalogs a refresh had to do.
std::string Problems(const repository::RefreshOutcome& outcome) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < outcome.problems.size() && i < kShown; ++i) {
    absl::StrAppend(&text, i == 0 ? "left out: " : "; ",
                    outcome.problems[i].status.message());
  }
  if (outcome.problems.size() > kShown) {
    absl::StrAppend(&text, "; and ", outcome.problems.size() - kShown, " more");
  }
  return text;
}

}  // namespace

std::string RootDigest(const std::filesystem::path& folder,
                       int64_t max_root_bytes) {
  const absl::StatusOr<std::string> root =
      ReadFile(folder / "root.json", static_cast<uint64_t>(max_root_bytes));
  return root.ok() ? ToHex(Sha256Of(*root)) : std::string();
}

absl::StatusOr<UpdateServices::Fetched> UpdateServices::FetchAndLoad(
    const repository::RepositoryOptions& options, const std::string& service_id,
    const CancellationToken& cancel) {
  USHER_ASSIGN_OR_RETURN(
      const std::unique_ptr<repository::Repository> repository,
      repositories_.Open(options));
  Fetched fetched;
  USHER_ASSIGN_OR_RETURN(fetched.outcome, repository->Refresh(cancel));
  CatalogUpdateOptions update;
  update.record_dir = options.metadata_dir;
  update.catalog_dir = options_.catalog_dir;
  update.url = options.url;
  update.service_id = service_id;
  std::string accepted;
  update.accept = [&](absl::string_view found) -> absl::Status {
    // A new registration must not touch the catalog of an older one.
    if (!service_id.empty() || Find(found) == nullptr) {
      accepted = std::string(found);
      return absl::OkStatus();
    }
    return Error(hr::kWuEDsRowexists,
                 absl::StrCat("update service ", found,
                              " is registered with another URL; remove it "
                              "first"),
                 "service_id");
  };
  absl::StatusOr<CatalogUpdate> updated = UpdateCatalog(
      update, fetched.outcome.catalogs, *repository, catalog_, cancel);
  if (!updated.ok()) {
    // It may have failed when all was loaded. Of what will not be registered
    // nothing stays; what cannot be removed now is at the next start.
    if (!accepted.empty() && Find(accepted) == nullptr) {
      catalog_.Remove(accepted).IgnoreError();
    }
    return std::move(updated).status();
  }
  if (updated->changed) platform::ReturnFreeMemory();
  fetched.changed = updated->changed;
  fetched.service_id = std::move(updated->service_id);
  fetched.service_name = std::move(updated->service_name);
  for (repository::RoleProblem& problem : updated->problems) {
    fetched.outcome.problems.push_back(std::move(problem));
  }
  return fetched;
}

absl::StatusOr<bool> UpdateServices::RefreshEntry(
    Entry& entry, const Errand& errand, const CancellationToken& cancel) {
  absl::MutexLock refreshing(&entry.refreshing);
  if (entry.removed) return UnknownService(entry.id);
  const v1::UpdateService service = entry.Read();
  const std::filesystem::path folder = TrustedFolder(service);
  repository::RepositoryOptions options =
      RepositoryAt(folder, service.service_url(), errand.proxy);
  options.roots_are_recent =
      entry.RootsAreRecent(clock_.Now(), options_.root_interval);
  const absl::Time begun = absl::Now();
  // The caller's end, or the service's.
  CancellationToken both;
  const CancellationToken removal = entry.Stop();
  const auto stop = [both]() mutable { both.Cancel(); };
  const uint64_t by_caller = cancel.OnCancel(stop);
  const uint64_t by_removal = removal.OnCancel(stop);
  absl::StatusOr<Fetched> fetched = FetchAndLoad(options, entry.id, both);
  cancel.Forget(by_caller);
  removal.Forget(by_removal);
  // It says nothing about the service.
  if (!fetched.ok() && removal.cancelled()) return UnknownService(entry.id);
  if (!fetched.ok() && both.cancelled()) return fetched.status();
  if (service.is_scan_package_service() && !fetched.ok()) {
    fetched = AboutScanPackage(fetched.status());
  }
  store::RefreshRecord record;
  record.time = clock_.Now();
  record.succeeded = fetched.ok();
  if (fetched.ok()) {
    record.error = Problems(fetched->outcome);
    if (!record.error.empty()) {
      spdlog::warn("refresh request_id={} service={}: {}",
                   LoggedId(errand.request_id), entry.id,
                   absl::Utf8SafeCEscape(record.error));
    }
    const bool changed = fetched->changed || fetched->outcome.changed;
    spdlog::log(changed ? spdlog::level::info : spdlog::level::debug,
                "refresh request_id={} service={} changed={} duration_ms={}",
                LoggedId(errand.request_id), entry.id, changed,
                absl::ToInt64Milliseconds(absl::Now() - begun));
    record.root_version = fetched->outcome.root_version;
    record.root_expires = fetched->outcome.root_expires;
    record.root_sha256 = RootDigest(folder, options_.repository.max_root_bytes);
    const absl::StatusOr<int64_t> count = catalog_.UpdateCount(entry.id);
    record.update_count = count.ok() ? *count : 0;
  } else {
    record.error = std::string(fetched.status().message());
    if (record.error.empty()) record.error = "failed";
    spdlog::warn(
        "refresh request_id={} service={} failed hresult={} duration_ms={} "
        "error={}",
        LoggedId(errand.request_id), entry.id,
        FormatHResult(HResultOf(fetched.status())),
        absl::ToInt64Milliseconds(absl::Now() - begun),
        absl::Utf8SafeCEscape(record.error));
  }
  absl::StatusOr<v1::UpdateService> recorded;
  {
    // A registration that is changed meanwhile must not lose either.
    absl::MutexLock changing(&changing_);
    recorded = store::RecordRefresh(database_, entry.id, record);
    absl::MutexLock lock(&entry.mutex);
    entry.tried = record.time;
    // After a failure the next one leaves nothing out.
    if (!fetched.ok()) entry.roots_followed = absl::InfinitePast();
    if (fetched.ok() && fetched->outcome.roots_followed) {
      entry.roots_followed = record.time;
    }
    entry.last_result = fetched.status();
    if (recorded.ok()) entry.service = *recorded;
  }
  if (!fetched.ok()) return fetched.status();
  USHER_RETURN_IF_ERROR(recorded.status());
  return fetched->changed || fetched->outcome.changed;
}

absl::StatusOr<bool> UpdateServices::Refresh(absl::string_view service_id,
                                             const Errand& errand,
                                             const CancellationToken& cancel) {
  const std::shared_ptr<Entry> entry = Find(service_id);
  if (entry == nullptr) return UnknownService(service_id);
  return RefreshEntry(*entry, errand, cancel);
}

void UpdateServices::EnsureFresh(
    const std::string& service_id, const Errand& errand, ThreadPool& network,
    const CancellationToken& cancel,
    const std::function<void(const absl::Status&)>& done) {
  const std::shared_ptr<Entry> entry = Find(service_id);
  if (entry == nullptr) {
    done(UnknownService(service_id));
    return;
  }
  std::optional<absl::Status> known;
  {
    absl::MutexLock lock(&entry->mutex);
    absl::Time last = entry->tried;
    if (entry->service.has_last_refresh_time()) {
      last = std::max(last, ToTime(entry->service.last_refresh_time()));
    }
    const absl::Time now = clock_.Now();
    // A clock set back must not keep refreshes away.
    if (last <= now && now - last < options_.refresh_interval) {
      known = entry->last_result;
    } else {
      entry->waiting.push_back(done);
      if (entry->queued) return;
      entry->queued = true;
    }
  }
  if (known.has_value()) {
    done(*known);
    return;
  }
  network.Post([this, entry, errand, cancel] {
    const absl::Status status = RefreshEntry(*entry, errand, cancel).status();
    std::vector<std::function<void(const absl::Status&)>> waiting;
    {
      absl::MutexLock lock(&entry->mutex);
      waiting.swap(entry->waiting);
      entry->queued = false;
    }
    for (const auto& waiter : waiting) waiter(status);
  });
}

void UpdateServices::TellFetched(const Fetched& fetched,
                                 const std::filesystem::path& folder,
                                 v1::UpdateService& service) {
  service.set_root_version(fetched.outcome.root_version);
  service.set_root_sha256(
      RootDigest(folder, options_.repository.max_root_bytes));
  SetTime(fetched.outcome.root_expires, *service.mutable_expiration_date());
  SetTime(clock_.Now(), *service.mutable_last_refresh_time());
  service.set_last_refresh_error(Problems(fetched.outcome));
  const absl::StatusOr<int64_t> count =
      catalog_.UpdateCount(fetched.service_id);
  service.set_update_count(count.ok() ? *count : 0);
}

}  // namespace usher::session
