// Kills an installation while dpkg runs, which no fault point can: dpkg dies
// with the service and leaves its database in want of repair.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "service/install/dpkg.h"
#include "tests/fault/child.h"
#include "tests/fault/scenario.h"
#include "tests/unit/install/temp_dir.h"
#include "usher/v1/types.pb.h"

namespace usher::install {
namespace {

using test::Scenario;
using test::World;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class DebKilledTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/bin/dpkg")) GTEST_SKIP() << "no dpkg here";
    test::MakeDpkgRoot(dir_.path() / "root");
    const fs::path pipe = dir_.path() / "gone";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  }
  // Runs the scenario to its death, and recovers.
  void Run(const std::string& name) {
    const auto prepared = test::Child(dir_.path(), name, "prepare", "");
    ASSERT_EQ(prepared.exit_code, 0) << prepared.error_output;
    ASSERT_TRUE(test::WasKilled(test::Child(dir_.path(), name, "run", "")));
    // Returns when dpkg is gone, too.
    std::ifstream(dir_.path() / "gone").get();
    EXPECT_EQ(Hello().status, "half-configured");
    scenario_ = test::SetUp(world_, name);
    ASSERT_TRUE(world_.Start().ok());
  }
  DpkgState Hello() {
    auto states =
        Dpkg(world_.options().dpkg).Query({"hello"}, CancellationToken());
    EXPECT_TRUE(states.ok()) << states.status();
    return states.ok() ? states->at("hello") : DpkgState();
  }

  test::TempDir dir_;
  World world_{dir_.path()};
  Scenario scenario_;
};

TEST_F(DebKilledTest, WhatDpkgHadUnpackedIsConfigured) {
  ASSERT_NO_FATAL_FAILURE(Run("deb-dies"));
  EXPECT_TRUE(Hello().complete);
  EXPECT_EQ(Hello().version, "2.0");
  const auto unfinished = world_.engine().Unfinished();
  ASSERT_THAT(unfinished, SizeIs(1));
  EXPECT_EQ(unfinished[0].results[0].result_code,
            v1::OPERATION_RESULT_CODE_SUCCEEDED)
      << unfinished[0].results[0].message;
  ASSERT_THAT(world_.History(), SizeIs(2));
  EXPECT_EQ(world_.History()[0].result_code(),
            v1::OPERATION_RESULT_CODE_SUCCEEDED);
  EXPECT_TRUE(world_.catalog().HasReceipt(scenario_.request.updates[0]));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

TEST_F(DebKilledTest, WhatCannotBeConfiguredIsNamed) {
  ASSERT_NO_FATAL_FAILURE(Run("deb-dies-for-good"));
  EXPECT_EQ(Hello().status, "half-configured");
  const auto unfinished = world_.engine().Unfinished();
  ASSERT_THAT(unfinished, SizeIs(1));
  EXPECT_EQ(unfinished[0].results[0].result_code,
            v1::OPERATION_RESULT_CODE_FAILED);
  ASSERT_THAT(world_.History(), SizeIs(2));
  const std::string message = world_.History()[0].message();
  EXPECT_THAT(message, HasSubstr("hello is 2.0 half-configured, was 1.0"));
  EXPECT_THAT(message, HasSubstr("dpkg --configure -a"));
  EXPECT_FALSE(world_.catalog().HasReceipt(scenario_.request.updates[0]));
  EXPECT_THAT(world_.Strays(), IsEmpty());
}

}  // namespace
}  // namespace usher::install
