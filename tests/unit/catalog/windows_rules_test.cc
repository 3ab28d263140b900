// Rules about Windows, on every system: what Windows would say is made up.

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/catalog/check_rule.h"
#include "common/error.h"
#include "common/file_io.h"
#include "common/uuid.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "service/catalog/rules.h"
#include "usher/repository/v1/catalog.pb.h"

namespace usher::catalog {
namespace {

using repository::v1::Rule;

constexpr char kProduct[] = "{AAAAAAAA-0000-4000-8000-00000000000A}";
constexpr char kUpgrade[] = "{BBBBBBBB-0000-4000-8000-00000000000B}";

class FakeProbe : public SystemProbe {
 public:
  std::string FileVersion(const std::filesystem::path& path) const override {
    return path.filename() == "versioned" ? "10.2.0.7" : "";
  }
  absl::optional<std::string> RegistryData(
      absl::string_view key, absl::string_view value) const override {
    const auto found = registry.find(RegistryFactKey(key, value));
    if (found == registry.end()) return absl::nullopt;
    return found->second;
  }
  absl::optional<std::string> MsiVersion(
      absl::string_view product_code) const override {
    if (product_code != kProduct) return absl::nullopt;
    return msi_version;
  }
  std::vector<std::string> MsiVersionsByUpgradeCode(
      absl::string_view upgrade_code) const override {
    if (upgrade_code != kUpgrade) return {};
    return {"1.5.0", "2.0.1"};
  }

  std::map<std::string, std::string> registry;
  std::string msi_version = "1.10.0";
};

class NoReceipts : public Receipts {
 public:
  absl::StatusOr<int32_t> InstalledRevision(
      absl::string_view /*update_id*/) override {
    return 0;
  }
};

class WindowsRulesTest : public ::testing::Test {
 protected:
  WindowsRulesTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("usher-windows-rules-" + RandomResourceId())),
        probe_(std::make_shared<FakeProbe>()),
        facts_(FactsOptions{.product_dir = folder_, .probe = probe_}) {
    EXPECT_TRUE(MakeDirectories(folder_ / "app" / "current").ok());
    for (const char* name : {"versioned", "plain"}) {
      EXPECT_TRUE(
          WriteFileAtomically(folder_ / "app" / "current" / name, "x").ok());
    }
    probe_->registry[RegistryFactKey("HKLM\\SOFTWARE\\App", "")] = "";
    probe_->registry[RegistryFactKey("HKLM\\SOFTWARE\\App", "Version")] =
        "1.10";
    probe_->registry[RegistryFactKey("HKLM\\SOFTWARE\\App", "Channel")] =
        "stable";
    probe_->registry[RegistryFactKey("HKLM\\SOFTWARE\\App", "Count")] = "9";
    machine_.family = "windows";
    machine_.version = "10.0.19045";
  }
  ~WindowsRulesTest() override { EXPECT_TRUE(RemoveTree(folder_).ok()); }

  bool Holds(const std::string& text) {
    Rule rule;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &rule))
        << text;
    const absl::Status checked = CheckRule(rule);
    EXPECT_TRUE(checked.ok()) << text << ": " << checked;
    const auto value = EvaluateRule(rule, "", machine_, facts_, receipts_);
    EXPECT_TRUE(value.ok());
    return value.ok() && *value;
  }
  // A registry rule on HKLM\SOFTWARE\App.
  bool App(const std::string& value, const std::string& comparison,
           const std::string& data) {
    return Holds(absl::StrCat(
        "registry { key: 'HKLM\\\\SOFTWARE\\\\App' value: '", value,
        "' comparison: COMPARISON_", comparison, " data: '", data, "' }"));
  }

  const std::filesystem::path folder_;
  const std::shared_ptr<FakeProbe> probe_;
  Facts facts_;
  MachineFacts machine_;
  NoReceipts receipts_;
};

TEST_F(WindowsRulesTest, OperatingSystem) {
  EXPECT_TRUE(
      Holds("operating_system { family: 'windows' comparison: "
            "COMPARISON_GREATER_OR_EQUAL version: '10.0.19041' }"));
  EXPECT_FALSE(
      Holds("operating_system { family: 'windows' comparison: "
            "COMPARISON_GREATER_OR_EQUAL version: '10.0.22000' }"));
}

TEST_F(WindowsRulesTest, FileVersions) {
  EXPECT_TRUE(
      Holds("file { path: '{product:app}/versioned' comparison: "
            "COMPARISON_GREATER_OR_EQUAL version: '10.2' }"));
  EXPECT_FALSE(
      Holds("file { path: '{product:app}/versioned' comparison: "
            "COMPARISON_GREATER version: '10.2.0.7' }"));
  // Neither without a version nor without a file.
  for (const char* name : {"plain", "absent"}) {
    EXPECT_FALSE(Holds(absl::StrCat("file { path: '{product:app}/", name,
                                    "' comparison: COMPARISON_NOT_EQUAL "
                                    "version: '1' }")));
  }
  // Version and content.
  EXPECT_FALSE(
      Holds("file { path: '{product:app}/versioned' comparison: "
            "COMPARISON_EQUAL version: '10.2.0.7' sha256: "
            "'01234567890123456789012345678901' }"));
}

