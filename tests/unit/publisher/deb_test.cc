#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/error.h"
#include "publisher/control_file.h"
#include "publisher/intake.h"
#include "publisher/package_file.h"
#include "publisher/staging.h"
#include "tests/unit/publisher/test_repository.h"

namespace usher::publisher {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Superseded(const Draft& draft, const std::string& id) {
  const auto description = draft.Find(id)->Parse();
  const auto& ids = description.update().superseded_update_ids();
  return {ids.begin(), ids.end()};
}

TEST(ControlFileTest, SplitsAndReads) {
  std::vector<std::string> paragraphs;
  ParagraphSplitter splitter([&](absl::string_view text) {
    paragraphs.emplace_back(text);
    return absl::OkStatus();
  });
  const std::string text = "A: 1\nB: two\n more\n .\n end\n\n\nA: 2\n";
  // Byte by byte: borders may fall anywhere.
  for (const char c : text) {
    ASSERT_TRUE(splitter.Feed(absl::string_view(&c, 1)).ok());
  }
  ASSERT_TRUE(splitter.Finish().ok());
  ASSERT_EQ(paragraphs.size(), 2u);
  const auto first = ControlParagraph::Parse(paragraphs[0]);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->Get("a"), "1");
  EXPECT_EQ(DescriptionSynopsis(first->Get("B")), "two");
  EXPECT_EQ(DescriptionBody(first->Get("B")), "more\n\nend");
  EXPECT_EQ(HResultOf(ControlParagraph::Parse("nonsense").status()),
            hr::kWuEInvalidFile);
}

TEST(DebTest, ReadsControlAndRefusesOtherFiles) {
  const TestFolder folder;
  const auto control = ReadDebControl(folder.MakeDeb("hello", "1:2.0-1"));
  ASSERT_TRUE(control.ok()) << control.status();
  EXPECT_EQ(control->Get("Package"), "hello");
  EXPECT_EQ(control->Get("Version"), "1:2.0-1");
  EXPECT_EQ(
      HResultOf(ReadDebControl(folder.Write("x.deb", "no package")).status()),
      hr::kWuEInvalidFile);
  EXPECT_EQ(HResultOf(ReadDebControl(folder.path() / "none.deb").status()),
            hr::kErrorFileNotFound);
}

TEST(DebTest, NewerVersionsSupersedeOlderOnes) {
  const TestFolder folder;
  const auto dir = folder.MakeRepository();
  Workspace workspace = OpenForTest(dir);
  const auto first = AddDebFiles(
      workspace,
      {folder.MakeDeb("hello", "1.0"), folder.MakeDeb("hello", "2.0"),
       folder.MakeDeb("hello", "2.0", "amd64")},
      {}, {"Updates"}, TestTime());
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string one = (*first)[0].update_id;
  const std::string two = (*first)[1].update_id;
  auto draft = workspace.LoadDraft();
  ASSERT_TRUE(draft.ok());
  EXPECT_THAT(Superseded(*draft, two), UnorderedElementsAre(one));
  EXPECT_THAT(Superseded(*draft, one), IsEmpty());
  // Another architecture is another package.
  EXPECT_THAT(Superseded(*draft, (*first)[2].update_id), IsEmpty());

  // A version in between: 2.0 learns of it in a new revision.
  const auto between = AddDebFiles(workspace, {folder.MakeDeb("hello", "1.5")},
                                   {}, {}, TestTime());
  ASSERT_TRUE(between.ok()) << between.status();
  const std::string middle = (*between)[0].update_id;
  draft = workspace.LoadDraft();
  ASSERT_TRUE(draft.ok());
  EXPECT_THAT(Superseded(*draft, middle), UnorderedElementsAre(one));
  EXPECT_THAT(Superseded(*draft, two), UnorderedElementsAre(one, middle));
  EXPECT_EQ(draft->Find(two)->revision, 2);
  EXPECT_EQ(draft->Find(one)->revision, 1);
}

