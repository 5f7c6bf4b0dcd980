#include "cli/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace dateline::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr char kGoodLine[] =
    R"({"id":"a1","title":"Ministers meet in Muscat","body":"The ministers met in Muscat and spoke of the strait."})";

std::vector<InputItem> ReadAll(InputReader& reader) {
  std::vector<InputItem> items;
  while (auto item = reader.Next()) items.push_back(*std::move(item));
  return items;
}

std::vector<std::string> Sources(const std::vector<InputItem>& items) {
  std::vector<std::string> sources;
  for (const InputItem& item : items) sources.push_back(item.source);
  return sources;
}

TEST(InputReaderTest, ReadsFoldersInOrderAndPassesOverWhatHoldsNoArticles) {
  const dateline::testing::TempDir dir;
  dir.Write("z.jsonl", std::string(kGoodLine) + "\n");
  dir.Write("b/y.JSONL", std::string(kGoodLine) + "\n");
  dir.Write("a.jsonl", std::string(kGoodLine) + "\n");
  dir.Write(".hidden.jsonl", std::string(kGoodLine) + "\n");
  dir.Write(".git/x.jsonl", std::string(kGoodLine) + "\n");
  dir.Write("picture.png", "\x89PNG");
  dir.Write("script.js", "alert(1)");
  InputReader reader({dir.path()}, {});
  EXPECT_THAT(Sources(ReadAll(reader)),
              ElementsAre(EndsWith("/a.jsonl"), EndsWith("/b/y.JSONL"), EndsWith("/z.jsonl")));
  EXPECT_EQ(reader.skipped_files(), 2);
  EXPECT_EQ(reader.total_bytes(), 3 * static_cast<int64_t>(sizeof(kGoodLine)));
  EXPECT_EQ(reader.bytes_read(), reader.total_bytes());
}

TEST(InputReaderTest, AMissingFileIsOneErrorAndTheRestIsRead) {
  const dateline::testing::TempDir dir;
  dir.Write("a.jsonl", kGoodLine);
  InputReader reader({dir.path() + "/missing.html", dir.path() + "/a.jsonl"}, {});
  const std::vector<InputItem> items = ReadAll(reader);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_TRUE(absl::IsNotFound(items[0].extraction.status()));
  EXPECT_THAT(items[0].position, IsEmpty());
  ASSERT_TRUE(items[1].extraction.ok()) << items[1].extraction.status();
  EXPECT_EQ(items[1].id, "a1");
}

TEST(InputReaderTest, ALinkThatLeadsRoundInACircleEnds) {
  const dateline::testing::TempDir dir;
  dir.Write("a.jsonl", kGoodLine);
  ASSERT_EQ(symlink(dir.path().c_str(), (dir.path() + "/loop").c_str()), 0);
  InputReader reader({dir.path()}, {});
  EXPECT_EQ(ReadAll(reader).size(), 1U);
}

TEST(InputReaderTest, WithEveryLineEachLineHasItsItemAndItsId) {
  const dateline::testing::TempDir dir;
  dir.Write("in.jsonl", std::string(kGoodLine) + "\n\n{\"id\": 17}\nnot json\n[1]\n" + kGoodLine);
  InputReader reader({dir.path() + "/in.jsonl"}, {.every_line = true});
  const std::vector<InputItem> items = ReadAll(reader);
  ASSERT_EQ(items.size(), 6U);
  std::vector<bool> ok;
  std::vector<std::string> positions;
  std::vector<std::string> ids;
  for (const InputItem& item : items) {
    ok.push_back(item.extraction.ok());
    positions.push_back(item.position);
    ids.push_back(item.id);
  }
  EXPECT_THAT(ok, ElementsAre(true, false, false, false, false, true));
  EXPECT_THAT(positions, ElementsAre("line 1", "line 2", "line 3", "line 4", "line 5", "line 6"));
  EXPECT_THAT(ids, ElementsAre("a1", "", "17", "", "", "a1"));
}

TEST(InputReaderTest, WithoutItBlankLinesAreNothing) {
  const dateline::testing::TempDir dir;
  dir.Write("in.jsonl", std::string(kGoodLine) + "\n\n\n" + kGoodLine + "\n\n");
  InputReader reader({dir.path() + "/in.jsonl"}, {});
  EXPECT_EQ(ReadAll(reader).size(), 2U);
}

TEST(InputReaderTest, BytesThatAreNoTextAreAnErrorThatHarmsNoOther) {
  const dateline::testing::TempDir dir;
  dir.Write("a.html", std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  dir.Write("b.txt", "");
  dir.Write("c.jsonl", kGoodLine);
  InputReader reader({dir.path()}, {});
  const std::vector<InputItem> items = ReadAll(reader);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_FALSE(items[0].extraction.ok());
  EXPECT_FALSE(items[1].extraction.ok());
  EXPECT_TRUE(items[2].extraction.ok());
}

TEST(InputReaderTest, AnAddressNobodyServesIsAnError) {
  InputReader reader({"http://127.0.0.1:1/page.html"}, {});
  const std::vector<InputItem> items = ReadAll(reader);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_TRUE(absl::IsUnavailable(items[0].extraction.status())) << items[0].extraction.status();
  EXPECT_FALSE(reader.total_bytes().has_value());
}

}  // namespace
}  // namespace dateline::cli
