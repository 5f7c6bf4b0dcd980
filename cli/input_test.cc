#include "cli/input.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "cli/inventory.h"
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

TEST(InputReaderTest, WhatTheCheckpointHasAsTakenIsPassedOver) {
  const dateline::testing::TempDir dir;
  const std::string path = dir.Write("in/a.jsonl", absl::StrCat(kGoodLine, "\n\n", kGoodLine, "\n", kGoodLine, "\n"));
  const auto checkpoint = Checkpoint::Load(dir.File("checkpoint"));
  ASSERT_TRUE(checkpoint.ok());
  InputOptions options;
  options.checkpoint = checkpoint->get();
  {
    InputReader reader({path}, options);
    const std::vector<InputItem> items = ReadAll(reader);
    ASSERT_EQ(items.size(), 3U);
    EXPECT_THAT(items[1].position, "line 3");
    EXPECT_EQ(items[1].number, 2);
    for (const int item : {0, 1}) (*checkpoint)->Answered(items[item].file, items[item].number, true);
  }
  InputReader reader({dir.File("in/../in/a.jsonl")}, options);
  const std::vector<InputItem> rest = ReadAll(reader);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_THAT(rest[0].position, "line 4");
  EXPECT_EQ(reader.answered_before(), 2);
  (*checkpoint)->Answered(rest[0].file, rest[0].number, true);
  InputReader none({dir.path() + "/in"}, options);
  EXPECT_THAT(ReadAll(none), IsEmpty());
  EXPECT_EQ(none.unchanged_files(), 1);
  EXPECT_EQ(none.total_bytes(), 0);
}

TEST(InputReaderTest, AFileIsReadOnceAndAgainWhenItHasChangedAndIsWhole) {
  const dateline::testing::TempDir dir;
  const std::string path = dir.Write("a.jsonl", absl::StrCat(kGoodLine, "\n"));
  std::map<std::string, FileStamp> read_before;
  InputOptions options;
  options.read_before = &read_before;
  options.settling = absl::Seconds(2);
  const auto read_at = [&](int64_t modified) {
    const timespec times[2] = {{.tv_sec = modified, .tv_nsec = 0}, {.tv_sec = modified, .tv_nsec = 0}};
    EXPECT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    InputReader reader({dir.path()}, options);
    return ReadAll(reader).size();
  };
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  EXPECT_EQ(read_at(now), 0U) << "it may still be written to";
  EXPECT_EQ(read_at(now - 100), 1U);
  EXPECT_EQ(read_at(now - 100), 0U);
  EXPECT_EQ(read_at(now - 50), 1U);
  EXPECT_EQ(read_at(now + 1000), 1U) << "a clock that is ahead keeps nothing waiting";
}

TEST(InputReaderTest, TheInventoryKnowsAllThatIsNamed) {
  const dateline::testing::TempDir dir;
  dir.Write("a.jsonl", absl::StrCat(kGoodLine, "\n{\"id\":\"bad\",\"title\":7}\n{\n"));
  dir.Write("feed.xml",
            "<rss version=\"2.0\"><channel><item><title>One</title><guid>g1</guid><link>https://x.example/1</link>"
            "<description>Short.</description></item></channel></rss>");
  Inventory inventory;
  InputOptions options;
  options.inventory = &inventory;
  InputReader reader({dir.path()}, options);
  ReadAll(reader);
  EXPECT_TRUE(inventory.HasId("a1"));
  EXPECT_TRUE(inventory.HasId("bad")) << "it is there, if only to be mended";
  EXPECT_TRUE(inventory.HasUrl("https://x.example/1")) << "named, not fetched";
  EXPECT_EQ(inventory.unreadable(), 1);
  EXPECT_TRUE(inventory.latest_only());
  EXPECT_FALSE(inventory.all_lists_of_site());
}

}  // namespace
}  // namespace dateline::cli
