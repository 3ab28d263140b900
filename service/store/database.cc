#include "service/store/database.h"

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/error.h"
#include "service/store/migrations.h"
#include "service/store/sqlite_connection.h"

namespace usher::store {
namespace {

absl::Status QuickCheck(SqliteConnection& connection) {
  USHER_ASSIGN_OR_RETURN(Statement check,
                         connection.Prepare("PRAGMA quick_check(1)"));
  USHER_ASSIGN_OR_RETURN(const bool row, check.Step());
  if (row && check.Text(0) == "ok") return absl::OkStatus();
  return Error(
      hr::kWuEDsInvalid,
      absl::StrCat("the database is damaged (", row ? check.Text(0) : "no rows",
                   "): stop the service, move usher.db away and start it "
                   "again (registered services and history are then empty)"),
      "usher.db");
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::filesystem::path path, const DatabaseOptions& options,
                 std::unique_ptr<SqliteConnection> writer)
      : path_(std::move(path)), options_(options), writer_(std::move(writer)) {}

  absl::Status Read(
      absl::FunctionRef<absl::Status(Connection&)> body) override {
    USHER_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> reader,
                           TakeReader());
    absl::Status status = reader->Transaction("BEGIN", body);
    absl::MutexLock lock(&readers_mutex_);
    idle_readers_.push_back(std::move(reader));
    return status;
  }

  absl::Status Write(
      absl::FunctionRef<absl::Status(Connection&)> body) override {
    absl::MutexLock lock(&writer_mutex_);
    return writer_->Transaction("BEGIN IMMEDIATE", body);
  }

  absl::StatusOr<int> SchemaVersion() override {
    int version = 0;
    USHER_RETURN_IF_ERROR(Read([&version](Connection& c) -> absl::Status {
      USHER_ASSIGN_OR_RETURN(
          Statement select,
          c.Prepare("SELECT max(number) FROM schema_migration"));
      USHER_ASSIGN_OR_RETURN(const bool row, select.Step());
      if (row) version = static_cast<int>(select.Int(0));
      return absl::OkStatus();
    }));
    return version;
  }

 private:
  bool ReaderAvailable() const ABSL_SHARED_LOCKS_REQUIRED(readers_mutex_) {
    return !idle_readers_.empty() || readers_ < options_.max_readers;
  }

  // The latest used idle reader (its cache is warm), or a new one.
  absl::StatusOr<std::unique_ptr<SqliteConnection>> TakeReader() {
    {
      absl::MutexLock lock(&readers_mutex_);
      readers_mutex_.Await(
          absl::Condition(this, &SqliteDatabase::ReaderAvailable));
      if (!idle_readers_.empty()) {
        std::unique_ptr<SqliteConnection> reader =
            std::move(idle_readers_.back());
        idle_readers_.pop_back();
        return reader;
      }
      ++readers_;
    }
    absl::StatusOr<std::unique_ptr<SqliteConnection>> reader =
        SqliteConnection::Open(path_, /*writable=*/false, options_.cache_kib);
    if (!reader.ok()) {
      absl::MutexLock lock(&readers_mutex_);
      --readers_;
    }
    return reader;
  }

  const std::filesystem::path path_;
  const DatabaseOptions options_;
  absl::Mutex writer_mutex_;
  const std::unique_ptr<SqliteConnection> writer_
      ABSL_PT_GUARDED_BY(writer_mutex_);
  absl::Mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_
      ABSL_GUARDED_BY(readers_mutex_);
  // Readers that exist, idle or not.
  int readers_ ABSL_GUARDED_BY(readers_mutex_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const std::filesystem::path& path, const DatabaseOptions& options) {
  if (options.max_readers < 1 || options.cache_kib < 1) {
    return Error(hr::kEInvalidarg,
                 "a database needs a reader and a cache of at least 1 KiB");
  }
  USHER_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteConnection> writer,
      SqliteConnection::Open(path, /*writable=*/true, options.cache_kib));
  if (options.check) USHER_RETURN_IF_ERROR(QuickCheck(*writer));
  auto database =
      std::make_unique<SqliteDatabase>(path, options, std::move(writer));
  USHER_RETURN_IF_ERROR(Migrate(*database, BuiltInMigrations()));
  return database;
}

}  // namespace usher::store
