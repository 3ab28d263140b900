#include "service/catalog/catalog.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/error.h"
#include "common/fault_point.h"
#include "service/catalog/categories.h"
#include "service/catalog/criteria.h"
#include "service/catalog/decisions.h"
#include "service/catalog/evaluator.h"
#include "service/catalog/facts.h"
#include "service/catalog/loader.h"
#include "service/catalog/rows.h"
#include "service/catalog/searcher.h"
#include "service/catalog/streamer.h"
#include "service/catalog/update_row.h"
#include "service/store/database.h"
#include "usher/repository/v1/catalog.pb.h"
#include "usher/v1/update.pb.h"

namespace usher::catalog {
namespace {

using store::Connection;
using store::Statement;

constexpr size_t kMaxTextBytes = 256;
// Retired rows deleted before a load; the rest waits for the next one.
constexpr int64_t kPurgedRows = 100000;

using MachinePointer = std::shared_ptr<const MachineFacts>;

// Gives a connection more cache as long as a catalog is loaded: the inner parts
// of its indexes fit then. Afterwards the memory is given back.
class LoadCache {
 public:
  explicit LoadCache(Connection& connection) : connection_(connection) {
    // Without it loading is slower, no more.
    before_ = SelectInt(connection, "PRAGMA cache_size", {}, 0).value_or(0);
    connection.Execute("PRAGMA cache_size = -8192").IgnoreError();
  }
  ~LoadCache() {
    connection_
        .Execute(absl::StrCat("PRAGMA cache_size = ", before_,
                              "; PRAGMA shrink_memory"))
        .IgnoreError();
  }
  LoadCache(const LoadCache&) = delete;
  LoadCache& operator=(const LoadCache&) = delete;

 private:
  Connection& connection_;
  int64_t before_ = 0;
};

class SqlCatalog : public Catalog {
 public:
  SqlCatalog(store::Database& database, std::shared_ptr<Facts> facts,
             IsCached is_cached)
      : database_(database),
        facts_(std::move(facts)),
        is_cached_(std::move(is_cached)) {}

  absl::Status BringUpToDate() {
    USHER_ASSIGN_OR_RETURN(const MachinePointer machine, facts_->Current());
    if (Applied() == machine) {
      bool changed = false;
      absl::Status status =
          database_.Read([&](Connection& connection) -> absl::Status {
            USHER_ASSIGN_OR_RETURN(changed, ProbesChanged(connection, *facts_));
            return absl::OkStatus();
          });
      if (!status.ok() || !changed) return status;
    }
    return WriteWithFacts(
        [](Connection&, const MachineFacts&) { return absl::OkStatus(); });
  }

  absl::StatusOr<LoadSummary> Load(absl::string_view service_id,
                                   absl::string_view base_url,
                                   absl::Span<const CatalogFile> files,
                                   const CancellationToken& cancel) override {
    std::vector<CatalogFile> remaining(files.begin(), files.end());
    std::stable_sort(remaining.begin(), remaining.end(),
                     [](const CatalogFile& a, const CatalogFile& b) {
                       return a.publisher < b.publisher;
                     });
    std::vector<LeftOutPublisher> left_out;
    // Ends: every failure that is a publisher's fault leaves one fewer.
    while (true) {
      int culprit = 0;
      absl::StatusOr<LoadSummary> summary =
          LoadAll(service_id, base_url, remaining, cancel, culprit);
      if (summary.ok()) {
        summary->left_out = std::move(left_out);
        return summary;
      }
      if (culprit == 0) return summary;
      left_out.push_back({culprit, summary.status()});
      std::erase_if(remaining, [culprit](const CatalogFile& file) {
        return file.publisher == culprit;
      });
    }
  }

  absl::Status Remove(absl::string_view service_id) override {
    return database_.Write([service_id](Connection& connection) {
      return RemoveCatalog(connection, service_id);
    });
  }

  absl::Status CheckCriteria(absl::string_view criteria) override {
    return ParseCriteria(criteria).status();
  }

