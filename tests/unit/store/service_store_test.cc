#include "service/store/service_store.h"

#include "common/error.h"
#include "tests/unit/store/temp_database.h"
#include "usher/v1/update_service.pb.h"

namespace usher::store {
namespace {

v1::UpdateService Service(const std::string& id, const std::string& name) {
  v1::UpdateService service;
  service.set_service_id(id);
  service.set_name(name);
  service.set_service_url("https://example.org/" + name);
  service.set_is_registered_with_au(true);
  service.add_redirect_urls("https://example.org/other");
  service.mutable_issue_date()->set_seconds(5);
  return service;
}

TEST(ServiceStoreTest, KeepsEverythingInOrder) {
  TempDatabase db;
  ASSERT_TRUE(PutService(*db, Service("b", "one")).ok());
  ASSERT_TRUE(PutService(*db, Service("a", "two")).ok());
  ASSERT_TRUE(PutService(*db, Service("b", "three")).ok());
  db.Reopen();
  const auto services = ListServices(*db);
  ASSERT_TRUE(services.ok());
  ASSERT_EQ(services->size(), 2u);
  EXPECT_EQ((*services)[0].SerializeAsString(),
            Service("b", "three").SerializeAsString());
  EXPECT_EQ((*services)[1].name(), "two");
  EXPECT_EQ(GetService(*db, "a")->name(), "two");
}

TEST(ServiceStoreTest, UnknownServices) {
  TempDatabase db;
  EXPECT_EQ(HResultOf(GetService(*db, "x").status()), hr::kWuEDsUnknownservice);
  EXPECT_EQ(HResultOf(RemoveService(*db, "x")), hr::kWuEDsUnknownservice);
  EXPECT_EQ(HResultOf(RecordRefresh(*db, "x", RefreshRecord()).status()),
            hr::kWuEDsUnknownservice);
  EXPECT_EQ(HResultOf(PutService(*db, v1::UpdateService())), hr::kEInvalidarg);
  ASSERT_TRUE(PutService(*db, Service("x", "x")).ok());
  EXPECT_TRUE(RemoveService(*db, "x").ok());
  EXPECT_TRUE(ListServices(*db)->empty());
}

TEST(ServiceStoreTest, RecordsRefreshes) {
  TempDatabase db;
  ASSERT_TRUE(PutService(*db, Service("x", "x")).ok());
  RefreshRecord good;
  good.succeeded = true;
  good.time = absl::FromUnixMillis(1500);
  good.root_version = 3;
  good.root_sha256 = "ab";
  good.root_expires = absl::FromUnixSeconds(99);
  good.update_count = 7;
  ASSERT_TRUE(RecordRefresh(*db, "x", good).ok());
  RefreshRecord bad;
  bad.error = "no network";
  const auto after = RecordRefresh(*db, "x", bad);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->last_refresh_error(), "no network");
  EXPECT_EQ(after->last_refresh_time().seconds(), 1);
  EXPECT_EQ(after->last_refresh_time().nanos(), 500000000);
  EXPECT_EQ(after->root_version(), 3);
  EXPECT_EQ(after->update_count(), 7);
  EXPECT_EQ(after->expiration_date().seconds(), 99);
  EXPECT_TRUE(RecordRefresh(*db, "x", good)->last_refresh_error().empty());
  good.error = "left out: vendor.json";
  good.root_version = 4;
  const auto partly = RecordRefresh(*db, "x", good);
  EXPECT_EQ(partly->last_refresh_error(), "left out: vendor.json");
  EXPECT_EQ(partly->root_version(), 4);
}

}  // namespace
}  // namespace usher::store
