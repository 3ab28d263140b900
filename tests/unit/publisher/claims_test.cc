#include "publisher/claims.h"

#include "common/error.h"
#include "gtest/gtest.h"
#include "usher/v1/update.pb.h"

namespace usher::publisher {
namespace {

TEST(ClaimsTest, ACategoryIsDefinedInOneWay) {
  usher::v1::Category category;
  category.set_category_id("0fa1201d-4330-4fa8-8ae9-b877473b6441");
  category.set_name("Security Updates");
  usher::v1::Category other = category;
  other.set_name("Evil Updates");
  Claims claims;
  EXPECT_TRUE(claims.AddCategory(category).ok());
  EXPECT_TRUE(claims.AddCategory(category).ok()) << "the same again";
  EXPECT_EQ(HResultOf(claims.AddCategory(other)), hr::kWuEInvalidUpdate);
  EXPECT_TRUE(claims.AddCategory(category).ok()) << "the first still counts";
}

}  // namespace
}  // namespace usher::publisher