  absl::StatusOr<SearchResult> Search(
      const Query& query, const CancellationToken& cancel) override {
    USHER_ASSIGN_OR_RETURN(const Criteria criteria,
                           ParseCriteria(query.criteria));
    if (query.search_scope < 0 ||
        query.search_scope > v1::SEARCH_SCOPE_CURRENT_USER_ONLY) {  // UAMG-094
      return Error(hr::kWuEUnsupportedSearchscope,
                   "search scopes other than default, machine only and current "
                   "user only are not supported",
                   "search_scope");
    }
    if (query.text.size() > kMaxTextBytes ||
        query.text.find('\0') != std::string::npos) {
      return Error(hr::kEInvalidarg,
                   "the text to search for is longer than 256 bytes or has a "
                   "NUL character",
                   "text");
    }
    USHER_RETURN_IF_ERROR(BringUpToDate());
    SearchResult result;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          connection.StopWhenCancelled(cancel);
          USHER_ASSIGN_OR_RETURN(result.rows,
                                 RunSearch(connection, criteria, query));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return result;
  }

  absl::StatusOr<int64_t> Stream(
      absl::Span<const int64_t> rows, absl::string_view locale,
      absl::FunctionRef<absl::Status(absl::string_view wire)> sink) override {
    const std::vector<std::string> languages = LanguageChain(locale);
    UpdateBatch batch;
    int64_t missing = 0;
    while (!rows.empty()) {
      size_t used = 0;
      const absl::Status status =
          database_.Read([&](Connection& connection) -> absl::Status {
            USHER_ASSIGN_OR_RETURN(used, ReadBatch(connection, rows, languages,
                                                   is_cached_, batch));
            return absl::OkStatus();
          });
      if (!status.ok()) return status;
      missing += static_cast<int64_t>(used - batch.size());
      rows.remove_prefix(used);
      for (size_t i = 0; i < batch.size(); ++i) {
        absl::Status sent = sink(batch[i]);
        if (!sent.ok()) return sent;
      }
    }
    return missing;
  }

  // Catalogs carry category names in one language only.
  absl::StatusOr<std::vector<v1::Category>> CategoriesOf(
      absl::Span<const int64_t> rows, absl::string_view /*locale*/) override {
    std::vector<v1::Category> categories;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(categories, ReadCategories(connection, rows));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return categories;
  }

  absl::StatusOr<v1::Update> Get(const UpdateKey& key,
                                 absl::string_view locale) override {
    v1::Update update;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(const int64_t row, FindRow(connection, key));
          UpdateBatch batch;
          USHER_RETURN_IF_ERROR(ReadBatch(connection, {&row, 1},
                                          LanguageChain(locale), is_cached_,
                                          batch)
                                    .status());
          return ParseStored(batch.size() == 0 ? "" : batch[0], update);
        });
    if (!status.ok()) return status;
    return update;
  }

  absl::StatusOr<int64_t> Row(const UpdateKey& key) override {
    int64_t row = 0;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(row, FindRow(connection, key));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return row;
  }

