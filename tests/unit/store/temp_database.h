#ifndef USHER_TESTS_UNIT_STORE_TEMP_DATABASE_H_
#define USHER_TESTS_UNIT_STORE_TEMP_DATABASE_H_

// A database in a folder of its own that goes away with the object.

#include <filesystem>
#include <memory>
#include <utility>

#include "common/file_io.h"
#include "common/uuid.h"
#include "gtest/gtest.h"
#include "service/store/database.h"

namespace usher::store {

class TempDatabase {
 public:
  TempDatabase()
      : folder_(std::filesystem::temp_directory_path() /
                ("usher-store-" + RandomResourceId())) {
    EXPECT_TRUE(MakeDirectories(folder_).ok());
    Reopen();
  }
  ~TempDatabase() {
    database_.reset();
    EXPECT_TRUE(RemoveTree(folder_).ok());
  }
  TempDatabase(const TempDatabase&) = delete;
  TempDatabase& operator=(const TempDatabase&) = delete;

  void Reopen() {
    database_.reset();
    auto opened = Database::Open(path(), DatabaseOptions());
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
  }
  void Close() { database_.reset(); }

  std::filesystem::path path() const { return folder_ / "usher.db"; }
  Database& operator*() { return *database_; }
  Database* operator->() { return database_.get(); }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Database> database_;
};

}  // namespace usher::store

#endif  // USHER_TESTS_UNIT_STORE_TEMP_DATABASE_H_
