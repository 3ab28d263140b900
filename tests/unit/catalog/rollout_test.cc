#include "service/catalog/rollout.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "service/catalog/facts.h"
#include "service/catalog/rules.h"
#include "tests/unit/catalog/catalog_fixture.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::Rule;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kMachines = 20000;

std::string Machine(int number) { return absl::StrCat("machine", number); }

class NoReceipts : public Receipts {
 public:
  absl::StatusOr<int32_t> InstalledRevision(
      absl::string_view /*update_id*/) override {
    return 0;
  }
};

bool Holds(const Rule& rule, const MachineFacts& machine,
           const std::string& update_id) {
  Facts facts(FactsOptions{});
  NoReceipts receipts;
  const auto value = EvaluateRule(rule, update_id, machine, facts, receipts);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() && *value;
}

Rule Rollout(int basis_points, const std::string& seed = "") {
  Rule rule;
  rule.mutable_rollout()->set_basis_points(basis_points);
  rule.mutable_rollout()->set_seed(seed);
  return rule;
}

// Whoever changes these changes who gets what everywhere.
TEST(RolloutTest, DrawsForEver) {
  EXPECT_EQ(RolloutDraw("", ""), 7193);
  EXPECT_EQ(RolloutDraw("00112233445566778899aabbccddeeff", Id(1)), 3477);
  EXPECT_EQ(RolloutDraw("00112233445566778899aabbccddeeff", Id(2)), 8033);
}

// 20000 machines: one standard deviation of a count is at most 71.
TEST(RolloutTest, TheShareIsRight) {
  for (const int basis_points : {0, 1, 500, 2500, 5000, 9999, 10000}) {
    int drawn = 0;
    for (int i = 0; i < kMachines; ++i) {
      const int draw = RolloutDraw(Machine(i), Id(1));
      ASSERT_GE(draw, 0);
      ASSERT_LT(draw, 10000);
      drawn += draw < basis_points ? 1 : 0;
    }
    const double share = basis_points / 10000.0;
    EXPECT_NEAR(drawn, kMachines * share,
                5 * std::sqrt(kMachines * share * (1 - share)))
        << basis_points;
  }
}

TEST(RolloutTest, UpdatesDrawIndependently) {
  int both = 0;
  for (int i = 0; i < kMachines; ++i) {
    both += RolloutDraw(Machine(i), Id(1)) < 2500 &&
                    RolloutDraw(Machine(i), Id(2)) < 2500
                ? 1
                : 0;
  }
  EXPECT_NEAR(both, kMachines / 16.0,
              5 * std::sqrt(kMachines / 16.0 * 15 / 16));
}

TEST(RolloutTest, AGreaterShareOnlyAddsMachines) {
  MachineFacts machine;
  for (int i = 0; i < 50; ++i) {
    machine.rollout_id = Machine(i);
    const int draw = RolloutDraw(machine.rollout_id, Id(1));
    EXPECT_FALSE(Holds(Rollout(0), machine, Id(1)));
    EXPECT_FALSE(Holds(Rollout(draw), machine, Id(1)));
    EXPECT_TRUE(Holds(Rollout(draw + 1), machine, Id(1)));
    EXPECT_TRUE(Holds(Rollout(10000), machine, Id(1)));
  }
}

TEST(RolloutTest, TheSeedIsTheUpdateUnlessGiven) {
  MachineFacts machine;
  machine.rollout_id = "m";
  const int own = RolloutDraw("m", Id(1));
  const int given = RolloutDraw("m", "x");
  ASSERT_NE(own, given);
  const int between = std::max(own, given);
  EXPECT_EQ(Holds(Rollout(between), machine, Id(1)), own < between);
  EXPECT_EQ(Holds(Rollout(between, "x"), machine, Id(1)), given < between);
  EXPECT_EQ(Holds(Rollout(between, "x"), machine, Id(2)), given < between);
}

class StagingTest : public CatalogFixture {
 protected:
  StagingTest() { facts_options_.rollout_id = "this machine"; }

  static void Limit(CatalogFileBuilder::Description& description,
                    int basis_points) {
    *description.mutable_is_installable() = Rollout(basis_points);
  }
  static void Follow(CatalogFileBuilder::Description& description,
                     const std::string& channel) {
    description.mutable_is_installable()->mutable_channel()->add_channels(
        channel);
  }
};

TEST_F(StagingTest, OffersOnceTheShareReachesTheMachine) {
  const int draw = RolloutDraw("this machine", Id(1));
  CatalogFileBuilder before;
  Limit(before.Update(1), draw);
  Open();
  Load(before);
  EXPECT_THAT(Search(""), IsEmpty());
  CatalogFileBuilder after;
  Limit(after.Update(1, 2), draw + 1);
  Load(after);
  EXPECT_THAT(Search(""), ElementsAre("name1"));
}

TEST_F(StagingTest, OthersKeepWhatTheyHaveAndTheVersionBefore) {
  CatalogFileBuilder builder;
  builder.Update(1);
  auto& second = builder.Update(2);
  second.mutable_update()->add_superseded_update_ids(Id(1));
  Limit(second, 0);
  Open();
  Load(builder);
  // What is not offered supersedes nothing.
  EXPECT_THAT(Search("IsInstalled=0"), ElementsAre("name1"));
  // Installed is installed.
  ASSERT_TRUE(catalog_->RecordInstalled(Key(2), false).ok());
  EXPECT_THAT(Search("IsInstalled=1"), ElementsAre("name2"));
  EXPECT_THAT(Search("IsInstalled=0"), IsEmpty());
}

TEST_F(StagingTest, TheConfigurationIsFollowedAtTheNextStart) {
  CatalogFileBuilder builder;
  Follow(builder.Update(1), "beta");
  Follow(builder.Update(2), "stable");
  Limit(builder.Update(3), RolloutDraw("elsewhere", Id(3)) + 1);
  ASSERT_GT(RolloutDraw("this machine", Id(3)),
            RolloutDraw("elsewhere", Id(3)));
  Open();
  Load(builder);
  EXPECT_THAT(Search(""), ElementsAre("name2"));
  facts_options_.channels = {"edge", "beta"};
  Open();
  EXPECT_THAT(Search(""), ElementsAre("name1", "name2"));
  facts_options_.rollout_id = "elsewhere";
  Open();
  EXPECT_THAT(Search(""), ElementsAre("name1", "name2", "name3"));
  facts_options_.channels.clear();
  Open();
  EXPECT_THAT(Search(""), ElementsAre("name2", "name3"));
}

TEST_F(StagingTest, TheFingerprintTellsMachinesApart) {
  const auto fingerprint = [this](FactsOptions options) {
    options.dpkg_status = facts_options_.dpkg_status;
    options.os_release = facts_options_.os_release;
    return (*Facts(std::move(options)).Current())->Fingerprint();
  };
  const std::string plain = fingerprint({});
  EXPECT_EQ(plain, fingerprint({}));
  EXPECT_EQ(plain, fingerprint({.channels = {"stable", "stable"}}));
  EXPECT_NE(plain, fingerprint({.channels = {"beta"}}));
  EXPECT_NE(plain, fingerprint({.rollout_id = "1"}));
  EXPECT_NE(fingerprint({.rollout_id = "1"}), fingerprint({.rollout_id = "2"}));
  EXPECT_EQ(fingerprint({.channels = {"a", "b"}}),
            fingerprint({.channels = {"b", "a"}}));
  EXPECT_NE(fingerprint({.labels = {"beta"}}),
            fingerprint({.channels = {"beta"}}));
}

}  // namespace
}  // namespace usher::catalog
