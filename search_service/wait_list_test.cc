#include "search_service/wait_list.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dateline::search {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1'000);

std::vector<uint64_t> Seqs(const std::vector<WaitList::Wait>& waits) {
  std::vector<uint64_t> seqs;
  for (const WaitList::Wait& wait : waits) seqs.push_back(wait.seq);
  return seqs;
}

int64_t Add(WaitList& list, uint64_t seq, Progress wanted, absl::Time deadline = absl::InfiniteFuture()) {
  return list.Add({.seq = seq, .wanted = wanted, .deadline = deadline, .done = {}});
}

TEST(WaitListTest, WaitsEndWhenWhatTheyWantedIsReachedAndNoSooner) {
  WaitList list;
  Add(list, 5, Progress::kDurable);
  Add(list, 5, Progress::kVisible);
  Add(list, 5, Progress::kLabelled);
  Add(list, 9, Progress::kVisible);
  EXPECT_THAT(Seqs(list.TakeEnded(4, 4, 4, kStart)), IsEmpty());
  EXPECT_EQ(list.TakeEnded(5, 4, 4, kStart).at(0).wanted, Progress::kDurable);
  EXPECT_EQ(list.TakeEnded(9, 8, 4, kStart).at(0).wanted, Progress::kVisible);
  EXPECT_EQ(list.TakeEnded(9, 8, 5, kStart).at(0).wanted, Progress::kLabelled);
  EXPECT_THAT(Seqs(list.TakeEnded(9, 9, 5, kStart)), ElementsAre(9));
  EXPECT_EQ(list.size(), 0U);
}

TEST(WaitListTest, WaitsEndAtTheirDeadlineAndTheNextOneIsKnown) {
  WaitList list;
  EXPECT_EQ(list.NextDeadline(), absl::InfiniteFuture());
  Add(list, 1, Progress::kLabelled, kStart + absl::Seconds(2));
  Add(list, 2, Progress::kLabelled, kStart + absl::Seconds(1));
  EXPECT_EQ(list.NextDeadline(), kStart + absl::Seconds(1));
  EXPECT_THAT(Seqs(list.TakeEnded(0, 0, 0, kStart + absl::Seconds(1))), ElementsAre(2));
  EXPECT_EQ(list.NextDeadline(), kStart + absl::Seconds(2));
}

TEST(WaitListTest, AWaitIsTakenOnce) {
  WaitList list;
  const int64_t id = Add(list, 3, Progress::kVisible, kStart);
  EXPECT_TRUE(list.Take(id).has_value());
  EXPECT_FALSE(list.Take(id).has_value());
  EXPECT_THAT(Seqs(list.TakeEnded(9, 9, 9, kStart)), IsEmpty());
  Add(list, 4, Progress::kVisible);
  EXPECT_THAT(Seqs(list.TakeAll()), ElementsAre(4));
  EXPECT_THAT(Seqs(list.TakeAll()), IsEmpty());
}

}  // namespace
}  // namespace dateline::search
