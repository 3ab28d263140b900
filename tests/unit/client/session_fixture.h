#ifndef USHER_TESTS_UNIT_CLIENT_SESSION_FIXTURE_H_
#define USHER_TESTS_UNIT_CLIENT_SESSION_FIXTURE_H_

// A fake service with two updates, and sessions with it.

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/unit/client/fake_service.h"
#include "usher/usher.h"

namespace usher::testing {

inline constexpr absl::Duration kLong = absl::Seconds(20);

inline v1::Update MakeUpdate(const std::string& id) {
  v1::Update update;
  update.mutable_identity()->set_service_id("s");
  update.mutable_identity()->set_update_id(id);
  update.mutable_identity()->set_revision_number(1);
  update.set_name(id);
  update.add_category_ids("p");
  return update;
}

class SessionFixture : public ::testing::Test {
 protected:
  SessionFixture() {
    service_.Start();
    service_.SetUpdates({MakeUpdate("a"), MakeUpdate("b")});
  }

  SessionOptions Options() const {
    SessionOptions options;
    options.address = service_.address();
    options.client_application_id = "test";
    options.reconnect_timeout = kLong;
    return options;
  }

  UpdateSession Open() { return Open(Options()); }
  static UpdateSession Open(const SessionOptions& options) {
    absl::StatusOr<UpdateSession> session = UpdateSession::Open(options);
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  }

  FakeService service_;
};

}  // namespace usher::testing

#endif  // USHER_TESTS_UNIT_CLIENT_SESSION_FIXTURE_H_
