#include "publisher/description_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "publisher/update_checks.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kService[] = "6b1f2c1e-57f5-4d0e-9a53-0e2f5f0f4a11";

absl::StatusOr<UpdateSource> Read(const std::string& text,
                                  const std::filesystem::path& folder = "") {
  CategorySet categories;
  return ReadDescription(text, "update.toml", folder, kService, categories);
}

TEST(DescriptionFileTest, ReadsEveryKind) {
  const TestFolder folder;
  folder.Write("setup.sh", "#!/bin/sh\n");
  folder.Write("licence.txt", "Be kind.");
  const auto source = Read(R"(
name = "tool"
version = "2.0"
title = "Tool 2.0"
revision = 3
eula_text_file = "licence.txt"
categories = ["Example tools", "security updates"]
deadline = 2030-01-01T12:00:00+02:00
msrc_severity = "Important"
kb_article_ids = ["123456"]
languages = ["en", "pt-BR"]
supersede_older_versions = true
auto_download = "always"
recommended_memory = 512

[installation_behavior]
impact = "requires_exclusive_handling"
reboot_behavior = "can_request"

[uninstallation_behavior]

[[category]]
name = "Example"
type = "ProductFamily"

[[category]]
name = "Example tools"
parent = "Example"

[localized.de]
title = "Werkzeug 2.0"

[[payload]]
file = "setup.sh"

[[payload]]
url = "https://example.com/data.bin"
name = "data.bin"
size = 10
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"

[handler.exec]
arguments = ["--quiet"]
exit_codes = [{ code = 7, meaning = "already_installed" }]

[is_installed]
all_of = [
  { file = { path = "/opt/tool" } },
  { not = { debian_package = { package = "tool", version = "< 2.0" } } },
  { operating_system = { family = "linux", version = ">= 12" } },
]

[is_installable]
architecture = ["amd64", "arm64"]
)",
                           folder.path());
  ASSERT_TRUE(source.ok()) << source.status();
  const auto& update = source->description.update();
  EXPECT_EQ(update.identity().revision_number(), 3);
  EXPECT_EQ(update.identity().update_id(),
            DefaultUpdateId(kService, "tool", "2.0"));
  EXPECT_EQ(update.eula_text(), "Be kind.");
  EXPECT_THAT(update.category_ids(),
              ElementsAre(CategoryId(kService, "Product", "Example tools"),
                          "0fa1201d-4330-4fa8-8ae9-b877473b6441"));
  EXPECT_EQ(update.deadline().seconds(), 1893492000);
  EXPECT_TRUE(update.is_uninstallable());
  EXPECT_EQ(update.auto_download(),
            usher::v1::AUTO_DOWNLOAD_MODE_ALWAYS_AUTO_DOWNLOAD);
  EXPECT_TRUE(source->supersede_older);
  EXPECT_EQ(source->description.localized_text(0).title(), "Werkzeug 2.0");
  ASSERT_EQ(source->payload_files.size(), 2u);
  EXPECT_EQ(source->payload_files[0], folder.path() / "setup.sh");
  EXPECT_TRUE(source->payload_files[1].empty());
  EXPECT_EQ(source->description.payloads(1).sha256().back(), 1);
  EXPECT_EQ(source->description.handler().exec().exit_codes(0).meaning(),
            repository::v1::ExitCode::MEANING_ALREADY_INSTALLED);
  const auto& rules = source->description.is_installed().all_of();
  ASSERT_EQ(rules.rules_size(), 3);
  EXPECT_EQ(rules.rules(1).not_().debian_package().comparison(),
            repository::v1::COMPARISON_LESS);
  EXPECT_EQ(rules.rules(2).operating_system().version(), "12");
  EXPECT_EQ(
      source->description.is_installable().architecture().architectures_size(),
      2);
}

// Text before, line and column at which the fault must be reported, reason.
struct BadCase {
  const char* lines;
  const char* place;
  const char* reason;
};

class BadDescriptionTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadDescriptionTest, SaysWhereAndWhy) {
  const std::string text = std::string(R"(name = "a"
title = "A"
bundled_updates = [{ update_id = "6b1f2c1e-57f5-4d0e-9a53-0e2f5f0f4a12" }]
)") + GetParam().lines;
  const auto source = Read(text);
  ASSERT_EQ(HResultOf(source.status()), hr::kEInvalidarg) << text;
  EXPECT_THAT(std::string(source.status().message()),
              HasSubstr(std::string("update.toml:") + GetParam().place));
  EXPECT_THAT(std::string(source.status().message()),
              HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, BadDescriptionTest,
    ::testing::Values(
        BadCase{"titel = \"B\"", "4:1", "unknown key \"titel\""},
        BadCase{"revision = 0", "4:12", "from 1 to"},
        BadCase{"revision = \"1\"", "4:12", "whole number"},
        BadCase{"update_id = \"x\"", "4:13", "must be a UUID"},
        BadCase{"is_beta = 1", "4:11", "true or false"},
        BadCase{"type = \"firmware\"", "4:8", "\"software\", \"driver\""},
        BadCase{"deadline = 2030-01-01T00:00:00", "4:12", "offset"},
        BadCase{"kb_article_ids = [\"KB12\"]", "4:18", "without the prefix"},
        BadCase{"categories = [\"Nonsense\"]", "4:14", "no category"},
        BadCase{"languages = [\"e\"]", "4:13", "language tag"},
        BadCase{"support_url = \"ftp://x\"", "4:15", "http"},
        BadCase{"msrc_severity = \"Bad\"", "4:17", "\"Critical\""},
        BadCase{"eula_text_file = \"nowhere\"", "4:18", "no file"},
        BadCase{"[image]\nheigth = 4", "5:1", "unknown key \"image.heigth\""},
        BadCase{"[[payload]]\nfile = \"nowhere\"", "5:8", "no file"},
        BadCase{"[handler.exe]", "4:", "unknown handler"},
        BadCase{"[is_installed]\nfile = { path = \"/x\" }\nconstant = true",
                "4:", "exactly one key"},
        BadCase{"[is_installed]\nfiles = { path = \"/x\" }", "5:1",
                "unknown rule \"files\""},
        BadCase{"[is_installed]\ndebian_package = { package = \"x\", version "
                "= \"2.0\" }",
                "5:", "must begin with"},
        BadCase{"[is_installed]\nfile = { paht = \"/x\" }", "5:10",
                "unknown key \"is_installed.file.paht\""},
        BadCase{"rollout_percent = 100.5", "4:19", "from 0 to 100"},
        BadCase{"rollout_percent = 0.001", "4:19", "steps of 0.01"},
        BadCase{"rollout_percent = nan", "4:19", "from 0 to 100"},
        BadCase{"rollout_percent = \"5\"", "4:19", "a number"},
        BadCase{"channels = []", "4:12", "names no channel"},
        BadCase{"channels = [\"Beta\"]", "4:12", "lower-case"},
        BadCase{"rollout_percent = 5\n[is_installable]\nrollout = { percent = "
                "7 }",
                "4:19", "a rollout already"},
        BadCase{"channels = [\"a\"]\n[is_installable]\nchannel = [\"b\"]",
                "4:12", "channels already"},
        BadCase{"[is_installable]\nrollout = { seed = \"x\" }", "5:11",
                "percent: is missing"},
        BadCase{"[is_installable]\nall_of = [{ channel = [\"a\"] }, { channel "
                "= [\"b\"] }]",
                "4:", "two rules about channels"},
        BadCase{"[is_installed]\nnot = { rollout = { percent = 5 } }",
                "4:", "belong to is_installable"},
        BadCase{"x = [", "4:", ""}));

TEST(DescriptionFileTest, ReportsEveryFaultInOrder) {
  const auto source = Read("name = \"a\"\nfoo = 1\nbar = 2\n");
  const std::string message(source.status().message());
  EXPECT_LT(message.find("update.toml:2:1"), message.find("update.toml:3:1"));
  EXPECT_THAT(message, HasSubstr("title: is missing"));
  EXPECT_THAT(message, HasSubstr("handler: is missing"));
}

TEST(DescriptionFileTest, BoundsRules) {
  std::string deep = "constant = true";
  for (int i = 0; i < 16; ++i) deep = absl::StrCat("not = { ", deep, " }");
  const auto source =
      Read("name = \"a\"\ntitle = \"A\"\n[is_installed]\n" + deep + "\n");
  EXPECT_THAT(std::string(source.status().message()),
              HasSubstr("deeper than 16"));
  repository::v1::Rule wide;
  for (int i = 0; i < 256; ++i) {
    wide.mutable_all_of()->add_rules()->set_constant(true);
  }
  EXPECT_EQ(HResultOf(CheckRule(wide)), hr::kWuEEeInvalidExpression);
  wide.mutable_all_of()->mutable_rules()->RemoveLast();
  EXPECT_TRUE(CheckRule(wide).ok());
}

}  // namespace
}  // namespace usher::publisher