TEST_F(WindowsRulesTest, Registry) {
  EXPECT_TRUE(App("", "EXISTS", ""));
  EXPECT_TRUE(App("Version", "EXISTS", ""));
  EXPECT_FALSE(App("Absent", "EXISTS", ""));
  EXPECT_FALSE(App("Absent", "NOT_EQUAL", "1"));
  EXPECT_FALSE(Holds("registry { key: 'HKLM\\\\SOFTWARE\\\\Other' }"));
  // As versions, not as texts.
  EXPECT_TRUE(App("Version", "GREATER", "1.9"));
  EXPECT_TRUE(App("Version", "EQUAL", "1.10.0"));
  EXPECT_TRUE(App("Count", "LESS", "10"));
  // As texts.
  EXPECT_TRUE(App("Channel", "EQUAL", "stable"));
  EXPECT_FALSE(App("Channel", "EQUAL", "Stable"));
  EXPECT_TRUE(App("Channel", "GREATER", "beta"));
}

TEST_F(WindowsRulesTest, MsiProducts) {
  const std::string product =
      "msi_product { product_code: "
      "'{aaaaaaaa-0000-4000-8000-00000000000a}' ";
  EXPECT_TRUE(Holds(product + "}"));
  EXPECT_TRUE(
      Holds(product + "comparison: COMPARISON_GREATER version: '1.9' }"));
  EXPECT_FALSE(
      Holds(product + "comparison: COMPARISON_GREATER version: '1.10' }"));
  EXPECT_FALSE(
      Holds("msi_product { product_code: "
            "'{aaaaaaaa-0000-4000-8000-00000000000b}' }"));
  // One of those with the upgrade code will do.
  const std::string upgrade =
      absl::StrCat("msi_product { upgrade_code: '", kUpgrade, "' ");
  EXPECT_TRUE(Holds(upgrade + "comparison: COMPARISON_EQUAL version: '2.0.1' "
                              "}"));
  EXPECT_TRUE(Holds(upgrade + "comparison: COMPARISON_LESS version: '1.6' }"));
  EXPECT_FALSE(
      Holds(upgrade + "comparison: COMPARISON_GREATER version: '3' }"));
}

TEST_F(WindowsRulesTest, RefusesBadRules) {
  for (const char* bad : {
           "registry { key: 'HKCR\\\\x' }",
           "registry { key: 'HKLM\\\\a\\\\\\\\b' }",
           "registry { key: 'HKLM\\\\a' comparison: COMPARISON_LESS data: '1' "
           "}",
           "registry { key: 'HKLM\\\\a' value: 'a\\nb' }",
           "msi_product {}",
           "msi_product { product_code: "
           "'{aaaaaaaa-0000-4000-8000-00000000000a}' upgrade_code: "
           "'{aaaaaaaa-0000-4000-8000-00000000000a}' }",
           "msi_product { upgrade_code: 'aaaaaaaa' }",
           "msi_product { product_code: "
           "'{aaaaaaaa-0000-4000-8000-00000000000a}' comparison: "
           "COMPARISON_LESS version: 'x' }",
           "file { path: 'C:f' }",
           "file { path: '\\\\\\\\server\\\\share\\\\f' }",
           "file { path: '%ProgramFiles%x' }",
           "file { path: '%%\\\\x' }",
           "file { path: 'C:\\\\f' comparison: COMPARISON_LESS version: 'new' "
           "}",
       }) {
    Rule rule;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(bad, &rule))
        << bad;
    EXPECT_EQ(HResultOf(CheckRule(rule)), hr::kWuEEeInvalidExpression) << bad;
  }
}

TEST_F(WindowsRulesTest, AcceptsPathsOfBothSystems) {
  EXPECT_FALSE(Holds("file { path: 'C:\\\\no such file' }"));
  EXPECT_FALSE(Holds("file { path: '%ProgramFiles%\\\\no such file' }"));
  EXPECT_FALSE(Holds("file { path: '/no such file' }"));
}

// What changes is looked at again; what does not, is not.
TEST_F(WindowsRulesTest, StampsFollowTheFacts) {
  const std::string version = RegistryFactKey("HKLM\\SOFTWARE\\App", "Version");
  const std::string before = facts_.Stamp(FactKind::kRegistry, version);
  EXPECT_NE(before, "");
  EXPECT_EQ(facts_.Stamp(FactKind::kRegistry, version), before);
  probe_->registry[version] = "";
  const std::string empty = facts_.Stamp(FactKind::kRegistry, version);
  EXPECT_NE(empty, before);
  EXPECT_NE(empty, "");
  probe_->registry.erase(version);
  EXPECT_EQ(facts_.Stamp(FactKind::kRegistry, version), "");

  const std::string product = facts_.Stamp(FactKind::kMsiProduct, kProduct);
  EXPECT_NE(product, "");
  probe_->msi_version = "2.0";
  EXPECT_NE(facts_.Stamp(FactKind::kMsiProduct, kProduct), product);
  EXPECT_NE(
      facts_.Stamp(FactKind::kMsiProduct, absl::StrCat("upgrade ", kUpgrade)),
      "");
}

TEST_F(WindowsRulesTest, CollectsFacts) {
  Rule rule;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "all_of { rules { registry { key: 'HKLM\\\\a' value: 'b' } } rules { "
      "msi_product { product_code: '{C}' } } rules { msi_product { "
      "upgrade_code: '{U}' } } }",
      &rule));
  RuleFacts facts;
  CollectFacts(rule, "me", facts);
  EXPECT_EQ(facts, (RuleFacts{{FactKind::kRegistry, "HKLM\\a\nb"},
                              {FactKind::kMsiProduct, "{C}"},
                              {FactKind::kMsiProduct, "upgrade {U}"}}));
}

}  // namespace
}  // namespace usher::catalog
