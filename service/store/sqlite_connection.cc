#include "service/store/sqlite_connection.h"

#include <sqlite3.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/file_io.h"
#include "service/store/sqlite_error.h"

namespace usher::store {
namespace {

// Statements kept ready on each connection. The service has fewer fixed ones;
// those that searches make come and go.
constexpr size_t kIdleStatements = 48;
// How long a statement waits for another process (a backup, a curious
// administrator), in milliseconds.
constexpr int kBusyTimeoutMs = 10000;
// Virtual machine instructions between two looks at a cancellation token:
// well below a millisecond.
constexpr int kProgressInterval = 2000;

int IsCancelled(void* token) {
  return static_cast<const CancellationToken*>(token)->cancelled() ? 1 : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(
    const std::filesystem::path& path, bool writable, int cache_kib) {
  const std::string name = PathToUtf8(path);
  sqlite3* database = nullptr;
  const int flags = (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                              : SQLITE_OPEN_READWRITE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(name.c_str(), &database, flags, nullptr);
  // Closes the handle on every way out.
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(database));
  if (code != SQLITE_OK) {
    return SqliteError(database, code, absl::StrCat("open ", name));
  }
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  // An attacker who can write the file shall not make it run code.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  USHER_RETURN_IF_ERROR(connection->Execute(
      absl::StrCat("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
                   "PRAGMA secure_delete = OFF; PRAGMA mmap_size = 0;"
                   "PRAGMA cache_size = -",
                   cache_kib, ";")));
  // A long transaction leaves a long log; it shrinks at the next checkpoint.
  USHER_RETURN_IF_ERROR(connection->Execute(
      writable ? "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = "
                 "4194304;"
               : "PRAGMA query_only = ON;"));
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (const Idle& idle : idle_) sqlite3_finalize(idle.statement);
  sqlite3_close_v2(database_);
}

absl::StatusOr<Statement> SqliteConnection::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  std::string key;
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    if (it->sql == sql) {
      statement = it->statement;
      key = std::move(it->sql);
      idle_.erase(it);
      break;
    }
  }
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      return SqliteError(database_, code,
                         absl::StrCat("prepare the statement \"", sql, "\""));
    }
    if (statement == nullptr) {
      return Error(hr::kWuEDsUnexpected, "an empty SQL statement");
    }
    key = std::string{sql};
  }
  return MakeStatement(
      database_, statement,
      [this, key = std::move(key)](sqlite3_stmt* used) mutable {
        GiveBack(std::move(key), used);
      });
}

void SqliteConnection::GiveBack(std::string sql, sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  idle_.push_front({std::move(sql), statement});
  if (idle_.size() > kIdleStatements) {
    sqlite3_finalize(idle_.back().statement);
    idle_.pop_back();
  }
}

absl::Status SqliteConnection::Execute(absl::string_view sql) {
  const std::string text(sql);
  const int code =
      sqlite3_exec(database_, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return SqliteError(database_, code,
                       absl::StrCat("run \"", text.substr(0, 200), "\""));
  }
  return absl::OkStatus();
}

int64_t SqliteConnection::LastInsertRowId() const {
  return sqlite3_last_insert_rowid(database_);
}

int64_t SqliteConnection::Changes() const {
  return sqlite3_changes64(database_);
}

void SqliteConnection::StopWhenCancelled(const CancellationToken& token) {
  // SQLite's context pointer is not const; IsCancelled only reads.
  sqlite3_progress_handler(database_, kProgressInterval, &IsCancelled,
                           const_cast<CancellationToken*>(&token));
}

void SqliteConnection::StopWatching() {
  sqlite3_progress_handler(database_, 0, nullptr, nullptr);
}

absl::Status SqliteConnection::Transaction(
    const char* begin, absl::FunctionRef<absl::Status(Connection&)> body) {
  USHER_RETURN_IF_ERROR(Execute(begin));
  absl::Status status = body(*this);
  StopWatching();
  if (status.ok()) status = Execute("COMMIT");
  // SQLite rolls back by itself after some errors (disk full, interrupt).
  if (!status.ok() && sqlite3_get_autocommit(database_) == 0) {
    absl::Status rollback = Execute("ROLLBACK");
    if (!rollback.ok()) return rollback;
  }
  return status;
}

}  // namespace usher::store
