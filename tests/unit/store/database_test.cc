#include "service/store/database.h"

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/cancellation.h"
#include "common/error.h"
#include "tests/unit/store/temp_database.h"

namespace usher::store {
namespace {

absl::Status MakeTable(Database& database) {
  return database.Write([](Connection& c) {
    return c.Execute(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE, c BLOB);"
        "CREATE TABLE u(a INTEGER REFERENCES t)");
  });
}

absl::Status Insert(Connection& c, int64_t a, absl::string_view b) {
  USHER_ASSIGN_OR_RETURN(Statement s, c.Prepare("INSERT INTO t VALUES(?,?,?)"));
  return s.Bind(1, a).Bind(2, b).BindBlob(3, absl::string_view("\0x", 2)).Run();
}

int64_t CountRows(Database& database) {
  int64_t count = -1;
  EXPECT_TRUE(database
                  .Read([&count](Connection& c) -> absl::Status {
                    USHER_ASSIGN_OR_RETURN(Statement s,
                                           c.Prepare("SELECT count(*) FROM t"));
                    USHER_ASSIGN_OR_RETURN(const bool row, s.Step());
                    EXPECT_TRUE(row);
                    count = s.Int(0);
                    return absl::OkStatus();
                  })
                  .ok());
  return count;
}

TEST(DatabaseTest, KeepsValues) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  ASSERT_TRUE(db->Write([](Connection& c) -> absl::Status {
                  USHER_RETURN_IF_ERROR(Insert(c, 7, "ä"));
                  EXPECT_EQ(c.LastInsertRowId(), 7);
                  EXPECT_EQ(c.Changes(), 1);
                  USHER_ASSIGN_OR_RETURN(
                      Statement s, c.Prepare("INSERT INTO t VALUES(8,?,?)"));
                  return s.Bind(1, absl::string_view()).BindNull(2).Run();
                }).ok());
  db.Reopen();
  ASSERT_TRUE(db->Read([](Connection& c) -> absl::Status {
                  USHER_ASSIGN_OR_RETURN(
                      Statement s, c.Prepare("SELECT * FROM t ORDER BY a"));
                  USHER_ASSIGN_OR_RETURN(bool row, s.Step());
                  EXPECT_TRUE(row);
                  EXPECT_EQ(s.Int(0), 7);
                  EXPECT_EQ(s.Text(1), "ä");
                  EXPECT_EQ(s.Blob(2), absl::string_view("\0x", 2));
                  USHER_ASSIGN_OR_RETURN(row, s.Step());
                  EXPECT_TRUE(row);
                  EXPECT_FALSE(s.IsNull(1));
                  EXPECT_EQ(s.Text(1), "");
                  EXPECT_TRUE(s.IsNull(2));
                  USHER_ASSIGN_OR_RETURN(row, s.Step());
                  EXPECT_FALSE(row);
                  return absl::OkStatus();
                }).ok());
}

TEST(DatabaseTest, FailedWriteLeavesNothing) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  const absl::Status status = db->Write([](Connection& c) -> absl::Status {
    USHER_RETURN_IF_ERROR(Insert(c, 1, "x"));
    return absl::AbortedError("no");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(CountRows(*db), 0);
}

TEST(DatabaseTest, ErrorsCarryCodes) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  EXPECT_EQ(HResultOf(db->Write([](Connection& c) -> absl::Status {
              USHER_RETURN_IF_ERROR(Insert(c, 1, "x"));
              return Insert(c, 2, "x");
            })),
            hr::kWuEDsRowexists);
  EXPECT_EQ(HResultOf(db->Write([](Connection& c) {
              return c.Execute("INSERT INTO u VALUES(99)");
            })),
            hr::kWuEDsMissingref);
  EXPECT_EQ(
      HResultOf(db->Read([](Connection& c) { return c.Execute("nonsense"); })),
      hr::kWuEDsUnexpected);
  EXPECT_FALSE(db->Read([](Connection& c) { return Insert(c, 1, "x"); }).ok());
}

