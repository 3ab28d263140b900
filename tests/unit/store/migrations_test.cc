#include "service/store/migrations.h"

#include "common/error.h"
#include "tests/unit/store/temp_database.h"

namespace usher::store {
namespace {

TEST(MigrationsTest, BuiltInOnesAreOrderedAndApplied) {
  int previous = 0;
  for (const Migration& migration : BuiltInMigrations()) {
    EXPECT_GT(migration.number, previous);
    EXPECT_FALSE(migration.name.empty());
    previous = migration.number;
  }
  EXPECT_GE(previous, 6);
  TempDatabase db;
  EXPECT_EQ(db->SchemaVersion().value(), previous);
  db.Reopen();
  EXPECT_EQ(db->SchemaVersion().value(), previous);
}

TEST(MigrationsTest, FillsGapsLater) {
  TempDatabase db;
  std::vector<Migration> all(BuiltInMigrations().begin(),
                             BuiltInMigrations().end());
  all.push_back({9002, "second", "CREATE TABLE second(a)"});
  ASSERT_TRUE(Migrate(*db, all).ok());
  all.insert(all.end() - 1, {9001, "first", "CREATE TABLE first(a)"});
  ASSERT_TRUE(Migrate(*db, all).ok());
  EXPECT_TRUE(db->Write([](Connection& c) {
                  return c.Execute("INSERT INTO first VALUES(1)");
                }).ok());
  EXPECT_EQ(db->SchemaVersion().value(), 9002);
}

TEST(MigrationsTest, FailedOneIsNotRecorded) {
  TempDatabase db;
  std::vector<Migration> all(BuiltInMigrations().begin(),
                             BuiltInMigrations().end());
  all.push_back({9001, "bad", "CREATE TABLE half(a); nonsense;"});
  const absl::Status status = Migrate(*db, all);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("schema change 9001 (bad)"),
            std::string::npos);
  all.back().sql = "CREATE TABLE half(a)";
  EXPECT_TRUE(Migrate(*db, all).ok());
}

TEST(MigrationsTest, RefusesADatabaseOfANewerUsher) {
  TempDatabase db;
  std::vector<Migration> all(BuiltInMigrations().begin(),
                             BuiltInMigrations().end());
  all.push_back({9001, "future", "CREATE TABLE future(a)"});
  ASSERT_TRUE(Migrate(*db, all).ok());
  db.Close();
  EXPECT_EQ(HResultOf(Database::Open(db.path(), DatabaseOptions()).status()),
            hr::kWuEDsBadversion);
}

}  // namespace
}  // namespace usher::store
