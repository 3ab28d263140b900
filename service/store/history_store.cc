#include "service/store/history_store.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "usher/v1/history.pb.h"

namespace usher::store {
namespace {

// Entries read at a time: the sink may be slow and must not hold a reader.
constexpr int64_t kBatch = 128;

struct Position {
  int64_t date = std::numeric_limits<int64_t>::max();
  int64_t id = std::numeric_limits<int64_t>::max();
};

absl::StatusOr<int64_t> Count(Connection& connection,
                              absl::string_view update_id) {
  USHER_ASSIGN_OR_RETURN(
      Statement count,
      connection.Prepare(update_id.empty()
                             ? "SELECT count(*) FROM history"
                             : "SELECT count(*) FROM history WHERE "
                               "update_id = ?"));
  if (!update_id.empty()) count.Bind(1, update_id);
  USHER_RETURN_IF_ERROR(count.Step().status());
  return count.Int(0);
}

// Reads up to `limit` entries that come after `position`, skipping `skip`, and
// moves `position` on.
absl::Status ReadBatch(Connection& connection, absl::string_view update_id,
                       int64_t skip, int64_t limit, Position& position,
                       std::vector<std::string>& entries) {
  const std::string sql = absl::StrCat(
      "SELECT date, id, entry FROM history WHERE (date, id) < "
      "(?1, ?2)",
      update_id.empty() ? "" : " AND update_id = ?5",
      " ORDER BY date DESC, id DESC LIMIT ?3 OFFSET ?4");
  USHER_ASSIGN_OR_RETURN(Statement select, connection.Prepare(sql));
  select.Bind(1, position.date)
      .Bind(2, position.id)
      .Bind(3, limit)
      .Bind(4, skip);
  if (!update_id.empty()) select.Bind(5, update_id);
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    position = {select.Int(0), select.Int(1)};
    entries.emplace_back(select.Blob(2));
  }
}

}  // namespace

absl::Status AppendHistory(Connection& connection,
                           const v1::UpdateHistoryEntry& entry) {
  USHER_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare(
          "INSERT INTO history(date, update_id, entry) VALUES(?, ?, ?)"));
  const std::string bytes = entry.SerializeAsString();
  return insert
      .Bind(1, entry.date().seconds() * 1000000 + entry.date().nanos() / 1000)
      .Bind(2, entry.update_identity().update_id())
      .BindBlob(3, bytes)
      .Run();
}

absl::Status QueryHistory(
    Database& database, absl::string_view update_id, int64_t start_index,
    int64_t count,
    absl::FunctionRef<absl::Status(const v1::UpdateHistoryEntry&)> sink) {
  if (start_index < 0) {
    return Error(hr::kWuEInvalidindex, "start_index must not be negative",
                 "start_index");
  }
  if (count <= 0) {
    return Error(hr::kWuEInvalidindex, "count must be 1 or greater", "count");
  }
  Position position;
  int64_t skip = start_index;
  v1::UpdateHistoryEntry entry;
  while (count > 0) {
    std::vector<std::string> entries;
    const int64_t limit = std::min(count, kBatch);
    USHER_RETURN_IF_ERROR(
        database.Read([&](Connection& connection) -> absl::Status {
          if (skip > 0) {
            USHER_ASSIGN_OR_RETURN(const int64_t total,
                                   Count(connection, update_id));
            if (total > 0 && start_index >= total) {
              return Error(hr::kWuEInvalidindex,
                           absl::StrCat("start_index ", start_index,
                                        " is beyond the ", total, " entries"),
                           "start_index");
            }
          }
          return ReadBatch(connection, update_id, skip, limit, position,
                           entries);
        }));
    for (const std::string& bytes : entries) {
      // One that is damaged must not hide the others.
      if (!entry.ParseFromString(bytes)) continue;
      USHER_RETURN_IF_ERROR(sink(entry));
    }
    if (static_cast<int64_t>(entries.size()) < limit) return absl::OkStatus();
    count -= limit;
    skip = 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> CountHistory(Database& database) {
  int64_t count = 0;
  USHER_RETURN_IF_ERROR(
      database.Read([&count](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(count, Count(connection, ""));
        return absl::OkStatus();
      }));
  return count;
}

}  // namespace usher::store
