#include "service/catalog/rules.h"

#include <map>
#include <string>

#include "common/catalog/check_rule.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::Rule;

constexpr char kOwnId[] = "00000000-0000-4000-8000-0000000000ff";

Rule Parse(const std::string& text) {
  Rule rule;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &rule))
      << text;
  return rule;
}

class MapReceipts : public Receipts {
 public:
  absl::StatusOr<int32_t> InstalledRevision(
      absl::string_view update_id) override {
    const auto it = revisions.find(std::string(update_id));
    return it == revisions.end() ? 0 : it->second;
  }
  std::map<std::string, int32_t> revisions;
};

class RulesTest : public ::testing::Test {
 protected:
  RulesTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("usher-rules-" + RandomResourceId())),
        facts_(FactsOptions{.product_dir = folder_}) {
    machine_.family = "linux";
    machine_.distribution = "debian";
    machine_.version = "12";
    machine_.architecture = "amd64";
    machine_.labels = {"kiosk"};
    machine_.packages["hello"] = {{"amd64", "2.10-3"}};
    machine_.packages["doc"] = {{"all", "1.0"}};
    machine_.packages["multi"] = {{"amd64", "2"}, {"i386", "1"}};
    receipts_.revisions["00000000-0000-4000-8000-000000000001"] = 3;
    EXPECT_TRUE(MakeDirectories(folder_ / "app" / "current").ok());
    EXPECT_TRUE(
        WriteFileAtomically(folder_ / "app" / "current" / "f", "abc").ok());
  }
  ~RulesTest() override { EXPECT_TRUE(RemoveTree(folder_).ok()); }

  bool Holds(const std::string& text) {
    Rule rule = Parse(text);
    const absl::Status checked = CheckRule(rule);
    EXPECT_TRUE(checked.ok()) << text << ": " << checked;
    const auto value = EvaluateRule(rule, kOwnId, machine_, facts_, receipts_);
    EXPECT_TRUE(value.ok());
    return value.ok() && *value;
  }

  std::filesystem::path folder_;
  MachineFacts machine_;
  Facts facts_;
  MapReceipts receipts_;
};

TEST_F(RulesTest, Logic) {
  EXPECT_TRUE(Holds("all_of {}"));
  EXPECT_FALSE(Holds("any_of {}"));
  EXPECT_FALSE(Holds("not { constant: true }"));
  EXPECT_TRUE(
      Holds("any_of { rules { constant: false } rules { constant: true } }"));
  EXPECT_FALSE(
      Holds("all_of { rules { constant: false } rules { constant: true } }"));
}

TEST_F(RulesTest, Machine) {
  EXPECT_TRUE(Holds("operating_system { family: 'linux' }"));
  EXPECT_FALSE(Holds("operating_system { family: 'windows' }"));
  EXPECT_TRUE(
      Holds("operating_system { distribution: 'debian' comparison: "
            "COMPARISON_GREATER_OR_EQUAL version: '11.5' }"));
  EXPECT_FALSE(
      Holds("operating_system { distribution: 'debian' comparison: "
            "COMPARISON_LESS version: '12' }"));
  EXPECT_TRUE(
      Holds("architecture { architectures: 'arm64' architectures: 'amd64' }"));
  EXPECT_FALSE(Holds("architecture { architectures: 'arm64' }"));
  EXPECT_TRUE(Holds("architecture { architectures: 'all' }"));
  EXPECT_TRUE(Holds("machine_label { label: 'kiosk' }"));
  EXPECT_FALSE(Holds("machine_label { label: 'server' }"));
  EXPECT_FALSE(Holds("registry { key: 'HKLM\\\\Software\\\\No such vendor' }"));
}

