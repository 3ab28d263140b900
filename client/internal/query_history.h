#ifndef USHER_CLIENT_INTERNAL_QUERY_HISTORY_H_
#define USHER_CLIENT_INTERNAL_QUERY_HISTORY_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/internal/session_core.h"
#include "usher/history.h"

namespace usher::internal {

// See UpdateSession::QueryHistory.
absl::StatusOr<UpdateHistoryEntryCollection> QueryHistory(
    SessionCore& core, absl::string_view criteria, int32_t start_index,
    int32_t count);

}  // namespace usher::internal

#endif  // USHER_CLIENT_INTERNAL_QUERY_HISTORY_H_
