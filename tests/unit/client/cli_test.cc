// The command line's parts that need no service.

#include <cstdio>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/cli/console.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/resolve.h"
#include "client/cli/text.h"
#include "client/internal/update_data.h"
#include "common/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CleanTest, TakesControlCharactersOut) {
  EXPECT_EQ(Clean("a\x1b[31mred\x1b]0;title\x07"), "a[31mred]0;title");
  EXPECT_EQ(Clean("one\ntwo\tthree\r"), "one two three");
  EXPECT_EQ(Clean("one\ntwo", LineBreaks::kKeep), "one\ntwo");
  EXPECT_EQ(Clean("c1\xc2\x9b"
                  "31m"),
            "c131m");  // CSI as one character
  // Right-to-left override and isolate, written as escapes here.
  // NOLINTBEGIN(misc-misleading-bidirectional)
  EXPECT_EQ(Clean("x\xe2\x80\xaey"), "xy");
  EXPECT_EQ(Clean("x\xe2\x81\xa6y"), "xy");
  // NOLINTEND(misc-misleading-bidirectional)
  EXPECT_EQ(Clean("\x7f"), "");
  EXPECT_EQ(Clean("grün 更新"), "grün 更新");
}

TEST(CleanTest, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(Clean("a\xff"
                  "b"),
            "a?b");
  EXPECT_EQ(Clean("\xc0\x9b"), "??");       // overlong control character
  EXPECT_EQ(Clean("\xed\xa0\x80"), "???");  // half of a surrogate pair
  EXPECT_EQ(Clean("\xe2\x82"), "??");       // cut off
}

TEST(TextTest, WidthsAndCuts) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("更新"), 4);
  EXPECT_EQ(Shorten("abcdef", 4), "abc…");
  EXPECT_EQ(Shorten("更新更新", 5), "更新…");
  EXPECT_EQ(Shorten("abc", 3), "abc");
  EXPECT_EQ(Pad("ab", 4), "ab  ");
  EXPECT_EQ(Pad("abcdef", 4), "abc…");
}

TEST(TextTest, Bytes) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1500), "1.5 kB");
  EXPECT_EQ(FormatBytes(23'400'000), "23 MB");
  EXPECT_EQ(FormatBytes(999'900), "1.0 MB");
  EXPECT_EQ(FormatBytes(-5), "0 B");
}

TEST(TextTest, Counts) {
  EXPECT_EQ(Counted(0, "update"), "0 updates");
  EXPECT_EQ(Counted(1, "update"), "1 update");
  EXPECT_EQ(Counted(2, "update"), "2 updates");
}

TEST(TextTest, Durations) {
  EXPECT_EQ(HumanDuration(absl::Seconds(4)), "4 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(HumanDuration(absl::Minutes(125)), "2 h 5 min");
}

TEST(TextTest, Uuid) {
  EXPECT_TRUE(LooksLikeUuid("6B1f2c64-52a4-4d0e-9d2b-0f8f6a6f0d11"));
  EXPECT_FALSE(LooksLikeUuid("6b1f2c64-52a4-4d0e-9d2b-0f8f6a6f0d1"));
  EXPECT_FALSE(LooksLikeUuid("6b1f2c64-52a4-4d0e-9d2b-0f8f6a6f0d1'"));
}

TEST(ProgressTest, ShowsBytesSpeedAndTimeLeft) {
  const ProgressState state{"Downloading hello", 50, 5'000'000, 10'000'000};
  const std::string line = RenderProgress(state, 1'000'000, 120, true);
  EXPECT_THAT(line, HasSubstr("[##########..........]"));
  EXPECT_THAT(line, HasSubstr(" 50 %"));
  EXPECT_THAT(line, HasSubstr("5.0 MB of 10 MB"));
  EXPECT_THAT(line, HasSubstr("1.0 MB/s"));
  EXPECT_THAT(line, HasSubstr("5 s left"));
  EXPECT_LE(DisplayWidth(line), 120);
}

TEST(ProgressTest, FitsNarrowTerminals) {
  const ProgressState state{"Downloading a thing with a long name", 7,
                            5'000'000, 10'000'000};
  for (const int width : {40, 60, 79, 100}) {
    EXPECT_LE(DisplayWidth(RenderProgress(state, 0, width, true)), width);
  }
}

TEST(ProgressTest, NamesAreCleaned) {
  EXPECT_THAT(RenderProgress({"a\x1b[2J", 1}, 0, 80, true),
              Not(HasSubstr("\x1b")));
}

TEST(ExitCodeTest, OfErrors) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), kExitOk);
  EXPECT_EQ(ExitCodeOf(Error(hr::kEAccessdenied, "m")), kExitAccessDenied);
  EXPECT_EQ(ExitCodeOf(Error(hr::kWuENoService, "m")), kExitNoService);
  EXPECT_EQ(ExitCodeOf(Error(hr::kWuEDsNodataNosuchupdate, "m")),
            kExitNothingFound);
  EXPECT_EQ(ExitCodeOf(Error(hr::kWuEInvalidCriteria, "m")), kExitFailed);
  EXPECT_EQ(ExitCodeOf(Error(hr::kWuEDuplicateItem, "m")), kExitFailed);
}

TEST(ExitCodeTest, OfOutcomes) {
  using enum OperationResultCode;
  EXPECT_EQ(ExitCodeOf(kSucceeded, false), kExitOk);
  EXPECT_EQ(ExitCodeOf(kSucceeded, true), kExitRestartRequired);
  EXPECT_EQ(ExitCodeOf(kSucceededWithErrors, true), kExitPartlyFailed);
  EXPECT_EQ(ExitCodeOf(kFailed, false), kExitFailed);
  EXPECT_EQ(ExitCodeOf(kAborted, false), kExitInterrupted);
}

