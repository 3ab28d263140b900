#ifndef USHER_SERVICE_CATALOG_CATALOG_H_
#define USHER_SERVICE_CATALOG_CATALOG_H_

// The catalog: every update of every registered service, in SQLite, searchable.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/cancellation.h"
#include "common/sha256.h"

namespace usher::v1 {
class Category;
class Update;
}  // namespace usher::v1
namespace usher::repository::v1 {
class UpdateDescription;
}  // namespace usher::repository::v1
namespace usher::store {
class Database;
}  // namespace usher::store

namespace usher::catalog {

class Facts;  // catalog/facts.h: the machine as applicability rules see it

// Names one revision. Ids are canonical UUIDs.
struct UpdateKey {
  std::string service_id;
  std::string update_id;
  int32_t revision = 0;
  friend bool operator==(const UpdateKey&, const UpdateKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const UpdateKey& k) {
    return H::combine(std::move(h), k.service_id, k.update_id, k.revision);
  }
};

// One verified catalog file of a service.
struct CatalogFile {
  std::string target_name;
  std::filesystem::path path;
  Sha256Digest sha256{};
  // Whose it is: 0 the repository's own, and those to whom it delegates by
  // their priority. Where two disagree, the smaller number is right.
  int publisher = 0;
  // The same by name, for good: "" is the repository itself.
  std::string role;
};

// A publisher without whose files a catalog was loaded, and why.
struct LeftOutPublisher {
  int publisher = 0;
  absl::Status status;
};

struct LoadSummary {
  int64_t added = 0;
  int64_t changed = 0;
  int64_t removed = 0;
  int64_t unchanged = 0;
  std::string service_name;
  std::vector<LeftOutPublisher> left_out;
};

struct Query {
  std::string criteria;    // empty: the default criteria
  std::string text;        // empty: no restriction
  std::string service_id;  // already resolved from ServerSelection
  bool include_superseded = false;
  bool ignore_download_priority = false;
  int search_scope = 0;     // usher.v1.SearchScope
  int64_t max_results = 0;  // 0: no limit
};

// A finished search: which rows, in catalog order. Small (a few bytes per
// update), independent of later catalog loads for at least an hour.
struct SearchResult {
  std::vector<int64_t> rows;
};

// Thread-safe.
class Catalog {
 public:
  // Content digest -> is it in the cache? Given by the download layer.
  using IsCached = std::function<bool(const Sha256Digest&)>;

  static absl::StatusOr<std::unique_ptr<Catalog>> Open(
      store::Database& database, std::shared_ptr<Facts> facts,
      IsCached is_cached);
  virtual ~Catalog() = default;

  // Makes the service's catalog consist of exactly `files`, in one
  // transaction; files whose hash is already loaded are not read again. Every
  // input is checked; on any error nothing changes, except that a delegated
  // publisher whose files are not right, or who claims what belongs to another
  // one before it, is left out with all its files. The service's name is that
  // of publisher 0. `base_url` is the repository's, for the download URLs.
  // Errors: WU_E_INVALID_UPDATE, WU_E_EE_INVALID_EXPRESSION,
  // WU_E_OL_NEWCLIENT_REQUIRED, …, each naming file and record.
  virtual absl::StatusOr<LoadSummary> Load(absl::string_view service_id,
                                           absl::string_view base_url,
                                           absl::Span<const CatalogFile> files,
                                           const CancellationToken& cancel) = 0;

  // Forgets a service's catalog (RemoveService).
  virtual absl::Status Remove(absl::string_view service_id) = 0;

  // Checks criteria without searching: WU_E_INVALID_CRITERIA with position
  // and reason.
  virtual absl::Status CheckCriteria(absl::string_view criteria) = 0;

  // Searches. Facts about the machine are brought up to date first.
  virtual absl::StatusOr<SearchResult> Search(
      const Query& query, const CancellationToken& cancel) = 0;

  // Calls `sink` for each row of a result, in order, with the serialized
  // usher.v1.Update in `locale`, its state as of now. Reads as it goes, so
  // that memory stays bounded; a row that a later load has dropped for good is
  // left out and counted in the return value. `sink` stops the stream by
  // returning an error, which comes back.
  virtual absl::StatusOr<int64_t> Stream(
      absl::Span<const int64_t> rows, absl::string_view locale,
      absl::FunctionRef<absl::Status(absl::string_view wire)> sink) = 0;

  // The categories of a result's updates, with all their ancestors, localised.
  virtual absl::StatusOr<std::vector<v1::Category>> CategoriesOf(
      absl::Span<const int64_t> rows, absl::string_view locale) = 0;

  // One update with its present state. WU_E_DS_NODATA_NOSUCHREVISION.
  virtual absl::StatusOr<v1::Update> Get(const UpdateKey& key,
                                         absl::string_view locale) = 0;
  // The row of one update, for Stream and CategoriesOf.
  virtual absl::StatusOr<int64_t> Row(const UpdateKey& key) = 0;

  // One update as the publisher described it: payloads, handler, rules.
  virtual absl::StatusOr<repository::v1::UpdateDescription> Describe(
      const UpdateKey& key) = 0;

  // Evaluates the rules for one update now.
  struct Applicability {
    bool is_installed = false;
    bool is_installable = false;
    // Installed in part, or in an older revision, which can be uninstalled.
    bool is_present = false;
    // The revision that was installed last and not uninstalled; 0: none was,
    // as far as receipts tell.
    int32_t receipt = 0;
  };
  virtual absl::StatusOr<Applicability> Evaluate(const UpdateKey& key) = 0;

  // A user's decisions; they outlive catalog loads and revisions.
  virtual absl::Status SetHidden(const UpdateKey& key, bool hidden) = 0;
  virtual absl::Status AcceptEula(const UpdateKey& key) = 0;

  // What an installation did, as the handlers record it ("receipts"): feeds
  // InstalledUpdateRule and the default of is_installed.
  virtual absl::Status RecordInstalled(const UpdateKey& key,
                                       bool reboot_required) = 0;
  virtual absl::Status RecordUninstalled(const UpdateKey& key,
                                         bool reboot_required) = 0;

  virtual absl::StatusOr<int64_t> UpdateCount(absl::string_view service_id) = 0;
  // The services of which catalog files are loaded, in no order.
  virtual absl::StatusOr<std::vector<std::string>> LoadedServices() = 0;
};

}  // namespace usher::catalog

#endif  // USHER_SERVICE_CATALOG_CATALOG_H_
