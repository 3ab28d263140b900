#include "publisher/staging.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "publisher/description_file.h"
#include "publisher/intake.h"
#include "publisher/rollout.h"
#include "tests/unit/publisher/test_repository.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::publisher {
namespace {

using repository::v1::UpdateDescription;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

UpdateDescription WithRule(const std::string& text) {
  UpdateDescription description;
  if (!text.empty()) {
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        text, description.mutable_is_installable()))
        << text;
  }
  return description;
}

std::string RuleOf(const UpdateDescription& description) {
  return description.has_is_installable()
             ? description.is_installable().ShortDebugString()
             : "none";
}

// What an author wrote, beside which the staging stands.
constexpr const char* kOwn[] = {
    "all_of { rules { architecture { architectures: 'amd64' } } rules { "
    "machine_label { label: 'till' } } }",
    "any_of { rules { constant: true } rules { channel { channels: 'x' } } }",
    "rollout { basis_points: 10 seed: 'own' }",
};

TEST(StagingTest, IsReplacedAndNotStacked) {
  for (const std::string own : kOwn) {
    UpdateDescription description = WithRule(own);
    EXPECT_EQ(StagingOf(description), Staging{}) << own;
    SetShare(500, description);
    SetChannels({"early", "beta", "early"}, description);
    const Staging staged = StagingOf(description);
    EXPECT_EQ(staged.basis_points, 500);
    EXPECT_THAT(staged.channels, ElementsAre("beta", "early"));
    const int parts = description.is_installable().all_of().rules_size();

    // The order of the changes leaves no trace.
    UpdateDescription other = WithRule(own);
    SetChannels({"beta"}, other);
    SetShare(1, other);
    SetChannels({"beta", "early"}, other);
    SetShare(500, other);
    EXPECT_EQ(RuleOf(other), RuleOf(description));
    EXPECT_EQ(other.is_installable().all_of().rules_size(), parts);
    EXPECT_TRUE(CheckStaging(other).ok());

    SetShare(10000, description);
    EXPECT_EQ(description.is_installable().all_of().rules_size(), parts - 1);
    SetChannels({}, description);
    EXPECT_EQ(StagingOf(description), Staging{}) << own;
    EXPECT_THAT(RuleOf(description),
                HasSubstr(RuleOf(WithRule(own)).substr(0, 10)));
  }
}

TEST(StagingTest, LeavesNoEmptyRule) {
  UpdateDescription description;
  SetShare(0, description);
  EXPECT_EQ(RuleOf(description), "all_of { rules { rollout { } } }");
  SetShare(10000, description);
  EXPECT_EQ(RuleOf(description), "none");
  SetChannels({}, description);
  EXPECT_EQ(RuleOf(description), "none");
  UpdateDescription own = WithRule("any_of {}");
  SetShare(10000, own);
  EXPECT_EQ(RuleOf(own), "any_of { }");
}

TEST(StagingTest, OneOfEachKindInWhatIsOffered) {
  const auto with_own = [](const std::string& parts) {
    return CheckStaging(WithRule("all_of {" + parts + "}"));
  };
  const std::string share = "rules { rollout { basis_points: 1 } } ";
  const std::string seeded = "rules { rollout { basis_points: 1 seed: 'x' } } ";
  const std::string channel = "rules { channel { channels: 'a' } } ";
  EXPECT_TRUE(with_own(share + seeded + seeded + channel).ok());
  EXPECT_EQ(HResultOf(with_own(share + share)), hr::kWuEEeInvalidExpression);
  EXPECT_EQ(HResultOf(with_own(channel + channel)),
            hr::kWuEEeInvalidExpression);
  UpdateDescription description;
  *description.mutable_is_installed() =
      WithRule("any_of { rules { not { channel { channels: 'a' } } } }")
          .is_installable();
  EXPECT_EQ(HResultOf(CheckStaging(description)), hr::kWuEEeInvalidExpression);
}

