#include "usher/collection.h"

#include <string>

#include "client/internal/update_data.h"
#include "common/error.h"
#include "gtest/gtest.h"
#include "usher/update.h"
#include "usher/update_searcher.h"

namespace usher {
namespace {

StringCollection Letters(bool read_only = false) {
  return StringCollection({"a", "b"}, read_only);
}

Update MakeUpdate(const std::string& title) {
  v1::Update proto;
  proto.set_title(title);
  return Update(std::make_shared<internal::UpdateData>(
      nullptr, proto, std::make_shared<internal::CategoryForest>()));
}

TEST(CollectionTest, Uamg139ItemOutsideFails) {
  const StringCollection letters = Letters();
  EXPECT_EQ(*letters.Item(1), "b");
  EXPECT_EQ(HResultOf(letters.Item(-1).status()), hr::kWuEInvalidindex);
  EXPECT_EQ(HResultOf(letters.Item(2).status()), hr::kWuEInvalidindex);
  EXPECT_FALSE(UpdateCollection().Item(0).ok());
}

TEST(CollectionTest, Uamg140SetItem) {
  StringCollection letters = Letters();
  EXPECT_TRUE(letters.SetItem(0, "x").ok());
  EXPECT_EQ(*letters.Item(0), "x");
  EXPECT_EQ(HResultOf(letters.SetItem(2, "y")), hr::kWuEInvalidindex);
  EXPECT_EQ(HResultOf(letters.SetItem(-1, "y")), hr::kWuEInvalidindex);
}

TEST(CollectionTest, Uamg141And149ReadOnlyRefusesChanges) {
  StringCollection letters = Letters(/*read_only=*/true);
  EXPECT_TRUE(letters.ReadOnly());
  EXPECT_EQ(HResultOf(letters.SetItem(0, "x")), hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(letters.Add("x").status()), hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(letters.Insert(0, "x")), hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(letters.RemoveAt(0)), hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(letters.Clear()), hr::kWuENotSupported);
  EXPECT_EQ(letters.Count(), 2);

  UpdateCollection updates({MakeUpdate("a")}, /*read_only=*/true);
  EXPECT_EQ(HResultOf(updates.Add(MakeUpdate("b")).status()),
            hr::kWuENotSupported);
  EXPECT_EQ(HResultOf(updates.RemoveAt(0)), hr::kWuENotSupported);
}

TEST(CollectionTest, Uamg142AddReturnsTheIndex) {
  StringCollection letters = Letters();
  EXPECT_EQ(*letters.Add("c"), 2);
  EXPECT_EQ(*letters.Item(2), "c");
}

TEST(CollectionTest, Uamg143And144Insert) {
  StringCollection letters = Letters();
  EXPECT_TRUE(letters.Insert(2, "c").ok());
  EXPECT_EQ(*letters.Item(2), "c");
  EXPECT_TRUE(letters.Insert(0, "z").ok());
  EXPECT_EQ(*letters.Item(0), "z");
  EXPECT_EQ(HResultOf(letters.Insert(5, "x")), hr::kWuEInvalidindex);
  EXPECT_EQ(HResultOf(letters.Insert(-1, "x")), hr::kWuEInvalidindex);
}

TEST(CollectionTest, Uamg145RemoveAt) {
  StringCollection letters = Letters();
  EXPECT_EQ(HResultOf(letters.RemoveAt(2)), hr::kWuEInvalidindex);
  EXPECT_TRUE(letters.RemoveAt(0).ok());
  EXPECT_EQ(letters.Count(), 1);
  EXPECT_EQ(*letters.Item(0), "b");
}

TEST(CollectionTest, Uamg146CopyIsWritableAndIndependent) {
  const StringCollection letters = Letters(/*read_only=*/true);
  StringCollection copy = letters.Copy();
  EXPECT_FALSE(copy.ReadOnly());
  EXPECT_EQ(*copy.Item(0), "a");
  EXPECT_EQ(*copy.Item(1), "b");
  EXPECT_TRUE(copy.Clear().ok());
  EXPECT_EQ(letters.Count(), 2);
}

TEST(CollectionTest, Uamg147NewIsEmptyAndWritable) {
  StringCollection letters;
  EXPECT_EQ(letters.Count(), 0);
  EXPECT_FALSE(letters.ReadOnly());
  UpdateCollection updates;
  EXPECT_EQ(updates.Count(), 0);
  EXPECT_FALSE(updates.ReadOnly());
}

TEST(CollectionTest, Uamg148AddingNothingIsAPointerError) {
  UpdateCollection updates;
  EXPECT_EQ(HResultOf(updates.Add(Update()).status()), hr::kEPointer);
  EXPECT_EQ(HResultOf(updates.Insert(0, Update())), hr::kEPointer);
  EXPECT_EQ(updates.Count(), 0);
}

TEST(CollectionTest, Uamg150CopyHoldsTheSameUpdates) {
  const UpdateCollection updates({MakeUpdate("a")}, /*read_only=*/true);
  UpdateCollection copy = updates.Copy();
  EXPECT_EQ(copy.Item(0)->internal_data(), updates.Item(0)->internal_data());
  EXPECT_TRUE(copy.Add(MakeUpdate("b")).ok());
  EXPECT_EQ(updates.Count(), 1);
}

TEST(CollectionTest, Uamg152InsertAtTheEndAppends) {
  UpdateCollection updates({MakeUpdate("a")});
  EXPECT_TRUE(updates.Insert(1, MakeUpdate("b")).ok());
  EXPECT_EQ(updates.Item(1)->Title(), "b");
}

TEST(UpdateTest, EmptyHandleAnswersEmptyValues) {
  const Update update;
  EXPECT_FALSE(update);
  EXPECT_EQ(update.Title(), "");
  EXPECT_EQ(update.Categories().Count(), 0);
  EXPECT_EQ(HResultOf(update.IsDownloaded().status()), hr::kEPointer);
  EXPECT_EQ(HResultOf(update.AcceptEula()), hr::kEPointer);
}

TEST(EscapeStringTest, Uamg083BracketsWhatHasMeaning) {
  EXPECT_EQ(UpdateSearcher::EscapeString("a'b[c]d"), "a[']b[[]c[]]d");
}

TEST(EscapeStringTest, Uamg084LeavesTheRest) {
  EXPECT_EQ(UpdateSearcher::EscapeString("plain text"), "plain text");
  EXPECT_EQ(UpdateSearcher::EscapeString(""), "");
}

TEST(CategoryForestTest, CutsLoopsAndOrphans) {
  internal::CategoryForest forest;
  google::protobuf::RepeatedPtrField<v1::Category> categories;
  const auto add = [&](const std::string& id, const std::string& parent) {
    v1::Category* category = categories.Add();
    category->set_category_id(id);
    category->set_parent_category_id(parent);
  };
  add("loop1", "loop2");
  add("loop2", "loop1");
  add("orphan", "missing");
  add("child", "orphan");
  forest.Fill(categories);
  EXPECT_EQ(forest.Roots().size(), 2u);
  for (const size_t root : forest.Roots()) {
    EXPECT_EQ(forest.ParentOf(root), -1);
  }
  EXPECT_EQ(forest.ParentOf(3), 2);
}

}  // namespace
}  // namespace usher
