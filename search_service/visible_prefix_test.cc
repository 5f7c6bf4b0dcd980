#include "search_service/visible_prefix.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace dateline::search {
namespace {

void Move(VisiblePrefix& prefix, const std::vector<RowMove>& moves) {
  prefix.Begin(moves);
  prefix.End(/*committed=*/true);
}

uint64_t Advance(VisiblePrefix& prefix, uint64_t applied, const std::vector<RowState>& taken) {
  prefix.Advance(applied, prefix.After(applied, taken), taken);
  return prefix.visible();
}

TEST(VisiblePrefixTest, EndsBeforeAChangeThatTheIndexPassedOver) {
  VisiblePrefix prefix(0, 0, 0);
  Move(prefix, {{7, 510, 5'200}});
  EXPECT_EQ(Advance(prefix, 509, {}), 509U);
  EXPECT_EQ(Advance(prefix, 1'000, {}), 509U);
  EXPECT_EQ(Advance(prefix, 5'199, {}), 509U);
  EXPECT_EQ(Advance(prefix, 5'200, {{7, 5'200}}), 5'200U);
}

TEST(VisiblePrefixTest, AChangeThatWasTakenInBeforeItsRowMovedHoldsNothingBack) {
  VisiblePrefix prefix(0, 0, 0);
  EXPECT_EQ(Advance(prefix, 10, {{7, 10}}), 10U);
  Move(prefix, {{7, 10, 50}});
  EXPECT_EQ(Advance(prefix, 40, {}), 40U);
}

TEST(VisiblePrefixTest, ARowThatMovesWhileItsBatchIsWrittenCountsAsTakenIn) {
  VisiblePrefix prefix(0, 0, 0);
  Move(prefix, {{7, 10, 50}});  // The batch up to 20 has read it at 10.
  EXPECT_EQ(Advance(prefix, 20, {{7, 10}}), 20U);
  EXPECT_EQ(Advance(prefix, 30, {}), 30U);
}

TEST(VisiblePrefixTest, KeepsUpWithARowThatIsWrittenAgainAndAgain) {
  VisiblePrefix prefix(0, 0, 0);
  uint64_t seq = 1;
  for (int pass = 0; pass < 100; ++pass) {
    const uint64_t read = seq;
    Move(prefix, {{7, seq, seq + 3}});
    Move(prefix, {{7, seq + 3, seq + 5}});
    seq += 5;
    EXPECT_EQ(Advance(prefix, read, {{7, read}}), read);
  }
}

TEST(VisiblePrefixTest, MovesOfATransactionHoldBackWhileItRunsAndAreForgottenIfItFails) {
  VisiblePrefix prefix(0, 0, 0);
  prefix.Begin({{7, 10, 50}});
  EXPECT_EQ(prefix.After(20, {}), 9U);
  prefix.End(/*committed=*/false);
  EXPECT_EQ(Advance(prefix, 20, {{7, 10}}), 20U);
}

TEST(VisiblePrefixTest, AfterAStartNothingMoreIsCertainBeforeTheEndOfTheLog) {
  VisiblePrefix prefix(100, 90, 200);
  EXPECT_EQ(prefix.visible(), 90U);
  EXPECT_EQ(Advance(prefix, 150, {}), 90U);
  EXPECT_EQ(Advance(prefix, 200, {}), 200U);
  EXPECT_EQ(VisiblePrefix(200, 90, 200).visible(), 200U);
}

// Against the definition: a change is visible once the index has taken in its row in that state or a later one.
TEST(VisiblePrefixTest, NeverClaimsMoreThanIsThereAndClaimsAllOfItAtTheEndOfTheLog) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    VisiblePrefix prefix(0, 0, 0);
    std::map<uint64_t, int64_t> row_at;  // The log as it can be read.
    std::map<int64_t, uint64_t> stands_at;
    std::map<int64_t, uint64_t> indexed;
    std::vector<RowState> changes;  // All that ever were.
    uint64_t last = 0;
    uint64_t applied = 0;
    for (int step = 0; step < 400; ++step) {
      const auto write = [&] {
        std::vector<RowMove> moves;
        for (unsigned n = random() % 4; n > 0; --n) {
          const int64_t row = random() % 30;
          const uint64_t to = ++last;
          if (const auto found = stands_at.find(row); found != stands_at.end()) {
            moves.push_back({row, found->second, to});
            row_at.erase(found->second);
          }
          stands_at[row] = to;
          row_at[to] = row;
          changes.push_back({row, to});
        }
        Move(prefix, moves);
      };
      write();
      std::vector<RowState> taken;
      uint64_t reached = applied;
      bool complete = true;
      for (auto next = row_at.upper_bound(applied); next != row_at.end(); ++next) {
        if (taken.size() == 3) {
          complete = false;
          break;
        }
        reached = next->first;
        taken.push_back({next->second, next->first});
      }
      if (complete) reached = last;
      const uint64_t end = last;
      if (random() % 2 == 0) write();  // While the batch is on its way.
      applied = reached;
      for (const RowState& state : taken) indexed[state.row] = std::max(indexed[state.row], state.seq);
      const uint64_t visible = Advance(prefix, applied, taken);
      for (const RowState& change : changes) {
        if (change.seq > visible) break;
        ASSERT_GE(indexed[change.row], change.seq) << "seed " << seed << " step " << step;
      }
      ASSERT_TRUE(!complete || visible == end) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace dateline::search