TEST(StagingTest, Percents) {
  struct Case {
    const char* text;
    int basis_points;  // -1: none
    const char* printed;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"0", 0, "0"},
           {"100", 10000, "100"},
           {"12.5", 1250, "12.5"},
           {"0.01", 1, "0.01"},
           {"0.29", 29, "0.29"},
           {"99.99%", 9999, "99.99"},
           {"7%", 700, "7"},
           {"33.30", 3330, "33.3"},
           {"", -1, ""},
           {"%", -1, ""},
           {".", -1, ""},
           {"-1", -1, ""},
           {"100.01", -1, ""},
           {"0.001", -1, ""},
           {"1e1", -1, ""},
           {"nan", -1, ""},
           {"5 ", -1, ""},
           {"5%%", -1, ""},
       }) {
    const auto parsed = ParsePercent(c.text);
    EXPECT_EQ(parsed.value_or(-1), c.basis_points) << c.text;
    if (parsed.has_value()) {
      EXPECT_EQ(FormatPercent(*parsed), c.printed);
    }
  }
  // Each hundredth survives its way through a decimal number.
  for (int i = 0; i <= 10000; ++i) {
    EXPECT_EQ(ParsePercent(FormatPercent(i)).value_or(-1), i);
    EXPECT_EQ(BasisPointsOf(i / 100.0).value_or(-1), i);
  }
  EXPECT_FALSE(
      BasisPointsOf(std::numeric_limits<double>::quiet_NaN()).has_value());
}

constexpr char kRest[] = R"(
[[payload]]
url = "https://example.com/tool"
name = "tool"
size = 10
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"
[handler.exec]
)";

std::string Text(const std::string& name, const std::string& version,
                 const std::string& keys) {
  return absl::StrCat("name = \"", name, "\"\ntitle = \"T\"\nversion = \"",
                      version, "\"\n", keys, "\n");
}

class RolloutTest : public ::testing::Test {
 protected:
  RolloutTest() : workspace_(OpenForTest(folder_.MakeRepository())) {}

  // Adds a description; returns its update id.
  std::string Add(const std::string& text) {
    const auto file = folder_.Write("update.toml", text);
    const auto items = AddDescriptionFiles(workspace_, {file}, TestTime());
    EXPECT_TRUE(items.ok()) << items.status();
    return items.ok() ? (*items)[0].update_id : "";
  }

  absl::StatusOr<RolloutResult> Change(const std::string& reference,
                                       const RolloutRequest& request) {
    return ChangeRollout(workspace_, reference, request,
                         TestTime() + absl::Hours(1));
  }

  UpdateDescription Get(const std::string& id) {
    const auto draft = workspace_.LoadDraft();
    EXPECT_TRUE(draft.ok() && draft->Find(id) != nullptr) << id;
    return draft->Find(id)->Parse();
  }

  const TestFolder folder_;
  Workspace workspace_;
};

TEST_F(RolloutTest, DescriptionsGiveShareAndChannels) {
  const std::string id =
      Add(Text("tool", "1", "rollout_percent = 2.5\nchannels = [\"beta\"]\n") +
          kRest + "[is_installable]\narchitecture = [\"amd64\"]\n");
  EXPECT_EQ(RuleOf(Get(id)),
            "all_of { rules { rollout { basis_points: 250 } } rules { channel "
            "{ channels: \"beta\" } } rules { architecture { architectures: "
            "\"amd64\" } } }");
  const std::string rules =
      Add(Text("tool", "2", "rollout_percent = 100") + kRest +
          "[is_installable]\nany_of = [\n{ rollout = { percent = 25, seed = "
          "\"x\" } },\n{ channel = [\"beta\", \"early\"] },\n]\n");
  EXPECT_EQ(RuleOf(Get(rules)),
            "any_of { rules { rollout { basis_points: 2500 seed: \"x\" } } "
            "rules { channel { channels: \"beta\" channels: \"early\" } } }");
}

