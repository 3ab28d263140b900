#include "service/store/migrations.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/error.h"

namespace usher::store {
namespace {

absl::StatusOr<std::set<int>> Applied(Connection& connection) {
  std::set<int> numbers;
  USHER_ASSIGN_OR_RETURN(
      Statement exists,
      connection.Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' "
                         "AND name = 'schema_migration'"));
  USHER_ASSIGN_OR_RETURN(const bool present, exists.Step());
  if (!present) return numbers;
  USHER_ASSIGN_OR_RETURN(
      Statement select,
      connection.Prepare("SELECT number FROM schema_migration"));
  while (true) {
    USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return numbers;
    numbers.insert(static_cast<int>(select.Int(0)));
  }
}

absl::Status Apply(Connection& connection, const Migration& migration) {
  USHER_RETURN_IF_ERROR(
      connection.Execute("CREATE TABLE IF NOT EXISTS schema_migration("
                         "number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                         "apply_time INTEGER NOT NULL) STRICT"));
  USHER_RETURN_IF_ERROR(connection.Execute(migration.sql));
  USHER_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare("INSERT INTO schema_migration VALUES(?, ?, ?)"));
  return insert.Bind(1, migration.number)
      .Bind(2, migration.name)
      .Bind(3, absl::ToUnixMicros(absl::Now()))
      .Run();
}

}  // namespace

absl::Status Migrate(Database& database,
                     absl::Span<const Migration> migrations) {
  std::set<int> applied;
  USHER_RETURN_IF_ERROR(
      database.Write([&applied](Connection& connection) -> absl::Status {
        USHER_ASSIGN_OR_RETURN(applied, Applied(connection));
        return absl::OkStatus();
      }));
  for (const int number : applied) {
    const bool known = std::any_of(
        migrations.begin(), migrations.end(),
        [number](const Migration& m) { return m.number == number; });
    if (!known) {
      return Error(hr::kWuEDsBadversion,
                   absl::StrCat("the database has schema change ", number,
                                ", which this version of Usher does not know; "
                                "run the newer Usher that wrote it"),
                   "usher.db");
    }
  }
  for (const Migration& migration : migrations) {
    if (applied.contains(migration.number)) continue;
    const absl::Status status =
        database.Write([&migration](Connection& connection) {
          return Apply(connection, migration);
        });
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("schema change ", migration.number,
                                           " (", migration.name, ")"));
    }
  }
  return absl::OkStatus();
}

}  // namespace usher::store