  absl::StatusOr<repository::v1::UpdateDescription> Describe(
      const UpdateKey& key) override {
    repository::v1::UpdateDescription description;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(const int64_t row, FindRow(connection, key));
          USHER_ASSIGN_OR_RETURN(
              Statement select,
              Bound(connection,
                    "SELECT p.plan, c.wire FROM catalog_plan p JOIN "
                    "catalog_content c ON c.id = p.id WHERE p.id = ?",
                    {row}));
          USHER_RETURN_IF_ERROR(select.Step().status());
          USHER_RETURN_IF_ERROR(ParseStored(select.Blob(0), description));
          return ParseStored(select.Blob(1), *description.mutable_update());
        });
    if (!status.ok()) return status;
    return description;
  }

  absl::StatusOr<Applicability> Evaluate(const UpdateKey& key) override {
    // Also brings the children of a bundle up to date.
    USHER_RETURN_IF_ERROR(BringUpToDate());
    Applicability applicability;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(const int64_t row, FindRow(connection, key));
          USHER_ASSIGN_OR_RETURN(
              Statement select,
              Bound(connection,
                    "SELECT is_installed, is_installable, is_present, "
                    "coalesce((SELECT revision FROM update_receipt WHERE "
                    "update_id = ?2 AND service_id = ?3 AND installed = 1), 0) "
                    "FROM catalog_update WHERE id = ?1",
                    {row, key.update_id, key.service_id}));
          USHER_RETURN_IF_ERROR(select.Step().status());
          applicability.is_installed = select.Int(0) != 0;
          applicability.is_installable = select.Int(1) != 0;
          applicability.is_present = select.Int(2) != 0;
          applicability.receipt = static_cast<int32_t>(select.Int(3));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return applicability;
  }

  absl::Status SetHidden(const UpdateKey& key, bool hidden) override {
    return database_.Write([&key, hidden](Connection& connection) {
      return StoreHidden(connection, key, hidden);
    });
  }

  absl::Status AcceptEula(const UpdateKey& key) override {
    return database_.Write([&key](Connection& connection) {
      return StoreEulaAccepted(connection, key);
    });
  }

  absl::Status RecordInstalled(const UpdateKey& key,
                               bool reboot_required) override {
    return Record(key, /*installed=*/true, reboot_required);
  }

  absl::Status RecordUninstalled(const UpdateKey& key,
                                 bool reboot_required) override {
    return Record(key, /*installed=*/false, reboot_required);
  }

  absl::StatusOr<int64_t> UpdateCount(absl::string_view service_id) override {
    int64_t count = 0;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(
              count, SelectInt(connection,
                               "SELECT update_count FROM catalog_service "
                               "WHERE service_id = ?",
                               {service_id}, 0));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return count;
  }

  absl::StatusOr<std::vector<std::string>> LoadedServices() override {
    std::vector<std::string> services;
    const absl::Status status =
        database_.Read([&](Connection& connection) -> absl::Status {
          USHER_ASSIGN_OR_RETURN(
              Statement select,
              Bound(connection,
                    "SELECT service_id FROM catalog_service s WHERE EXISTS "
                    "(SELECT 1 FROM catalog_file f WHERE f.service = s.id)",
                    {}));
          while (true) {
            USHER_ASSIGN_OR_RETURN(const bool more, select.Step());
            if (!more) return absl::OkStatus();
            services.emplace_back(select.Text(0));
          }
        });
    if (!status.ok()) return status;
    return services;
  }

 private:
  // One transaction; see LoadCatalog().
  absl::StatusOr<LoadSummary> LoadAll(absl::string_view service_id,
                                      absl::string_view base_url,
                                      absl::Span<const CatalogFile> files,
                                      const CancellationToken& cancel,
                                      int& culprit) {
    LoadSummary summary;
    const absl::Status status =
        WriteWithFacts([&](Connection& connection,
                           const MachineFacts& machine) -> absl::Status {
          connection.StopWhenCancelled(cancel);
          USHER_RETURN_IF_ERROR(
              Purge(connection, NowMicros() - kRetirementMicros, kPurgedRows));
          USHER_ASSIGN_OR_RETURN(
              summary, LoadCatalog(connection, machine, *facts_, service_id,
                                   base_url, files, cancel, culprit));
          USHER_FAULT_POINT("catalog.load.commit");
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return summary;
  }

  MachinePointer Applied() {
    absl::MutexLock lock(&mutex_);
    return applied_;
  }

  absl::Status Record(const UpdateKey& key, bool installed,
                      bool reboot_required) {
    return WriteWithFacts([&](Connection& connection,
                              const MachineFacts& machine) -> absl::Status {
      USHER_ASSIGN_OR_RETURN(std::vector<int64_t> rows,
                             StoreReceipt(connection, key, installed,
                                          reboot_required, machine.boot_id));
      return Evaluator(connection, machine, *facts_).Refresh(std::move(rows));
    });
  }

  // Runs `body` in a write transaction in which all rows are up to date with
  // the machine that `body` gets to see.
  absl::Status WriteWithFacts(
      absl::FunctionRef<absl::Status(Connection&, const MachineFacts&)> body) {
    MachinePointer machine;
    absl::Status status =
        database_.Write([&](Connection& connection) -> absl::Status {
          // Inside, so that facts and transactions have the same order.
          USHER_ASSIGN_OR_RETURN(machine, facts_->Current());
          USHER_RETURN_IF_ERROR(ApplyFacts(connection, *machine, *facts_));
          return body(connection, *machine);
        });
    if (!status.ok()) return status;
    absl::MutexLock lock(&mutex_);
    applied_ = std::move(machine);
    return absl::OkStatus();
  }

  store::Database& database_;
  const std::shared_ptr<Facts> facts_;
  const IsCached is_cached_;
  absl::Mutex mutex_;
  // What the rows were last evaluated with.
  MachinePointer applied_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Catalog>> Catalog::Open(
    store::Database& database, std::shared_ptr<Facts> facts,
    IsCached is_cached) {
  auto catalog = std::make_unique<SqlCatalog>(database, std::move(facts),
                                              std::move(is_cached));
  USHER_RETURN_IF_ERROR(catalog->BringUpToDate());
  return catalog;
}

}  // namespace usher::catalog