TEST_F(RolloutTest, EachChangeIsARevision) {
  const std::string id =
      Add(Text("tool", "1", "revision = 4\nrollout_percent = 5") + kRest);
  const auto before = Get(id).update().last_deployment_change_time().seconds();
  auto result = Change("tool", {.basis_points = 2500});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->update_id, id);
  EXPECT_EQ(result->revision, 5);
  EXPECT_EQ(result->change, DraftChange::kRevised);
  EXPECT_EQ(result->before.basis_points, 500);
  EXPECT_EQ(result->after.basis_points, 2500);
  EXPECT_EQ(RuleOf(Get(id)),
            "all_of { rules { rollout { basis_points: 2500 } } }");
  EXPECT_EQ(Get(id).update().last_deployment_change_time().seconds(),
            before + 3600);
  // The same once more is no change.
  result = Change(id, {.basis_points = 2500});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->change, DraftChange::kUnchanged);
  EXPECT_EQ(result->revision, 5);
  result = Change(id, {.channels = std::vector<std::string>{"beta"}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->revision, 6);
  EXPECT_EQ(result->after.basis_points, 2500);
  result = Change(
      id, {.basis_points = 10000, .channels = std::vector<std::string>{}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->revision, 7);
  EXPECT_FALSE(Get(id).has_is_installable());
  // Bad values are refused by the checks of every description.
  EXPECT_EQ(HResultOf(Change(id, {.basis_points = -1}).status()),
            hr::kWuEEeInvalidExpression);
  EXPECT_EQ(
      HResultOf(
          Change(id, {.channels = std::vector<std::string>{"B"}}).status()),
      hr::kWuEEeInvalidExpression);
  EXPECT_EQ(Get(id).update().identity().revision_number(), 7);
}

TEST_F(RolloutTest, WhoHasItNeedsNotInstallItAgain) {
  const std::string id = Add(Text("tool", "1", "revision = 4") + kRest);
  ASSERT_TRUE(Change(id, {.basis_points = 500}).ok());
  ASSERT_TRUE(Change(id, {.basis_points = 600}).ok());
  const auto rule = Get(id).is_installed().installed_update();
  EXPECT_EQ(rule.update_id(), "");
  EXPECT_EQ(rule.comparison(), repository::v1::COMPARISON_GREATER_OR_EQUAL);
  EXPECT_EQ(rule.revision_number(), 4);
  // An author's own rule stays.
  const std::string own = Add(Text("tool", "2", "") + kRest +
                              "[is_installed]\nfile = { path = \"/t\" }\n");
  ASSERT_TRUE(Change(own, {.basis_points = 500}).ok());
  EXPECT_EQ(Get(own).is_installed().file().path(), "/t");
}

TEST_F(RolloutTest, NamesMustBeClear) {
  const std::string one = Add(Text("tool", "1", "") + kRest);
  const std::string two = Add(Text("tool", "2", "") + kRest);
  const auto several = Change("tool", {.basis_points = 1});
  EXPECT_EQ(HResultOf(several.status()), hr::kEInvalidarg);
  EXPECT_THAT(std::string(several.status().message()),
              ::testing::AllOf(HasSubstr(one), HasSubstr(two)));
  for (const std::string missing :
       {"nothing", "11111111-1111-4111-8111-111111111111"}) {
    EXPECT_EQ(HResultOf(Change(missing, {.basis_points = 1}).status()),
              hr::kWuEDsNodataNosuchrevision);
  }
  EXPECT_TRUE(Change(two, {.basis_points = 1}).ok());
  EXPECT_FALSE(Get(one).has_is_installable());
}

TEST_F(RolloutTest, MembersOfBundlesStay) {
  const std::string member = Add(Text("part", "1", "") + kRest);
  const std::string bundle = Add(Text(
      "all", "1", "bundled_updates = [{ update_id = \"" + member + "\" }]"));
  const auto refused = Change(member, {.basis_points = 1});
  EXPECT_EQ(HResultOf(refused.status()), hr::kWuEInvalidUpdate);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(bundle));
  ASSERT_TRUE(Change(bundle, {.basis_points = 1}).ok());
  // A bundle is installed when its members are.
  EXPECT_FALSE(Get(bundle).has_is_installed());
  EXPECT_EQ(StagingOf(Get(bundle)).basis_points, 1);
}

TEST_F(RolloutTest, AnImportKeepsIt) {
  constexpr char kIndex[] =
      "Package: hello\nVersion: 1\nArchitecture: amd64\n"
      "Filename: pool/h.deb\nSize: 1\nSHA256: "
      "069ecf7ebf2b52bf4d2fef4c0e5e9d2a7e1d2d7d7dd0c5ab2fe4c3bbd4a8ee77\n";
  AptImportOptions options;
  options.files = {folder_.Write("Packages", kIndex)};
  options.payload_base = "https://example.com/";
  ASSERT_TRUE(ImportAptInto(workspace_, options, "", TestTime()).ok());
  const auto staged = Change(
      "hello",
      {.basis_points = 500, .channels = std::vector<std::string>{"beta"}});
  ASSERT_TRUE(staged.ok()) << staged.status();
  auto again = ImportAptInto(workspace_, options, "", TestTime());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->debs.unchanged, 1);
  // Something else of it changes.
  options.files = {
      folder_.Write("Packages", std::string(kIndex) + "Description: new\n")};
  again = ImportAptInto(workspace_, options, "", TestTime());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->debs.revised, 1);
  EXPECT_EQ(StagingOf(Get(staged->update_id)), staged->after);
}

}  // namespace
}  // namespace usher::publisher
