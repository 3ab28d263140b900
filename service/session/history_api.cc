#include "service/session/history_api.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/error.h"
#include "common/uuid.h"
#include "service/session/core.h"
#include "service/store/history_store.h"
#include "usher/v1/history.pb.h"

namespace usher::session {
namespace {

// An entry is at most a few KiB; a message stays far below 4 MiB.
constexpr int64_t kEntriesPerMessage = 200;
constexpr size_t kMaxHistoryCriteriaBytes = 256;
constexpr size_t kMessageBytes = size_t{256} * 1024;

}  // namespace

absl::StatusOr<std::string> ParseHistoryCriteria(absl::string_view criteria) {
  constexpr absl::string_view kProperty = "UpdateID";
  absl::string_view rest = absl::StripAsciiWhitespace(criteria);
  if (rest.empty()) return std::string();
  const auto bad = [] {
    return Error(hr::kWuEInvalidCriteria,
                 "history can only be asked for UpdateID='<uuid>' or for "
                 "everything",
                 "criteria");
  };
  if (rest.size() > kMaxHistoryCriteriaBytes ||
      !absl::StartsWithIgnoreCase(rest, kProperty)) {
    return bad();
  }
  rest = absl::StripLeadingAsciiWhitespace(rest.substr(kProperty.size()));
  if (!absl::ConsumePrefix(&rest, "=")) return bad();
  rest = absl::StripLeadingAsciiWhitespace(rest);
  if (!absl::ConsumePrefix(&rest, "'") || !absl::ConsumeSuffix(&rest, "'")) {
    return bad();
  }
  absl::StatusOr<std::string> id = CanonicalUuid(rest);
  if (!id.ok()) return bad();
  return id;
}

absl::StatusOr<HistoryReader> HistoryReader::Make(
    Core& core, const v1::QueryHistoryRequest& request) {
  HistoryReader reader(core);
  USHER_ASSIGN_OR_RETURN(reader.update_id_,
                         ParseHistoryCriteria(request.criteria()));
  if (request.start_index() < 0 || request.count() < 1) {
    return Error(hr::kWuEInvalidindex,
                 "start_index must be 0 or more and count 1 or more",
                 request.start_index() < 0 ? "start_index" : "count");
  }
  reader.position_ = request.start_index();
  reader.left_ = request.count();
  return reader;
}

absl::StatusOr<bool> HistoryReader::Next(v1::QueryHistoryResponse& response) {
  response.Clear();
  if (left_ <= 0) return false;
  if (update_id_.empty()) {
    USHER_ASSIGN_OR_RETURN(const int64_t total,
                           store::CountHistory(core_->database()));
    if (total_ >= 0) position_ += std::max<int64_t>(0, total - total_);
    total_ = total;
  }
  size_t bytes = 0;
  bool full = false;
  const absl::Status status =
      store::QueryHistory(core_->database(), update_id_, position_,
                          std::min(left_, kEntriesPerMessage),
                          [&](const v1::UpdateHistoryEntry& entry) {
                            full = full || bytes > kMessageBytes;
                            if (full) return absl::OkStatus();
                            bytes += entry.ByteSizeLong();
                            *response.add_entries() = entry;
                            return absl::OkStatus();
                          });
  // Beyond the end is an error for the question, not for its later pieces.
  if (!status.ok() && !first_ && HResultOf(status) == hr::kWuEInvalidindex) {
    return false;
  }
  USHER_RETURN_IF_ERROR(status);
  first_ = false;
  const int64_t read = response.entries_size();
  position_ += read;
  left_ = !full && read < kEntriesPerMessage ? 0 : left_ - read;
  return read > 0;
}

}  // namespace usher::session
