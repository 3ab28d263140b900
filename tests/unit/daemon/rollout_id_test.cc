#include "service/rollout_id.h"

#include <filesystem>
#include <string>

#include "common/error.h"
#include "common/file_io.h"
#include "gtest/gtest.h"
#include "tests/unit/common/temp_folder.h"

namespace usher::daemon {
namespace {

TEST(RolloutIdTest, IsMadeOnceForEachMachine) {
  const TempFolder one;
  const TempFolder two;
  const auto id = RolloutId(one.path());
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(id->size(), 32U);
  EXPECT_EQ(*RolloutId(one.path()), *id);
  EXPECT_NE(*RolloutId(two.path()), *id);
}

TEST(RolloutIdTest, ADamagedFileIsReplaced) {
  const TempFolder folder;
  for (const char* damage :
       {"", "\n", "0123", "not hexadecimal digits, 32 of 'em"}) {
    ASSERT_TRUE(WriteFileAtomically(folder / "rollout-id", damage).ok());
    const auto id = RolloutId(folder.path());
    ASSERT_TRUE(id.ok()) << id.status();
    EXPECT_EQ(id->size(), 32U);
    EXPECT_EQ(*RolloutId(folder.path()), *id);
  }
}

TEST(RolloutIdTest, WhatCannotBeReadIsNotReplaced) {
  const TempFolder folder;
  ASSERT_TRUE(MakeDirectories(folder / "rollout-id").ok());
  EXPECT_EQ(HResultOf(RolloutId(folder.path()).status()), hr::kWuEInvalidFile);
}

}  // namespace
}  // namespace usher::daemon