TEST(DatabaseTest, FullDiskIsNamed) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  EXPECT_EQ(HResultOf(db->Write([](Connection& c) -> absl::Status {
              USHER_RETURN_IF_ERROR(c.Execute("PRAGMA max_page_count = 1"));
              USHER_ASSIGN_OR_RETURN(
                  Statement s,
                  c.Prepare("INSERT INTO t VALUES(1,'x',zeroblob(1000000))"));
              return s.Run();
            })),
            hr::kErrorDiskFull);
  // The transaction is over and the connection usable.
  EXPECT_EQ(CountRows(*db), 0);
}

TEST(DatabaseTest, ReaderSeesOneSnapshotWhileWriterCommits) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  ASSERT_TRUE(db->Read([&db](Connection& c) -> absl::Status {
                  USHER_ASSIGN_OR_RETURN(Statement s,
                                         c.Prepare("SELECT count(*) FROM t"));
                  USHER_RETURN_IF_ERROR(s.Step().status());
                  EXPECT_EQ(s.Int(0), 0);
                  // The writer does not wait for this reader.
                  std::thread writer([&db] {
                    EXPECT_TRUE(db->Write([](Connection& w) {
                                    return Insert(w, 1, "x");
                                  }).ok());
                  });
                  writer.join();
                  s.Reset();
                  USHER_RETURN_IF_ERROR(s.Step().status());
                  EXPECT_EQ(s.Int(0), 0);
                  return absl::OkStatus();
                }).ok());
  EXPECT_EQ(CountRows(*db), 1);
}

TEST(DatabaseTest, ManyThreads) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  constexpr int kThreads = 8;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  std::atomic<int> failures = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t, &db, &failures] {
      for (int i = 0; i < 5; ++i) {
        const int64_t key = t * 100 + i;
        if (!db->Write([key](Connection& c) {
                 return Insert(c, key, std::to_string(key));
               }).ok()) {
          ++failures;
        }
        if (CountRows(*db) < 1) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(CountRows(*db), 40);
}

TEST(DatabaseTest, CancellationStopsAStatement) {
  TempDatabase db;
  CancellationToken token;
  absl::Notification started;
  std::thread canceller([&] {
    started.WaitForNotification();
    token.Cancel();
  });
  EXPECT_EQ(HResultOf(db->Read([&](Connection& c) -> absl::Status {
              c.StopWhenCancelled(token);
              started.Notify();
              USHER_ASSIGN_OR_RETURN(
                  Statement s,
                  c.Prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                            "SELECT i + 1 FROM n) SELECT max(i) FROM n"));
              return s.Step().status();
            })),
            hr::kWuECallCancelled);
  canceller.join();
  // The same reader works on: the token was for that call only.
  EXPECT_TRUE(db->Read([](Connection& c) {
                  return c.Execute("SELECT count(*) FROM sqlite_schema");
                }).ok());
}

TEST(DatabaseTest, RefusesAForeignFile) {
  TempDatabase db;
  db.Close();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(db.path().string() + suffix);
  }
  std::ofstream(db.path()) << std::string(8192, 'x');
  const auto opened = Database::Open(db.path(), DatabaseOptions());
  EXPECT_EQ(HResultOf(opened.status()), hr::kWuEDsInvalid);
}

TEST(DatabaseTest, RefusesADamagedFile) {
  TempDatabase db;
  ASSERT_TRUE(MakeTable(*db).ok());
  ASSERT_TRUE(db->Write([](Connection& c) -> absl::Status {
                  for (int i = 0; i < 500; ++i) {
                    USHER_RETURN_IF_ERROR(Insert(
                        c, i, std::string(200, 'a') + std::to_string(i)));
                  }
                  return absl::OkStatus();
                }).ok());
  db.Close();
  const auto size = std::filesystem::file_size(db.path());
  std::fstream file(db.path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size / 2));
  file << std::string(size / 4, 'x');
  file.close();
  EXPECT_EQ(HResultOf(Database::Open(db.path(), DatabaseOptions()).status()),
            hr::kWuEDsInvalid);
}

}  // namespace
}  // namespace usher::store
