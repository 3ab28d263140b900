// Connections and the files that they need.

#include "service/file_limit.h"

#include <algorithm>
#include <cstdint>

#include "gtest/gtest.h"
#include "service/platform/host.h"

namespace usher::daemon {
namespace {

TEST(FileLimitTest, NothingIsLoweredWithoutNeed) {
  Config config;
  config.loopback.enabled = true;
  config.connections = 100'000;
  config.connections_per_user = 50'000;
  EXPECT_GE(FilesWanted(config), 2 * (100'000 + 2 * 50'000));
  for (const int64_t files : {FilesWanted(config), platform::kNoFileLimit}) {
    EXPECT_FALSE(FitConnections(files, config));
    EXPECT_EQ(config.connections, 100'000);
    EXPECT_EQ(config.connections_per_user, 50'000);
  }
}

TEST(FileLimitTest, WhatIsLeftSufficesForTheRest) {
  for (const bool loopback : {false, true}) {
    for (const int64_t files : {int64_t{256}, int64_t{1024}, int64_t{16384}}) {
      Config config;
      config.loopback.enabled = loopback;
      config.connections = 100'000;
      EXPECT_TRUE(FitConnections(files, config));
      const int doors = loopback ? 2 : 0;
      EXPECT_GE(files - 2 * (config.connections +
                             doors * config.connections_per_user),
                std::min<int64_t>(files / 2, 1024));
      EXPECT_GE(config.connections, files / 8);
      EXPECT_GE(config.connections_per_user, 16);
    }
  }
}

TEST(FileLimitTest, TheFewestAreOne) {
  Config config;
  config.loopback.enabled = true;
  EXPECT_TRUE(FitConnections(3, config));
  EXPECT_EQ(config.connections, 1);
  EXPECT_EQ(config.connections_per_user, 1);
}

}  // namespace
}  // namespace usher::daemon
