#ifndef USHER_SERVICE_SESSION_HISTORY_API_H_
#define USHER_SERVICE_SESSION_HISTORY_API_H_

// usher.v1.HistoryService.QueryHistory, piece by piece.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace usher::v1 {
class QueryHistoryRequest;
class QueryHistoryResponse;
}  // namespace usher::v1

namespace usher::session {

class Core;

// Reads the entries that a request asks for. Not thread-safe.
class HistoryReader {
 public:
  // WU_E_INVALIDINDEX for a negative start or a count below 1 (UAMG-204,
  // 205); WU_E_INVALID_CRITERIA (UAMG-209).
  static absl::StatusOr<HistoryReader> Make(
      Core& core, const v1::QueryHistoryRequest& request);

  // Fills the next message; false when nothing is left. Blocks on the
  // database.
  absl::StatusOr<bool> Next(v1::QueryHistoryResponse& response);

 private:
  explicit HistoryReader(Core& core) : core_(&core) {}

  Core* core_;
  std::string update_id_;
  int64_t position_ = 0;
  int64_t left_ = 0;
  // Entries in all when the first piece was read: what is added meanwhile
  // comes first and shifts the rest.
  int64_t total_ = -1;
  bool first_ = true;
};

// The update id in "UpdateID='<uuid>'", or "" for empty criteria.
absl::StatusOr<std::string> ParseHistoryCriteria(absl::string_view criteria);

}  // namespace usher::session

#endif  // USHER_SERVICE_SESSION_HISTORY_API_H_
