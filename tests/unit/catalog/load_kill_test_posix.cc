// A load that is killed at any of its steps leaves the old catalog.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "gmock/gmock.h"
#include "tests/unit/catalog/catalog_fixture.h"

namespace usher::catalog {
namespace {

using ::testing::ElementsAre;

class LoadKillTest : public CatalogFixture,
                     public ::testing::WithParamInterface<const char*> {};

TEST_P(LoadKillTest, LeavesTheOldCatalog) {
#ifndef USHER_FAULT_POINTS
  GTEST_SKIP() << "built without fault points";
#endif
  CatalogFileBuilder old_catalog;
  old_catalog.Update(1);
  old_catalog.Update(2);
  Load(old_catalog);
  CatalogFileBuilder new_catalog;
  new_catalog.Update(2).mutable_update()->set_name("renamed");
  for (int i = 3; i < 1500; ++i) new_catalog.Update(i);
  const CatalogFile file = Write("catalog/catalog.usc", new_catalog);
  // SQLite connections must not cross a fork.
  catalog_.reset();
  database_.reset();

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setenv("USHER_FAULT", GetParam(), 1);
    Open();
    const bool loaded = Load({file}).ok();
    _exit(loaded ? 1 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);

  Open();
  EXPECT_THAT(Search(""), ElementsAre("name1", "name2"));
  const auto again = Load({file});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->added, 1497);
  EXPECT_EQ(again->changed, 1);
  EXPECT_EQ(again->removed, 1);
  EXPECT_EQ(*catalog_->UpdateCount(kService), 1498);
}

INSTANTIATE_TEST_SUITE_P(Steps, LoadKillTest,
                         ::testing::Values("catalog.load.rows",
                                           "catalog.load.commit"));

}  // namespace
}  // namespace usher::catalog
