// Power cuts in the middle of a refresh.

#include <csignal>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "common/error.h"
#include "gtest/gtest.h"
#include "service/repository/repository.h"
#include "tests/unit/repository/test_site.h"

namespace usher::repository {
namespace {

#ifdef USHER_FAULT_POINTS

class CrashDeathTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    Steps, CrashDeathTest,
    ::testing::Values("timestamp_removed", "snapshot_removed", "root_written",
                      "timestamp_written", "snapshot_written",
                      "targets_written"),
    [](const auto& step) { return std::string(step.param); });

TEST_P(CrashDeathTest, LeavesAStateToGoOnFrom) {
  TestSite site;
  const CancellationToken cancel;
  const auto client = site.NewClient();
  ASSERT_TRUE(client->Refresh(cancel).ok());
  // The worst case: everything is new, online keys included.
  site.SetCatalog("second catalog");
  site.snapshot_key = tuf::PrivateKey::Generate(tuf::kEd25519).value();
  site.SetKeys("snapshot", {site.snapshot_key});
  site.root.body.version = 2;
  site.WriteRoot();
  site.PublishNext();

  const std::string step = GetParam();
  const auto refresh_and_die = [&] {
    setenv("USHER_FAULT", ("repository." + step).c_str(), 1);
    client->Refresh(cancel).IgnoreError();
  };
  EXPECT_EXIT(refresh_and_die(), ::testing::KilledBySignal(SIGKILL), "");

  // Without the network: what the last finished refresh trusted.
  WriteText(site.options.metadata_dir / ".root.json.0123.tmp", "left over");
  const auto reopened = Repository::Open(site.options);
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  const RefreshOutcome trusted = (*reopened)->Trusted().value();
  EXPECT_EQ(trusted.root_version, absl::EndsWith(step, "_removed") ? 1 : 2);
  EXPECT_EQ(trusted.targets_version, step == "targets_written" ? 2 : 1);
  // With it: to the end.
  const RefreshOutcome outcome = (*reopened)->Refresh(cancel).value();
  EXPECT_EQ(outcome.changed, step != "targets_written");
  EXPECT_EQ(outcome.targets_version, 2);
  EXPECT_EQ(outcome.catalogs.at(0).sha256, Sha256Of("second catalog"));
  EXPECT_EQ(ReadFolder(site.options.metadata_dir).size(), 4U)
      << "left over files are not removed";
}

#endif  // USHER_FAULT_POINTS

TEST(LeftoverTest, TemporaryFilesGoWhenOpened) {
  TestSite site;
  ASSERT_NE(site.NewClient(), nullptr);
  WriteText(site.options.metadata_dir / ".targets.json.0123.tmp", "left over");
  ASSERT_TRUE(Repository::Open(site.options).ok());
  EXPECT_EQ(ReadFolder(site.options.metadata_dir).size(), 1U);
}

}  // namespace
}  // namespace usher::repository
