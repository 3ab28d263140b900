#include "common/tuf/delegation.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/error.h"
#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace usher::tuf {
namespace {

using ::testing::HasSubstr;

DelegatedRole To(const std::string& name,
                 std::vector<std::string> paths = {"*"},
                 bool terminating = false) {
  DelegatedRole delegated;
  delegated.name = name;
  delegated.paths = std::move(paths);
  delegated.terminating = terminating;
  return delegated;
}

Targets Delegating(std::vector<DelegatedRole> roles) {
  Targets targets;
  targets.delegations.emplace();
  targets.delegations->roles = std::move(roles);
  return targets;
}

// The name of the next role, "" at the end.
std::string NextOf(TargetSearch& search) {
  const auto step = search.Next();
  if (!step.ok()) return std::string(step.status().message());
  return step->has_value()
             ? absl::StrCat((*step)->delegator, ">", (*step)->role)
             : "";
}

TEST(DelegationTest, ByPathOrByHash) {
  EXPECT_TRUE(IsDelegatedTo(To("a", {"x", "b/*"}), "b/file"));
  EXPECT_FALSE(IsDelegatedTo(To("a", {"x", "b/*"}), "c/file"));
  EXPECT_FALSE(IsDelegatedTo(To("a", {}), "file"));
  DelegatedRole hashed = To("a");
  hashed.paths.reset();
  EXPECT_FALSE(IsDelegatedTo(hashed, "file"));
  const std::string hash = ToHex(Sha256Of("file"));
  hashed.path_hash_prefixes = {hash.substr(0, 5)};
  EXPECT_TRUE(IsDelegatedTo(hashed, "file"));
  EXPECT_FALSE(IsDelegatedTo(hashed, "another"));
}

TEST(DelegationTest, BinsAreNamedByTheFirstBitsOfTheHash) {
  SuccinctRoles bins;
  bins.name_prefix = "bin";
  bins.bit_length = 32;
  const std::string hash = ToHex(Sha256Of("file"));
  EXPECT_EQ(BinFor(bins, "file"), absl::StrCat("bin-", hash.substr(0, 8)));
  bins.bit_length = 8;
  EXPECT_EQ(BinFor(bins, "file"), absl::StrCat("bin-", hash.substr(0, 2)));
  bins.bit_length = 5;
  EXPECT_EQ(BinFor(bins, "file").size(), 6U);
  EXPECT_EQ(BinName(bins, 31), "bin-1f");

  Delegations delegations;
  delegations.succinct_roles = bins;
  const Role* const role = &delegations.succinct_roles->role;
  EXPECT_EQ(FindRole(delegations, "bin-00"), role);
  EXPECT_EQ(FindRole(delegations, "bin-1f"), role);
  for (const char* name : {"bin-20", "bin-0", "bin-000", "bin-1F", "bin-",
                           "bin", "bin--1", "other-00", "bin-0x"}) {
    EXPECT_EQ(FindRole(delegations, name), nullptr) << name;
  }
}

TEST(TargetSearchTest, GoesDeepFirstAndVisitsOnce) {
  TargetSearch search("file", {});
  EXPECT_EQ(NextOf(search), ">targets");
  EXPECT_EQ(search.Visit(Delegating({To("a"), To("b")})), nullptr);
  EXPECT_EQ(NextOf(search), "targets>a");
  EXPECT_EQ(search.Visit(Delegating({To("c"), To("targets"), To("a")})),
            nullptr);
  EXPECT_EQ(NextOf(search), "a>c");
  EXPECT_EQ(search.Visit(Delegating({To("b", {"other"})})), nullptr);
  EXPECT_EQ(NextOf(search), "targets>b");
  EXPECT_EQ(search.Visit(Delegating({To("c")})), nullptr);
  EXPECT_EQ(NextOf(search), "");
}

TEST(TargetSearchTest, NobodyComesAfterATerminatingRole) {
  TargetSearch search("file", {});
  EXPECT_EQ(NextOf(search), ">targets");
  search.Visit(Delegating({To("a"), To("b")}));
  EXPECT_EQ(NextOf(search), "targets>a");
  search.Visit(
      Delegating({To("c", {"other"}, true), To("d", {"*"}, true), To("e")}));
  EXPECT_EQ(NextOf(search), "a>d");
  search.Visit(Targets());
  EXPECT_EQ(NextOf(search), "");
}

TEST(TargetSearchTest, EndsWhereTheTargetIs) {
  TargetSearch search("file", {});
  EXPECT_EQ(NextOf(search), ">targets");
  Targets targets = Delegating({To("a")});
  targets.targets["file"].length = 7;
  const TargetInfo* const found = search.Visit(targets);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->length, 7);
  EXPECT_EQ(NextOf(search), "");
}

TEST(TargetSearchTest, HasLimits) {
  TargetSearch wide("file", {.max_roles = 3, .max_depth = 10});
  EXPECT_EQ(NextOf(wide), ">targets");
  std::vector<DelegatedRole> many;
  many.reserve(100);
  for (int i = 0; i < 100; ++i) many.push_back(To(absl::StrCat("r", i)));
  wide.Visit(Delegating(std::move(many)));
  EXPECT_EQ(NextOf(wide), "targets>r0");
  EXPECT_EQ(NextOf(wide), "targets>r1");
  EXPECT_THAT(NextOf(wide), HasSubstr("more than 3 roles"));

  TargetSearch deep("file", {.max_roles = 100, .max_depth = 1});
  EXPECT_EQ(NextOf(deep), ">targets");
  deep.Visit(Delegating({To("a")}));
  EXPECT_EQ(NextOf(deep), "targets>a");
  deep.Visit(Delegating({To("b")}));
  EXPECT_THAT(NextOf(deep), HasSubstr("1 levels deep"));
}

}  // namespace
}  // namespace usher::tuf
