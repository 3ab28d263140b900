#include "client/internal/query_history.h"

#include <string>
#include <utility>
#include <vector>

#include "client/internal/convert.h"

namespace usher::internal {

absl::StatusOr<UpdateHistoryEntryCollection> QueryHistory(
    SessionCore& core, absl::string_view criteria, int32_t start_index,
    int32_t count) {
  // The chunks are gathered in one message, so that a stream that broke is
  // simply read again.
  USHER_ASSIGN_OR_RETURN(
      const v1::QueryHistoryResponse all,
      core.Call<v1::QueryHistoryResponse>(
          {}, [&](const Link& link, grpc::ClientContext* context,
                  v1::QueryHistoryResponse* gathered) {
            v1::QueryHistoryRequest request;
            request.set_criteria(std::string(criteria));
            request.set_start_index(start_index);
            request.set_count(count);
            const auto reader = link.history->QueryHistory(context, request);
            v1::QueryHistoryResponse chunk;
            while (reader->Read(&chunk)) gathered->MergeFrom(chunk);
            return reader->Finish();
          }));
  std::vector<UpdateHistoryEntry> entries;
  for (const v1::UpdateHistoryEntry& entry : all.entries()) {
    entries.push_back(ToHistoryEntry(entry));
  }
  return UpdateHistoryEntryCollection(std::move(entries), /*read_only=*/true);
}

}  // namespace usher::internal
