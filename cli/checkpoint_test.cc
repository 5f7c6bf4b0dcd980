// What a job remembers of its files, whatever order the answers come in and whenever it is killed.
#include "cli/checkpoint.h"

#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace dateline::cli {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::ReadFile;
using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

constexpr FileStamp kStamp = {.bytes = 100, .modified_ns = 7};

std::unique_ptr<Checkpoint> Load(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Checkpoint>> loaded = Checkpoint::Load(path);
  EXPECT_THAT(loaded, IsOk());
  return loaded.ok() ? *std::move(loaded) : nullptr;
}

class CheckpointTest : public ::testing::Test {
 protected:
  const dateline::testing::TempDir folder_;
  const std::string path_ = folder_.path() + "/job";
};

TEST_F(CheckpointTest, AFileIsTakenOnceItIsReadAndAllIsAnswered) {
  {
    const auto checkpoint = Load(path_);
    const Checkpoint::Reading reading = checkpoint->Begin("/a\n\xff b", kStamp);
    EXPECT_EQ(reading.answered, 0);
    checkpoint->Answered(reading.handle, 2, true);
    checkpoint->End(reading.handle, 2);
    EXPECT_FALSE(checkpoint->IsTaken("/a\n\xff b", kStamp));
    checkpoint->Answered(reading.handle, 1, true);
    EXPECT_TRUE(checkpoint->IsTaken("/a\n\xff b", kStamp));
  }
  const auto again = Load(path_);
  EXPECT_TRUE(again->IsTaken("/a\n\xff b", kStamp));
  EXPECT_FALSE(again->IsTaken("/a\n\xff b", {.bytes = 101, .modified_ns = 7})) << "it has changed";
  EXPECT_FALSE(again->IsTaken("/a\n\xff b", {.bytes = 100, .modified_ns = 8}));
}

TEST_F(CheckpointTest, SaysOfWhichCollectionAndSettingsItIsUntilItStartsAnew) {
  const Checkpoint::Settings settings = {{"--map", "title=Head line\nbody=Text"}, {"--url", ""}};
  {
    const auto checkpoint = Load(path_);
    EXPECT_TRUE(checkpoint->empty());
    EXPECT_EQ(checkpoint->collection(), "");
    ASSERT_THAT(checkpoint->StartAnew(settings), IsOk());
    checkpoint->SetCollection("first");
    const Checkpoint::Reading reading = checkpoint->Begin("a", kStamp);
    checkpoint->SetCollection("second");
    checkpoint->Answered(reading.handle, 1, true);
    checkpoint->End(reading.handle, 1);
    ASSERT_THAT(checkpoint->Flush(), IsOk());
    const std::string text = ReadFile(path_);
    EXPECT_LT(text.find("of second\n"), text.find("taken 100 7 - a\n")) << text;
  }
  {
    const auto again = Load(path_);
    EXPECT_EQ(again->settings(), settings);
    EXPECT_EQ(again->collection(), "second");
    EXPECT_TRUE(again->IsTaken("a", kStamp));
    ASSERT_THAT(again->StartAnew({}), IsOk());
    EXPECT_TRUE(again->empty());
    EXPECT_FALSE(again->IsTaken("a", kStamp));
  }
  const auto anew = Load(path_);
  EXPECT_TRUE(anew->empty());
  EXPECT_EQ(anew->collection(), "");
  EXPECT_EQ(anew->settings(), Checkpoint::Settings());
}

TEST_F(CheckpointTest, OneOfBeforeCollectionsWereSaidIsRead) {
  std::ofstream(path_) << "dateline checkpoint 1\ntaken 100 7 - a\n";
  const auto checkpoint = Load(path_);
  EXPECT_TRUE(checkpoint->IsTaken("a", kStamp));
  EXPECT_EQ(checkpoint->collection(), "");
}

TEST_F(CheckpointTest, OnlyWhatIsAnsweredFromTheBeginningOnIsPassedOver) {
  {
    const auto checkpoint = Load(path_);
    const Checkpoint::Reading reading = checkpoint->Begin("a", kStamp);
    for (const int64_t number : {3, 1, 2, 5}) checkpoint->Answered(reading.handle, number, true);
  }
  const auto again = Load(path_);
  EXPECT_EQ(again->Begin("a", kStamp).answered, 3);
  EXPECT_EQ(again->Begin("a", {.bytes = 99, .modified_ns = 7}).answered, 0);
  EXPECT_EQ(again->Begin("b", kStamp).answered, 0);
  // Going on from there, it counts as a whole.
  const Checkpoint::Reading reading = again->Begin("a", kStamp);
  again->Answered(reading.handle, 4, true);
  again->End(reading.handle, 4);
  EXPECT_TRUE(again->IsTaken("a", kStamp));
}

