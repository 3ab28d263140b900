#ifndef USHER_SERVICE_STORE_DATABASE_H_
#define USHER_SERVICE_STORE_DATABASE_H_

// The service's SQLite database: one writer, several readers, numbered
// migrations.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/cancellation.h"

struct sqlite3;
struct sqlite3_stmt;

namespace usher::store {

// Every error of this header is one of: ERROR_DISK_FULL; WU_E_DS_INVALID (the
// file is damaged); WU_E_DS_INUSE (another process holds it);
// WU_E_DS_ROWEXISTS and WU_E_DS_MISSINGREF (a unique or foreign key);
// WU_E_CALL_CANCELLED; E_OUTOFMEMORY; WU_E_DS_UNEXPECTED for the rest.

// A prepared statement, reset and returned to its connection's cache when
// destroyed. Bind indexes start at 1, columns at 0. Errors of Bind are kept
// and come out of Step. Not thread-safe.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, absl::string_view text);
  Statement& BindBlob(int index, absl::string_view bytes);
  Statement& BindNull(int index);

  // Advances to the next row: true with a row, false at the end.
  absl::StatusOr<bool> Step();
  // Runs a statement that yields no rows.
  absl::Status Run();
  // Makes the statement ready to be bound and stepped again.
  void Reset();

  int64_t Int(int column) const;
  // Valid until the next Step, Reset or destruction.
  absl::string_view Text(int column) const;
  absl::string_view Blob(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Connection;
  Statement(sqlite3* database, sqlite3_stmt* statement,
            std::function<void(sqlite3_stmt*)> give_back);
  sqlite3* database_;
  sqlite3_stmt* statement_;
  std::function<void(sqlite3_stmt*)> give_back_;
  int bind_error_ = 0;
};

// One SQLite connection, used by one thread at a time.
class Connection {
 public:
  virtual ~Connection() = default;
  // Prepares `sql`, or takes it from the cache.
  virtual absl::StatusOr<Statement> Prepare(absl::string_view sql) = 0;
  // Runs statements without parameters or rows.
  virtual absl::Status Execute(absl::string_view sql) = 0;
  virtual int64_t LastInsertRowId() const = 0;
  virtual int64_t Changes() const = 0;
  // Makes running statements fail with WU_E_CALL_CANCELLED soon after `token`
  // is cancelled. Lasts until the enclosing Read or Write returns; `token`
  // must live as long.
  virtual void StopWhenCancelled(const CancellationToken& token) = 0;

 protected:
  static Statement MakeStatement(sqlite3* database, sqlite3_stmt* statement,
                                 std::function<void(sqlite3_stmt*)> give_back);
};

struct DatabaseOptions {
  // Pages kept in memory by each connection, in KiB.
  int cache_kib = 1024;
  // Reader connections at most; a reader beyond them waits.
  int max_readers = 4;
  // Runs PRAGMA quick_check at opening; a damaged file is refused with
  // WU_E_DS_INVALID and a message that names the way out.
  bool check = true;
};

// Thread-safe. WAL, foreign keys, synchronous=FULL.
class Database {
 public:
  // Opens or makes the file and brings it to the newest schema. A file of a
  // newer Usher is refused with WU_E_DS_BADVERSION and left as it is.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const std::filesystem::path& path, const DatabaseOptions& options);
  virtual ~Database() = default;

  // Runs `body` in a read transaction: one consistent snapshot. Readers do
  // not wait for the writer. A body that waits for something else (a slow
  // client) keeps a reader busy; read in pieces then. Must not be nested in
  // Read or Write.
  virtual absl::Status Read(
      absl::FunctionRef<absl::Status(Connection&)> body) = 0;
  // Runs `body` in a write transaction, committed durably (fsync) when `body`
  // returns OK and rolled back otherwise. Writers take turns. Must not be
  // nested in Read or Write.
  virtual absl::Status Write(
      absl::FunctionRef<absl::Status(Connection&)> body) = 0;
  // Number of the newest migration applied.
  virtual absl::StatusOr<int> SchemaVersion() = 0;
};

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_DATABASE_H_