TEST_F(RulesTest, DebianPackages) {
  EXPECT_TRUE(Holds("debian_package { package: 'hello' }"));
  EXPECT_FALSE(Holds("debian_package { package: 'absent' }"));
  EXPECT_FALSE(
      Holds("debian_package { package: 'absent' comparison: "
            "COMPARISON_NOT_EQUAL version: '1' }"));
  EXPECT_TRUE(
      Holds("debian_package { package: 'hello' comparison: "
            "COMPARISON_GREATER_OR_EQUAL version: '2.10-3~a' }"));
  EXPECT_FALSE(
      Holds("debian_package { package: 'hello' comparison: "
            "COMPARISON_LESS version: '2.10-3' }"));
  EXPECT_TRUE(
      Holds("debian_package { package: 'multi' comparison: "
            "COMPARISON_EQUAL version: '1' architecture: 'i386' }"));
  EXPECT_FALSE(
      Holds("debian_package { package: 'multi' comparison: "
            "COMPARISON_EQUAL version: '1' architecture: 'amd64' }"));
  EXPECT_TRUE(Holds("debian_package { package: 'doc' architecture: 'amd64' }"));
}

TEST_F(RulesTest, Files) {
  EXPECT_TRUE(Holds("file { path: '{product:app}/f' }"));
  EXPECT_FALSE(Holds("file { path: '{product:app}/g' }"));
  EXPECT_FALSE(
      Holds("file { path: '{product:app}/f' comparison: "
            "COMPARISON_EQUAL version: '1' }"));
  Rule rule;
  rule.mutable_file()->set_path("{product:app}/f");
  const Sha256Digest digest = Sha256Of("abc");
  rule.mutable_file()->set_sha256(digest.data(), digest.size());
  EXPECT_TRUE(*EvaluateRule(rule, kOwnId, machine_, facts_, receipts_));
  ASSERT_TRUE(
      WriteFileAtomically(folder_ / "app" / "current" / "f", "abd").ok());
  EXPECT_FALSE(*EvaluateRule(rule, kOwnId, machine_, facts_, receipts_));
  // A folder has no content.
  rule.mutable_file()->set_path("{product:app}");
  EXPECT_FALSE(*EvaluateRule(rule, kOwnId, machine_, facts_, receipts_));
}

TEST_F(RulesTest, InstalledUpdates) {
  constexpr char kOne[] = "update_id: '00000000-0000-4000-8000-000000000001' ";
  EXPECT_TRUE(Holds(std::string("installed_update {") + kOne + "}"));
  EXPECT_TRUE(Holds(std::string("installed_update {") + kOne +
                    "comparison: COMPARISON_EQUAL revision_number: 3 }"));
  EXPECT_FALSE(Holds(std::string("installed_update {") + kOne +
                     "comparison: COMPARISON_GREATER revision_number: 3 }"));
  EXPECT_FALSE(Holds("installed_update {}"));
}