TEST_F(CheckpointTest, WhatWasNotTakenComesAgainAndSoDoesWhatFollows) {
  {
    const auto checkpoint = Load(path_);
    const Checkpoint::Reading reading = checkpoint->Begin("a", kStamp);
    checkpoint->Answered(reading.handle, 4, true);
    checkpoint->Answered(reading.handle, 3, false);
    checkpoint->Answered(reading.handle, 2, true);
    checkpoint->Answered(reading.handle, 1, true);
    checkpoint->End(reading.handle, 4);
    EXPECT_FALSE(checkpoint->IsTaken("a", kStamp));
  }
  EXPECT_EQ(Load(path_)->Begin("a", kStamp).answered, 2);
}

TEST_F(CheckpointTest, AnEmptyFileIsTakenAtOnce) {
  const auto checkpoint = Load(path_);
  checkpoint->End(checkpoint->Begin("a", kStamp).handle, 0);
  EXPECT_TRUE(checkpoint->IsTaken("a", kStamp));
}

TEST_F(CheckpointTest, WhatIsWrittenIsThereWithoutAnEnd) {
  const auto checkpoint = Load(path_);
  checkpoint->Answered(checkpoint->Begin("first", kStamp).handle, 1, true);
  EXPECT_THAT(ReadFile(path_), HasSubstr("begun 100 7 1 first\n")) << "the first answer is written at once";
  const Checkpoint::Reading reading = checkpoint->Begin("whole", kStamp);
  checkpoint->Answered(reading.handle, 1, true);
  checkpoint->End(reading.handle, 1);
  EXPECT_THAT(ReadFile(path_), HasSubstr("taken 100 7 - whole\n")) << "and so is the end of a file";
}

TEST_F(CheckpointTest, ALineThatAKillCutShortIsPassedOver) {
  std::ofstream(path_) << "dateline checkpoint 1\ntaken 1 1 - a\nbegun 1 1 5 b\nbegun 1 1 9";
  const auto checkpoint = Load(path_);
  EXPECT_TRUE(checkpoint->IsTaken("a", {.bytes = 1, .modified_ns = 1}));
  EXPECT_EQ(checkpoint->Begin("b", {.bytes = 1, .modified_ns = 1}).answered, 5);
}

TEST_F(CheckpointTest, WhatIsOutOfDateIsLeftOutWhenItIsLoaded) {
  std::ofstream(path_) << "dateline checkpoint 1\nbegun 1 1 5 a\nbegun 1 1 8 a\nbegun 1 1 7 a\ntaken 2 2 - a\n";
  Load(path_);
  EXPECT_EQ(ReadFile(path_), "dateline checkpoint 2\ntaken 2 2 - a\n");
}

TEST_F(CheckpointTest, WhatIsNoCheckpointIsRefusedAndLeftAsItIs) {
  std::ofstream(path_) << "{\"id\": 1}\n";
  EXPECT_THAT(Checkpoint::Load(path_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no checkpoint")));
  EXPECT_EQ(ReadFile(path_), "{\"id\": 1}\n");
  std::ofstream(path_) << "dateline checkpoint 1\ntaken 1 1 - a\nnonsense\n";
  EXPECT_THAT(Checkpoint::Load(path_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 3: is damaged; remove the file")));
  EXPECT_THAT(Checkpoint::Load(folder_.path()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is a folder; name a file")));
}

TEST_F(CheckpointTest, OneRunAtATimeHasItAndOthersMayLook) {
  {
    const auto first = Load(path_);
    EXPECT_THAT(Checkpoint::Load(path_), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("by another run")));
    const auto look = Checkpoint::Load(path_, Checkpoint::Access::kRead);
    ASSERT_THAT(look, IsOk());
    (*look)->End((*look)->Begin("a", kStamp).handle, 0);
    EXPECT_EQ(ReadFile(path_), "dateline checkpoint 2\n") << "nothing is written by who only looks";
  }
  EXPECT_NE(access((path_ + ".lock").c_str(), F_OK), 0) << "nothing is left";
  EXPECT_THAT(Checkpoint::Load(folder_.path() + "/none", Checkpoint::Access::kRead), IsOk());
  EXPECT_NE(access((folder_.path() + "/none").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace dateline::cli
