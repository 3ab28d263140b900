#ifndef USHER_SERVICE_STORE_SQLITE_CONNECTION_H_
#define USHER_SERVICE_STORE_SQLITE_CONNECTION_H_

// The one implementation of Connection.

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/store/database.h"

namespace usher::store {

// Used by one thread at a time.
class SqliteConnection : public Connection {
 public:
  // Opens the file with the project's settings: WAL, synchronous=FULL, foreign
  // keys, `cache_kib` of pages. A connection that is not `writable` refuses to
  // write and needs an existing file.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(
      const std::filesystem::path& path, bool writable, int cache_kib);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  absl::StatusOr<Statement> Prepare(absl::string_view sql) override;
  absl::Status Execute(absl::string_view sql) override;
  int64_t LastInsertRowId() const override;
  int64_t Changes() const override;
  void StopWhenCancelled(const CancellationToken& token) override;

  // Runs `body` between `begin` and COMMIT, or ROLLBACK when it fails.
  absl::Status Transaction(const char* begin,
                           absl::FunctionRef<absl::Status(Connection&)> body);

 private:
  struct Idle {
    std::string sql;
    sqlite3_stmt* statement;
  };

  explicit SqliteConnection(sqlite3* database) : database_(database) {}
  void GiveBack(std::string sql, sqlite3_stmt* statement);
  void StopWatching();

  sqlite3* database_;
  std::list<Idle> idle_;  // statements not in use, latest first
};

}  // namespace usher::store

#endif  // USHER_SERVICE_STORE_SQLITE_CONNECTION_H_
