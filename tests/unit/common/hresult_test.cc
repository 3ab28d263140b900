#include "common/hresult.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "gtest/gtest.h"

namespace usher {
namespace {

// Every row, found by value: the table itself is private. The codes that Usher
// speaks lie in these ranges.
std::vector<const HResultInfo*> AllRows() {
  struct Range {
    HResult first;
    HResult last;
  };
  constexpr Range kRanges[] = {
      {0x00000000, 0x0000000F}, {0x00240000, 0x0024FFFF},
      {0x80004000, 0x800040FF}, {0x8000FFFF, 0x8000FFFF},
      {0x80020000, 0x800200FF}, {0x80070000, 0x80070FFF},
      {0x800B0000, 0x800B01FF}, {0x80240000, 0x8024FFFF}};
  std::vector<const HResultInfo*> rows;
  for (const Range& range : kRanges) {
    for (HResult hr = range.first;; ++hr) {
      if (const HResultInfo* row = FindHResult(hr)) rows.push_back(row);
      if (hr == range.last) break;
    }
  }
  return rows;
}

TEST(HResultTest, TableIsSortedWithoutGapsForTheSearch) {
  const std::vector<const HResultInfo*> rows = AllRows();
  ASSERT_GT(rows.size(), 300U);
  // Rows lie in one array; found in ascending order of value they must also
  // come one after the other in it, or the binary search would miss some.
  for (size_t i = 1; i < rows.size(); ++i) {
    EXPECT_LT(rows[i - 1]->value, rows[i]->value);
    EXPECT_EQ(rows[i - 1] + 1, rows[i]) << rows[i]->symbol;
  }
}

TEST(HResultTest, SymbolsAreUniqueAndWellFormed) {
  std::set<std::string> symbols;
  for (const HResultInfo* row : AllRows()) {
    EXPECT_TRUE(symbols.insert(std::string(row->symbol)).second) << row->symbol;
    EXPECT_EQ(absl::AsciiStrToUpper(row->symbol), row->symbol);
    EXPECT_FALSE(row->meaning.empty()) << row->symbol;
    EXPECT_NE(row->meaning.back(), '.') << row->symbol;
    EXPECT_EQ(FindHResult(row->symbol), row);
  }
}

TEST(HResultTest, FailuresHaveFailureCodes) {
  for (const HResultInfo* row : AllRows()) {
    EXPECT_EQ(Failed(row->value), row->code != absl::StatusCode::kOk)
        << row->symbol;
  }
}

TEST(HResultTest, KnowsWhatTheApiReferenceNames) {
  EXPECT_EQ(FindHResult("WU_E_NO_UPDATE")->value, 0x80240024U);
  EXPECT_EQ(FindHResult("WU_E_NOT_SUPPORTED")->value, 0x80240037U);
  EXPECT_EQ(FindHResult("WU_E_INVALID_OPERATION")->value, 0x80240036U);
  EXPECT_EQ(FindHResult("E_ACCESSDENIED")->value, 0x80070005U);
  EXPECT_EQ(FindHResult(HResult{0x12345678}), nullptr);
  EXPECT_EQ(FindHResult("WU_E_NO_SUCH_SYMBOL"), nullptr);
}

TEST(HResultTest, Formats) {
  EXPECT_EQ(FormatHResult(hr::kWuENoUpdate), "0x80240024");
  EXPECT_EQ(FormatHResult(hr::kSOk), "0x00000000");
}

TEST(HResultTest, MapsHttpStatus) {
  EXPECT_EQ(HResultFromHttpStatus(404), hr::kWuEPtHttpStatusNotFound);
  EXPECT_EQ(HResultFromHttpStatus(503), hr::kWuEPtHttpStatusServiceUnavail);
  EXPECT_EQ(HResultFromHttpStatus(418), hr::kWuEPtHttpStatusNotMapped);
}

TEST(HResultTest, EveryStatusCodeHasAnHResultInTheTable) {
  for (int code = 1; code <= 16; ++code) {
    const HResult hr =
        HResultFromStatusCode(static_cast<absl::StatusCode>(code));
    EXPECT_TRUE(Failed(hr)) << code;
    EXPECT_NE(FindHResult(hr), nullptr) << code;
  }
  EXPECT_EQ(HResultFromStatusCode(absl::StatusCode::kOk), hr::kSOk);
}

}  // namespace
}  // namespace usher
