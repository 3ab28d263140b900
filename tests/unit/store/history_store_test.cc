#include "service/store/history_store.h"

#include <string>
#include <vector>

#include "common/error.h"
#include "gmock/gmock.h"
#include "tests/unit/store/temp_database.h"
#include "usher/v1/history.pb.h"

namespace usher::store {
namespace {

using ::testing::ElementsAre;

void Append(Database& database, const std::string& update_id, int64_t seconds,
            const std::string& title) {
  v1::UpdateHistoryEntry entry;
  entry.mutable_update_identity()->set_update_id(update_id);
  entry.mutable_date()->set_seconds(seconds);
  entry.set_title(title);
  ASSERT_TRUE(
      database
          .Write([&entry](Connection& c) { return AppendHistory(c, entry); })
          .ok());
}

std::vector<std::string> Titles(Database& database,
                                const std::string& update_id, int64_t start,
                                int64_t count, HResult* hr = nullptr) {
  std::vector<std::string> titles;
  const absl::Status status =
      QueryHistory(database, update_id, start, count,
                   [&titles](const v1::UpdateHistoryEntry& entry) {
                     titles.push_back(entry.title());
                     return absl::OkStatus();
                   });
  if (hr != nullptr) *hr = HResultOf(status);
  return titles;
}

TEST(HistoryStoreTest, NewestFirst) {  // UAMG-202, 203, 208
  TempDatabase db;
  Append(*db, "a", 100, "first");
  Append(*db, "b", 300, "third");
  Append(*db, "a", 200, "second");
  Append(*db, "a", 200, "second, later row");
  EXPECT_EQ(CountHistory(*db).value(), 4);
  EXPECT_THAT(Titles(*db, "", 0, 99),
              ElementsAre("third", "second, later row", "second", "first"));
  EXPECT_THAT(Titles(*db, "", 1, 2),
              ElementsAre("second, later row", "second"));
  EXPECT_THAT(Titles(*db, "a", 2, 5), ElementsAre("first"));
}

TEST(HistoryStoreTest, IndexErrors) {  // UAMG-204 … 207
  TempDatabase db;
  HResult hr = 0;
  EXPECT_THAT(Titles(*db, "", 0, 100, &hr), ElementsAre());
  EXPECT_EQ(hr, hr::kSOk);
  EXPECT_THAT(Titles(*db, "", 3, 100, &hr), ElementsAre());
  EXPECT_EQ(hr, hr::kSOk);
  Append(*db, "a", 100, "one");
  Titles(*db, "", -1, 1, &hr);
  EXPECT_EQ(hr, hr::kWuEInvalidindex);
  Titles(*db, "", 0, 0, &hr);
  EXPECT_EQ(hr, hr::kWuEInvalidindex);
  Titles(*db, "", 1, 1, &hr);
  EXPECT_EQ(hr, hr::kWuEInvalidindex);
}

TEST(HistoryStoreTest, ReadsInBatches) {
  TempDatabase db;
  ASSERT_TRUE(db->Write([](Connection& c) -> absl::Status {
                  for (int i = 0; i < 400; ++i) {
                    v1::UpdateHistoryEntry entry;
                    entry.mutable_date()->set_seconds(i);
                    entry.set_title(std::to_string(i));
                    USHER_RETURN_IF_ERROR(AppendHistory(c, entry));
                  }
                  return absl::OkStatus();
                }).ok());
  const std::vector<std::string> titles = Titles(*db, "", 10, 1000);
  ASSERT_EQ(titles.size(), 390u);
  for (int i = 0; i < 390; ++i) EXPECT_EQ(titles[i], std::to_string(389 - i));
  EXPECT_EQ(Titles(*db, "", 0, 200).size(), 200u);
}

TEST(HistoryStoreTest, SinkStops) {
  TempDatabase db;
  Append(*db, "a", 100, "one");
  const absl::Status status =
      QueryHistory(*db, "", 0, 1, [](const v1::UpdateHistoryEntry&) {
        return absl::CancelledError("enough");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace usher::store
