#include "service/download/content_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/error.h"

namespace usher::download {
namespace {

absl::string_view BytesOf(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

absl::StatusOr<std::vector<ContentRow>> LoadContentRows(
    store::Database& database) {
  std::vector<ContentRow> rows;
  USHER_RETURN_IF_ERROR(
      database.Read([&rows](store::Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(
            store::Statement select,
            connection.Prepare("SELECT sha256, size, last_used FROM content"));
        while (true) {
          USHER_ASSIGN_OR_RETURN(const bool more, select.Step());
          if (!more) return absl::OkStatus();
          ContentRow row;
          const absl::string_view bytes = select.Blob(0);
          if (bytes.size() != row.digest.size()) {
            return Error(hr::kWuEDsInvalid,
                         "a row of the content cache's index is damaged",
                         "usher.db");
          }
          std::copy(bytes.begin(), bytes.end(), row.digest.begin());
          row.size = select.Int(1);
          row.last_used = select.Int(2);
          rows.push_back(row);
        }
      }));
  return rows;
}

absl::Status SaveContentRow(store::Connection& connection,
                            const ContentRow& row) {
  USHER_ASSIGN_OR_RETURN(
      store::Statement save,
      connection.Prepare("INSERT INTO content(sha256, size, last_used) "
                         "VALUES(?, ?, ?) ON CONFLICT(sha256) DO UPDATE SET "
                         "size = excluded.size, last_used = "
                         "excluded.last_used"));
  return save.BindBlob(1, BytesOf(row.digest))
      .Bind(2, row.size)
      .Bind(3, row.last_used)
      .Run();
}

absl::Status DeleteContentRow(store::Connection& connection,
                              const Sha256Digest& digest) {
  USHER_ASSIGN_OR_RETURN(
      store::Statement remove,
      connection.Prepare("DELETE FROM content WHERE sha256 = ?"));
  return remove.BindBlob(1, BytesOf(digest)).Run();
}

}  // namespace usher::download
