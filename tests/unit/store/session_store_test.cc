#include "service/store/session_store.h"

#include <string>

#include "common/error.h"
#include "tests/unit/store/temp_database.h"

namespace usher::store {
namespace {

SessionRow Session(const std::string& id, int64_t second) {
  SessionRow row;
  row.session_id = id;
  row.owner = "uid:1000";
  row.client_application_id = "app";
  row.user_locale = "de-DE";
  row.read_only = true;
  row.web_proxy = std::string("\0\1", 2);
  row.create_time = absl::FromUnixSeconds(second);
  return row;
}

JobRow Job(const std::string& id, const std::string& session) {
  JobRow row;
  row.job_id = id;
  row.session_id = session;
  row.kind = 2;
  row.state = 1;
  row.request_id = "r";
  row.parent = "p";
  row.client_application_id = "app";
  row.parameters = std::string("\0p", 2);
  row.results = "rr";
  row.result_code = 4;
  row.hresult = 0x80240024u;
  row.message = "none";
  row.abort_requested = true;
  row.ended = true;
  row.create_time = absl::FromUnixMicros(12345678);
  return row;
}

TEST(SessionStoreTest, Sessions) {
  TempDatabase db;
  ASSERT_TRUE(PutSession(*db, Session("b", 1)).ok());
  ASSERT_TRUE(PutSession(*db, Session("a", 2)).ok());
  db.Reopen();
  const auto rows = ListSessions(*db);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  const SessionRow& row = rows->front();
  EXPECT_EQ(row.session_id, "b");
  EXPECT_EQ(row.owner, "uid:1000");
  EXPECT_EQ(row.client_application_id, "app");
  EXPECT_EQ(row.user_locale, "de-DE");
  EXPECT_TRUE(row.read_only);
  EXPECT_EQ(row.web_proxy, std::string("\0\1", 2));
  EXPECT_EQ(row.create_time, absl::FromUnixSeconds(1));
  EXPECT_FALSE(GetSession(*db, "c")->has_value());
  EXPECT_TRUE(GetSession(*db, "a")->has_value());
  EXPECT_TRUE(DeleteSession(*db, "c").ok());
}

TEST(SessionStoreTest, Jobs) {
  TempDatabase db;
  EXPECT_EQ(HResultOf(PutJob(*db, Job("1", "s"))), hr::kWuEDsMissingref);
  ASSERT_TRUE(PutSession(*db, Session("s", 1)).ok());
  ASSERT_TRUE(PutSession(*db, Session("t", 2)).ok());
  ASSERT_TRUE(PutJob(*db, Job("1", "s")).ok());
  ASSERT_TRUE(PutJob(*db, Job("2", "t")).ok());
  JobRow changed = Job("1", "s");
  changed.complete_time = absl::FromUnixSeconds(77);
  ASSERT_TRUE(PutJob(*db, changed).ok());
  // Replacing a session keeps its jobs.
  ASSERT_TRUE(PutSession(*db, Session("s", 3)).ok());
  const auto job = GetJob(*db, "1");
  ASSERT_TRUE(job.ok() && job->has_value());
  EXPECT_EQ((*job)->session_id, "s");
  EXPECT_EQ((*job)->kind, 2);
  EXPECT_EQ((*job)->state, 1);
  EXPECT_EQ((*job)->request_id, "r");
  EXPECT_EQ((*job)->parent, "p");
  EXPECT_EQ((*job)->client_application_id, "app");
  EXPECT_EQ((*job)->parameters, std::string("\0p", 2));
  EXPECT_EQ((*job)->results, "rr");
  EXPECT_EQ((*job)->result_code, 4);
  EXPECT_EQ((*job)->hresult, 0x80240024u);
  EXPECT_EQ((*job)->message, "none");
  EXPECT_TRUE((*job)->abort_requested);
  EXPECT_TRUE((*job)->ended);
  EXPECT_EQ((*job)->create_time, absl::FromUnixMicros(12345678));
  EXPECT_EQ((*job)->complete_time, absl::FromUnixSeconds(77));
  EXPECT_EQ(ListJobs(*db, "")->size(), 2u);
  EXPECT_EQ(ListJobs(*db, "t")->size(), 1u);
  EXPECT_FALSE(ListJobs(*db, "t")->front().complete_time.has_value());
  ASSERT_TRUE(DeleteJob(*db, "2").ok());
  EXPECT_TRUE(ListJobs(*db, "t")->empty());
  ASSERT_TRUE(DeleteSession(*db, "s").ok());
  EXPECT_TRUE(ListJobs(*db, "")->empty());
}

}  // namespace
}  // namespace usher::store