TEST(DebTest, TheSameAgainIsUnchangedAndAChangeIsARevision) {
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  const auto deb = folder.MakeDeb("hello", "1.0");
  ASSERT_TRUE(AddDebFiles(workspace, {deb}, {}, {}, TestTime()).ok());
  const auto again =
      AddDebFiles(workspace, {deb}, {}, {}, TestTime() + absl::Hours(1));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)[0].change, DraftChange::kUnchanged);
  DebOptions options;
  options.eula_text = "Be kind.";
  const auto revised = AddDebFiles(workspace, {deb}, options, {}, TestTime());
  ASSERT_TRUE(revised.ok());
  EXPECT_EQ((*revised)[0].change, DraftChange::kRevised);
  EXPECT_EQ((*revised)[0].revision, 2);
}

TEST(DebTest, RulesFollowTheHandler) {
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  DebOptions archive;
  archive.installer = DebInstaller::kArchive;
  const auto items =
      AddDebFiles(workspace, {folder.MakeDeb("a1", "1.0", "amd64")}, archive,
                  {}, TestTime());
  const auto debs = AddDebFiles(
      workspace, {folder.MakeDeb("b1", "1.0", "amd64")}, {}, {}, TestTime());
  ASSERT_TRUE(items.ok() && debs.ok());
  const auto draft = workspace.LoadDraft();
  ASSERT_TRUE(draft.ok());
  const auto as_archive = draft->Find((*items)[0].update_id)->Parse();
  EXPECT_EQ(as_archive.handler().archive().product(), "a1");
  EXPECT_TRUE(as_archive.is_installed().has_installed_update());
  const auto as_deb = draft->Find((*debs)[0].update_id)->Parse();
  EXPECT_TRUE(as_deb.handler().has_deb());
  EXPECT_EQ(as_deb.is_installed().debian_package().comparison(),
            repository::v1::COMPARISON_GREATER_OR_EQUAL);
  ASSERT_EQ(as_deb.is_installable().all_of().rules_size(), 2);
  EXPECT_EQ(
      as_deb.is_installable().all_of().rules(0).architecture().architectures(0),
      "amd64");
}

TEST(DebTest, StagingStaysUntilItIsGivenAgain) {
  const TestFolder folder;
  Workspace workspace = OpenForTest(folder.MakeRepository());
  const auto deb = folder.MakeDeb("hello", "1.0");
  const auto add = [&](DebOptions options) {
    const auto items =
        AddDebFiles(workspace, {deb}, std::move(options), {}, TestTime());
    EXPECT_TRUE(items.ok()) << items.status();
    return StagingOf(
        workspace.LoadDraft()->Find((*items)[0].update_id)->Parse());
  };
  DebOptions options;
  options.basis_points = 500;
  options.channels = {"beta"};
  const Staging staged = add(options);
  EXPECT_EQ(staged.basis_points, 500);
  EXPECT_EQ(staged.channels, options.channels);
  DebOptions other;
  other.eula_text = "Be kind.";
  EXPECT_EQ(add(other), staged);
  other.basis_points = 10000;
  EXPECT_EQ(add(other).basis_points, 10000);
  EXPECT_EQ(add(other).channels, options.channels);
}

TEST(DebTest, ABadFileChangesNothing) {
  const TestFolder folder;
  const auto dir = folder.MakeRepository();
  const std::string before = ReadFile(dir / "draft.usc", 1000).value();
  Workspace workspace = OpenForTest(dir);
  EXPECT_FALSE(AddDebFiles(workspace,
                           {folder.MakeDeb("hello", "1.0"),
                            folder.Write("bad.deb", "bad")},
                           {}, {}, TestTime())
                   .ok());
  EXPECT_EQ(ReadFile(dir / "draft.usc", 1000).value(), before);
  EXPECT_FALSE(std::filesystem::exists(dir / "waiting"));
}

}  // namespace
}  // namespace usher::publisher
