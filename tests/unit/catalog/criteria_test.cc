#include "service/catalog/criteria.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "gtest/gtest.h"

namespace usher::catalog {
namespace {

struct Case {
  std::string criteria;
  // Groups and criteria in each, like "2,1"; empty: WU_E_INVALID_CRITERIA.
  std::string shape;
};

std::string Shape(const Criteria& criteria) {
  std::string shape;
  for (const AndGroup& group : criteria) {
    absl::StrAppend(&shape, shape.empty() ? "" : ",", group.size());
  }
  return shape;
}

class CriteriaTest : public ::testing::TestWithParam<Case> {};

TEST_P(CriteriaTest, Parses) {
  const auto criteria = ParseCriteria(GetParam().criteria);
  if (GetParam().shape.empty()) {
    ASSERT_FALSE(criteria.ok());
    EXPECT_EQ(HResultOf(criteria.status()), hr::kWuEInvalidCriteria);
    EXPECT_TRUE(absl::StrContains(criteria.status().message(), "at position"))
        << criteria.status();
  } else {
    ASSERT_TRUE(criteria.ok()) << criteria.status();
    EXPECT_EQ(Shape(*criteria), GetParam().shape);
  }
}

constexpr char kId[] = "12345678-9abc-def0-1234-56789abcdef0";

std::string WithId(const std::string& before, const std::string& after = "") {
  return absl::StrCat(before, "'", kId, "'", after);
}

INSTANTIATE_TEST_SUITE_P(
    Section3, CriteriaTest,
    ::testing::Values(
        Case{"", "2"},  // UAMG-035, 036
        Case{"IsInstalled=0", "1"},
        Case{"isinstalled = 0 AND type = 'software'", "2"},  // UAMG-037
        Case{"IsInstalled=0 and Type='Software'", "2"},      // UAMG-038
        Case{"IsInstalled  =\t0", "1"}, Case{"CategoryIDs contains'x'", "1"},
        Case{"CategoryIDscontains'x'", "1"},
        Case{"IsInstalled=0and IsHidden=0", ""},  // UAMG-039
        Case{"IsInstalled=0 andIsHidden=0", ""},
        Case{"Type='Driver'and IsHidden=0", ""},
        Case{"(IsInstalled=0)and(IsHidden=0)", ""},
        Case{"(IsInstalled=0) and (IsHidden=0)", "2"},
        Case{"IsInstalled=0\r\nand\nIsHidden=0\n", "2"},  // UAMG-040
        Case{"  IsInstalled=0  ", "1"},
        Case{"IsHidden=1 or IsInstalled=0 and Type='Driver'", "1,2"},  // 041
        Case{"(IsInstalled=0 and Type='Driver') or (IsHidden=1)",
             "2,1"},  // 042
        Case{"(IsInstalled=0 and Type='Software') or (IsInstalled=0 and "
             "Type='Driver')",
             "2,2"},
        Case{"IsInstalled=0 and (Type='Software' or Type='Driver')",
             ""},                                      // UAMG-043
        Case{"(IsInstalled=0 or IsInstalled=1)", ""},  // UAMG-044
        Case{"((IsInstalled=0))", "1"},                // UAMG-045
        Case{"( ( ( IsInstalled=0 ) and Type='Driver' ) )", "2"},
        Case{"(IsInstalled=0", ""},  // UAMG-046
        Case{"IsInstalled=0)", ""}, Case{"((IsInstalled=0) or IsHidden=0", ""},
        Case{")IsInstalled=0(", ""}, Case{"()", ""},
        Case{"Title='x'", ""},  // UAMG-047
        Case{"IsInstalled", ""}, Case{"IsInstalledX=0", ""},
        Case{"0=IsInstalled", ""}, Case{"IsInstalled=0 and", ""},  // UAMG-048
        Case{"IsInstalled=0 or", ""}, Case{"IsInstalled=0 or ", ""},
        Case{"and IsInstalled=0", ""},
        Case{"IsInstalled=0 and and Type='Driver'", ""},
        Case{"IsInstalled=0 IsHidden=0", ""}, Case{"not IsInstalled=0", ""},
        Case{"IsInstalled=0;", ""}, Case{" ", ""},
        Case{"Type='Driver", ""},         // UAMG-049
        Case{"Type=\"Driver\"", ""},      // UAMG-050
        Case{"Type!='Driver'", "1"},      // UAMG-051
        Case{WithId("UpdateID!="), "1"},  // UAMG-052
        Case{"IsInstalled!=1", ""},       // UAMG-053
        Case{"IsInstalled!=0", ""},
        Case{"DeploymentAction!='Installation'", ""},  // UAMG-054
        Case{WithId("CategoryIDs="), ""},              // UAMG-055
        Case{WithId("CategoryIDs contains "), "1"},
        Case{"Type contains 'Driver'", ""},                       // UAMG-056
        Case{"IsInstalled=2", ""},                                // UAMG-057
        Case{"IsInstalled=-1", ""}, Case{"IsInstalled='1'", ""},  // UAMG-058
        Case{"Type=1", ""}, Case{"UpdateID=1", ""},
        Case{"IsInstalled=0x1", ""},  // UAMG-059
        Case{"IsInstalled=1.0", ""}, Case{"IsInstalled=+1", ""},
        Case{"IsInstalled=", ""},
        Case{"RevisionNumber=99999999999999999999", ""},
        Case{"RevisionNumber=1", ""},  // UAMG-060
        Case{WithId("RevisionNumber=1 and IsHidden=0 or UpdateID="), ""},
        Case{WithId("UpdateID!=", " and RevisionNumber=1"), ""},    // UAMG-061
        Case{WithId("UpdateID=", " and RevisionNumber=100"), "2"},  // UAMG-062
        Case{WithId("RevisionNumber=1 and (UpdateID=", ")"), "2"},
        Case{WithId("UpdateID=", " and UpdateID!='x' and RevisionNumber=1"),
             ""},
        Case{"DeploymentAction='Uninstallation' and IsPresent=1",
             "2"},                                             // UAMG-066
        Case{"DeploymentAction='OptionalInstallation'", "1"},  // UAMG-067
        Case{"DeploymentAction=*", ""}, Case{"DeploymentAction='Other'", ""},
        Case{"Type='Other'", ""},
        Case{"BrowseOnly=1 and AutoSelectOnWebSites=0 and IsAssigned=1 and "
             "RebootRequired=0 and IsHidden=1",
             "5"},
        // What the Automatic Updates client asks (UAMG-078).
        Case{"IsInstalled=0 and DeploymentAction='Installation' or IsPresent=1 "
             "and DeploymentAction='Uninstallation' or IsInstalled=1 and "
             "DeploymentAction='Installation' and RebootRequired=1 or "
             "IsInstalled=0 and DeploymentAction='Uninstallation' and "
             "RebootRequired=1",
             "2,2,3,3"},
        Case{"UpdateID='a[']b[[]c[]]d'", "1"},  // UAMG-083, 086
        Case{"UpdateID='a[b'", ""}, Case{"UpdateID='a]b'", ""},
        Case{"UpdateID='ab['", ""}));

TEST(CriteriaValueTest, UnescapesAndFoldsCase) {
  const auto criteria = ParseCriteria("updateid = 'A[']b[[]c[]]D'");
  ASSERT_TRUE(criteria.ok()) << criteria.status();
  EXPECT_EQ(criteria->front().front().text, "a'b[c]d");
  EXPECT_EQ(criteria->front().front().property, Property::kUpdateId);
}

TEST(CriteriaValueTest, DefaultIsTheDocumentedOne) {  // UAMG-035
  const auto criteria = ParseCriteria("");
  ASSERT_TRUE(criteria.ok());
  ASSERT_EQ(criteria->front().size(), 2u);
  EXPECT_EQ(criteria->front()[0].property, Property::kIsInstalled);
  EXPECT_EQ(criteria->front()[0].number, 0);
  EXPECT_EQ(criteria->front()[1].property, Property::kIsHidden);
}

TEST(CriteriaValueTest, PositionsAreNamed) {
  const auto criteria = ParseCriteria("IsInstalled=0 and Foo=1");
  EXPECT_EQ(criteria.status().message(),
            "invalid criteria at position 19: unknown criterion Foo");
  EXPECT_EQ(SubjectOf(criteria.status()), "criteria");
}

TEST(CriteriaValueTest, Limits) {
  std::string many = "IsHidden=0";
  for (int i = 1; i < kMaxCriteria; ++i) many += " and IsHidden=0";
  EXPECT_TRUE(ParseCriteria(many).ok());
  EXPECT_EQ(HResultOf(ParseCriteria(many + " and IsHidden=0").status()),
            hr::kWuEInvalidCriteria);
  EXPECT_EQ(
      HResultOf(
          ParseCriteria(std::string(kMaxCriteriaBytes + 1, '(')).status()),
      hr::kWuEInvalidCriteria);
  EXPECT_FALSE(ParseCriteria(std::string(kMaxCriteriaBytes, '(')).ok());
  EXPECT_FALSE(ParseCriteria(absl::string_view("UpdateID='a\0b'", 14)).ok());
}

}  // namespace
}  // namespace usher::catalog
