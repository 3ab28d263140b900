#ifndef USHER_UPDATE_SEARCHER_H_
#define USHER_UPDATE_SEARCHER_H_

// IUpdateSearcher … IUpdateSearcher3, ISearchResult.

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/hresult.h"
#include "usher/collection.h"
#include "usher/history.h"
#include "usher/job.h"
#include "usher/types.h"
#include "usher/update.h"

namespace usher {

namespace internal {
class SearcherObject;
}  // namespace internal

// A problem that did not stop a search (IUpdateException).
struct UpdateException {
  std::string message;
  HResult hresult = 0;
  UpdateExceptionContext context = UpdateExceptionContext::kUnspecified;
};

// ISearchResult. Holds everything the search found.
class SearchResult {
 public:
  SearchResult() = default;
  SearchResult(OperationResultCode result_code, UpdateCollection updates,
               std::shared_ptr<internal::CategoryForest> forest,
               std::vector<UpdateException> warnings);

  OperationResultCode ResultCode() const { return result_code_; }
  // Read-only (UAMG-104).
  const UpdateCollection& Updates() const { return updates_; }
  // Root categories of all updates found (UAMG-098, 099); read-only.
  Collection<Category> RootCategories() const;
  const Collection<UpdateException>& Warnings() const { return warnings_; }

 private:
  OperationResultCode result_code_ = OperationResultCode::kNotStarted;
  UpdateCollection updates_;
  std::shared_ptr<internal::CategoryForest> forest_;
  Collection<UpdateException> warnings_;
};

// What SearchEach tells at the end.
struct SearchSummary {
  OperationResultCode result_code = OperationResultCode::kNotStarted;
  int64_t update_count = 0;
  std::vector<UpdateException> warnings;
};

// Usher's additions to what a criteria text can say.
struct SearchOptions {
  // Only updates whose name or title contains this, ignoring case. At most
  // 256 bytes; empty: no restriction.
  std::string text;
  // Stop after that many; 0: no limit.
  int32_t max_results = 0;
};

// A searcher. A handle, thread-safe. Setters write through to the service and
// fail as it says; getters answer from memory. When the service has lost the
// searcher (a restart, an expired session), it is made again with the same
// properties.
class UpdateSearcher {
 public:
  explicit UpdateSearcher(std::shared_ptr<internal::SearcherObject> object);

  // Searches and waits. Empty criteria mean "( IsInstalled = 0 and IsHidden =
  // 0 )". WU_E_INVALID_CRITERIA (0x80240032) for anything outside the grammar
  // (docs/api.md). Asked again by itself when the connection breaks.
  absl::StatusOr<SearchResult> Search(absl::string_view criteria,
                                      const SearchOptions& options = {}) const;

  // As Search, but hands each update to `visit` on the calling thread as it
  // arrives and keeps none, so that memory does not grow with the result.
  // `visit` returns false to stop; the summary then says kAborted. When the
  // connection breaks after the first update, fails with WU_E_NO_SERVICE.
  absl::StatusOr<SearchSummary> SearchEach(
      absl::string_view criteria, const std::function<bool(Update)>& visit,
      const SearchOptions& options = {}) const;

  // Begins a search and returns at once. `completed` may be empty.
  absl::StatusOr<SearchJob> BeginSearch(
      absl::string_view criteria, SearchCompletedCallback completed,
      std::any async_state = {}, const SearchOptions& options = {}) const;
  // Waits for the job and takes its result. A second time, or a job of another
  // kind: WU_E_INVALID_OPERATION (UAMG-156).
  absl::StatusOr<SearchResult> EndSearch(const SearchJob& job) const;

  // Makes `text` safe inside a quoted string of the criteria: each of ' [ ] is
  // put into brackets (UAMG-083, 084).
  static std::string EscapeString(absl::string_view text);

  // IUpdateSearcher::QueryHistory; `start_index` counts from the newest entry.
  // Errors: WU_E_INVALIDINDEX (UAMG-204 … 206).
  absl::StatusOr<UpdateHistoryEntryCollection> QueryHistory(
      int32_t start_index, int32_t count) const;
  absl::StatusOr<int32_t> GetTotalHistoryCount() const;

  std::string ClientApplicationID() const;
  absl::Status SetClientApplicationID(absl::string_view value);
  bool CanAutomaticallyUpgradeService() const;
  absl::Status SetCanAutomaticallyUpgradeService(bool value);
  bool IncludePotentiallySupersededUpdates() const;
  absl::Status SetIncludePotentiallySupersededUpdates(bool value);
  enum ServerSelection ServerSelection() const;
  absl::Status SetServerSelection(enum ServerSelection value);
  std::string ServiceID() const;
  absl::Status SetServiceID(absl::string_view value);
  bool Online() const;
  absl::Status SetOnline(bool value);
  bool IgnoreDownloadPriority() const;
  absl::Status SetIgnoreDownloadPriority(bool value);
  enum SearchScope SearchScope() const;
  absl::Status SetSearchScope(enum SearchScope value);

 private:
  std::shared_ptr<internal::SearcherObject> object_;
};

}  // namespace usher

#endif  // USHER_UPDATE_SEARCHER_H_
