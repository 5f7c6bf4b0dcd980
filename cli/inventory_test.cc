// What counts as being there.
#include "cli/inventory.h"

#include "gtest/gtest.h"

namespace dateline::cli {
namespace {

TEST(InventoryTest, AnArticleIsThereByItsIdAndByEachOfItsAddresses) {
  Inventory inventory;
  extraction::Article article;
  article.id = "a1";
  article.url = "https://x.example/1/?utm_source=feed";
  article.alternate_urls = {"http://x.example/one"};
  inventory.Add(article);
  EXPECT_TRUE(inventory.HasId("a1"));
  EXPECT_FALSE(inventory.HasId("a2"));
  EXPECT_TRUE(inventory.HasUrl("http://X.example/1#top"));
  EXPECT_TRUE(inventory.HasUrl("https://x.example/one"));
  EXPECT_FALSE(inventory.HasUrl("https://x.example/2"));
  EXPECT_FALSE(inventory.HasUrl(""));
  EXPECT_FALSE(inventory.HasId(""));
  EXPECT_EQ(inventory.nameless(), 0);
  inventory.Add({});
  EXPECT_EQ(inventory.nameless(), 1);
}

TEST(InventoryTest, KnowsWhatWasTaken) {
  Inventory inventory;
  inventory.AddId("a");
  inventory.AddTaken("b");
  inventory.AddTaken("b");
  EXPECT_FALSE(inventory.WasTaken("a"));
  EXPECT_TRUE(inventory.WasTaken("b"));
  EXPECT_TRUE(inventory.HasId("b"));
  EXPECT_EQ(inventory.taken(), 1);
}

TEST(InventoryTest, APageThatIsGoneIsGoneUnlessTheArticleWasReadElsewhere) {
  Inventory inventory;
  inventory.AddGone("https://x.example/1");
  EXPECT_TRUE(inventory.IsGone("https://x.example/1/"));
  EXPECT_FALSE(inventory.HasUrl("https://x.example/1"));
  inventory.AddUrl("https://x.example/1");
  EXPECT_FALSE(inventory.IsGone("https://x.example/1"));
}

TEST(InventoryTest, OneSourceThatIsNoListOfASiteIsEnoughToSaySo) {
  Inventory inventory;
  EXPECT_FALSE(inventory.all_lists_of_site());
  inventory.AddSource(/*is_list_of_site=*/true);
  EXPECT_TRUE(inventory.all_lists_of_site());
  inventory.AddSource(/*is_list_of_site=*/false);
  EXPECT_FALSE(inventory.all_lists_of_site());
}

}  // namespace
}  // namespace dateline::cli