TEST_F(RulesTest, RefusesBadRules) {
  struct Bad {
    const char* text;
    HResult hr;
  };
  for (const Bad& bad : std::initializer_list<Bad>{
           {"", hr::kWuEEeUnknownExpression},
           {"not {}", hr::kWuEEeUnknownExpression},
           {"all_of { rules {} }", hr::kWuEEeUnknownExpression},
           {"debian_package { package: 'a b' }", hr::kWuEEeInvalidExpression},
           {"debian_package { package: 'ab' comparison: COMPARISON_LESS }",
            hr::kWuEEeInvalidExpression},
           {"file { path: 'relative' }", hr::kWuEEeInvalidExpression},
           {"file { path: '{product:../x}/f' }", hr::kWuEEeInvalidExpression},
           {"file { path: '{product:a}/../../f' }",
            hr::kWuEEeInvalidExpression},
           {"file { path: '{product:a' }", hr::kWuEEeInvalidExpression},
           {"file { path: '/f' sha256: 'short' }", hr::kWuEEeInvalidExpression},
           {"architecture {}", hr::kWuEEeInvalidExpression},
           {"machine_label {}", hr::kWuEEeInvalidExpression},
           {"operating_system { family: 'beos' }", hr::kWuEEeInvalidExpression},
           {"operating_system { comparison: COMPARISON_LESS }",
            hr::kWuEEeInvalidExpression},
           {"registry { key: 'Software' }", hr::kWuEEeInvalidExpression},
           {"msi_product { product_code: 'x' }", hr::kWuEEeInvalidExpression},
           {"installed_update { update_id: 'x' }", hr::kWuEEeInvalidExpression},
           {"rollout { basis_points: -1 }", hr::kWuEEeInvalidExpression},
           {"rollout { basis_points: 10001 }", hr::kWuEEeInvalidExpression},
           {"rollout { seed: 'a\\nb' }", hr::kWuEEeInvalidExpression},
           {"channel {}", hr::kWuEEeInvalidExpression},
           {"channel { channels: '' }", hr::kWuEEeInvalidExpression},
           {"channel { channels: 'ok' channels: 'Beta' }",
            hr::kWuEEeInvalidExpression},
           {"channel { channels: '-beta' }", hr::kWuEEeInvalidExpression},
           {"channel { channels: 'a,b' }", hr::kWuEEeInvalidExpression},
       }) {
    Rule rule = Parse(bad.text);
    EXPECT_EQ(HResultOf(CheckRule(rule)), bad.hr) << bad.text;
  }
  Rule rule;
  rule.mutable_debian_package()->set_package("ab");
  rule.mutable_debian_package()->set_comparison(
      static_cast<repository::v1::Comparison>(77));
  EXPECT_EQ(HResultOf(CheckRule(rule)), hr::kWuEEeUnknownExpression);
}

TEST_F(RulesTest, Limits) {
  Rule rule;
  Rule* deepest = &rule;
  for (int i = 1; i < kMaxRuleDepth; ++i) deepest = deepest->mutable_not_();
  deepest->set_constant(true);
  EXPECT_TRUE(CheckRule(rule).ok());
  deepest->mutable_not_()->set_constant(true);
  EXPECT_EQ(HResultOf(CheckRule(rule)), hr::kWuEEeInvalidExpression);

  Rule seed;
  seed.mutable_rollout()->set_seed(std::string(128, 's'));
  EXPECT_TRUE(CheckRule(seed).ok());
  seed.mutable_rollout()->mutable_seed()->push_back('s');
  EXPECT_EQ(HResultOf(CheckRule(seed)), hr::kWuEEeInvalidExpression);

  Rule channels;
  for (int i = 0; i < kMaxChannels; ++i) {
    channels.mutable_channel()->add_channels(std::string(64, 'c'));
  }
  EXPECT_TRUE(CheckRule(channels).ok());
  Rule long_name = channels;
  long_name.mutable_channel()->mutable_channels(0)->push_back('c');
  EXPECT_EQ(HResultOf(CheckRule(long_name)), hr::kWuEEeInvalidExpression);
  channels.mutable_channel()->add_channels("c");
  EXPECT_EQ(HResultOf(CheckRule(channels)), hr::kWuEEeInvalidExpression);

  Rule wide;
  for (int i = 1; i < kMaxRuleNodes; ++i) {
    wide.mutable_any_of()->add_rules()->set_constant(true);
  }
  EXPECT_TRUE(CheckRule(wide).ok());
  wide.mutable_any_of()->add_rules()->set_constant(true);
  EXPECT_EQ(HResultOf(CheckRule(wide)), hr::kWuEEeInvalidExpression);
}

TEST_F(RulesTest, CollectsFacts) {
  RuleFacts facts;
  CollectFacts(
      Parse("all_of { rules { not { debian_package { package: 'hello' } } } "
            "rules { any_of { rules { file { path: '/f' } } } } rules { "
            "installed_update {} } rules { constant: true } }"),
      "me", facts);
  EXPECT_EQ(facts, (RuleFacts{{FactKind::kDebianPackage, "hello"},
                              {FactKind::kFile, "/f"},
                              {FactKind::kUpdate, "me"}}));
}

}  // namespace
}  // namespace usher::catalog