TEST(FailureTest, JsonHasWhatAProgramNeeds) {
  const nlohmann::json error = nlohmann::json::parse(
      ErrorJson(Error(hr::kEAccessdenied, "no \xff", "thing")));
  EXPECT_EQ(error["hresult"], "0x80070005");
  EXPECT_EQ(error["symbol"], "E_ACCESSDENIED");
  EXPECT_EQ(error["subject"], "thing");
  EXPECT_FALSE(error["advice"].get<std::string>().empty());
}

// What a console writes to stdout with --json.
class JsonConsoleTest : public ::testing::Test {
 protected:
  JsonConsoleTest() { ::testing::internal::CaptureStdout(); }

  nlohmann::json Answer() {
    std::fflush(stdout);
    return nlohmann::json::parse(::testing::internal::GetCapturedStdout());
  }

  Console console_{ConsoleSettings{.json = true}};
};

TEST_F(JsonConsoleTest, AnswerIsOneObject) {
  console_.EndJson("\"a\": 1");
  EXPECT_EQ(Answer(), (nlohmann::json{{"a", 1}}));
}

TEST_F(JsonConsoleTest, ElementsComeBeforeTheirEnd) {
  console_.JsonElement("1");
  console_.JsonElement("{}");
  console_.EndJson("\"a\": 1");
  const nlohmann::json answer = Answer();
  EXPECT_EQ(answer["updates"].size(), 2u);
  EXPECT_EQ(answer["a"], 1);
}

TEST_F(JsonConsoleTest, NothingFollowsTheEnd) {
  console_.JsonElement("1");
  console_.EndJson(ErrorMembers(Error(hr::kWuECallCancelled, "interrupted"),
                                {{"old", hr::kWuETimeOut}}, kExitInterrupted));
  console_.JsonElement("2");
  console_.EndJson("\"late\": true");
  const nlohmann::json answer = Answer();
  EXPECT_EQ(answer["updates"].size(), 1u);
  EXPECT_EQ(answer["error"]["symbol"], "WU_E_CALL_CANCELLED");
  EXPECT_EQ(answer["warnings"][0]["message"], "old");
  EXPECT_EQ(answer["exit_code"], 130);
  EXPECT_FALSE(answer.contains("late"));
}

TEST(FailureTest, ExceptionsBecomeErrors) {
  const absl::Status memory = Unexpected(std::bad_alloc());
  EXPECT_EQ(HResultOf(memory), hr::kEOutofmemory);
  EXPECT_EQ(ExitCodeOf(memory), kExitFailed);
  const absl::Status other = Unexpected(std::runtime_error("why"));
  EXPECT_EQ(HResultOf(other), hr::kWuEUnexpected);
  EXPECT_THAT(std::string(other.message()), HasSubstr("why"));
}

Update MakeUpdate(const std::string& id, int revision, const std::string& name,
                  const std::string& title,
                  const std::vector<std::string>& superseded = {}) {
  v1::Update proto;
  proto.mutable_identity()->set_service_id("s");
  proto.mutable_identity()->set_update_id(id);
  proto.mutable_identity()->set_revision_number(revision);
  proto.set_name(name);
  proto.set_title(title);
  for (const std::string& other : superseded) {
    proto.add_superseded_update_ids(other);
  }
  return Update(std::make_shared<internal::UpdateData>(
      nullptr, proto, std::make_shared<internal::CategoryForest>()));
}

TEST(ChooseUpdateTest, ExactNameComesFirst) {
  const std::vector<Update> found = {MakeUpdate("1", 1, "hello-doc", "hello"),
                                     MakeUpdate("2", 1, "Hello", "Another"),
                                     MakeUpdate("3", 1, "hello", "Greets"),
                                     MakeUpdate("3", 2, "hello", "Greets")};
  const absl::StatusOr<Update> update = ChooseUpdate("hello", found);
  ASSERT_TRUE(update.ok()) << update.status();
  EXPECT_EQ(update->Identity().update_id, "3");
  EXPECT_EQ(update->Identity().revision_number, 2);
  EXPECT_EQ(ChooseUpdate("greets", found)->Identity().update_id, "3");
}

TEST(ChooseUpdateTest, OfVersionsTheNewest) {
  const std::vector<Update> found = {
      MakeUpdate("1", 1, "hello", "1.0"),
      MakeUpdate("3", 1, "hello", "3.0", {"1", "2"}),
      MakeUpdate("2", 1, "hello", "2.0", {"1"})};
  EXPECT_EQ(ChooseUpdate("hello", found)->Identity().update_id, "3");
  EXPECT_EQ(ChooseUpdate("1.0", found)->Identity().update_id, "1");
}

TEST(ChooseUpdateTest, AmbiguityListsTheCandidates) {
  const absl::Status status =
      ChooseUpdate("hello", {MakeUpdate("1", 1, "hello", "One"),
                             MakeUpdate("2", 1, "hello", "T\x1bwo")})
          .status();
  EXPECT_EQ(HResultOf(status), hr::kWuEDuplicateItem);
  EXPECT_THAT(std::string(status.message()), HasSubstr("hello (1) One"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("hello (2) Two"));
  const nlohmann::json error = nlohmann::json::parse(ErrorJson(status));
  EXPECT_EQ(error["candidates"].size(), 2u);
}

TEST(ChooseUpdateTest, NothingExactNamesWhatIsSimilar) {
  const absl::Status status =
      ChooseUpdate("hell", {MakeUpdate("1", 1, "hello", "One")}).status();
  EXPECT_EQ(ExitCodeOf(status), kExitNothingFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("hello (1) One"));
  EXPECT_EQ(ExitCodeOf(ChooseUpdate("x", {}).status()), kExitNothingFound);
}

}  // namespace
}  // namespace usher::cli
