#include "search_service/retention.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "search_service/engine_test_util.h"

namespace dateline::search {
namespace {

using ::testing::HasSubstr;

Article ArticleOf(const std::string& source, absl::Time published) {
  Article article;
  article.source = source;
  article.publish_time = published;
  return article;
}

TEST(RetentionTest, RulesAreForTheirSourceAndTheStarForAllOthers) {
  const absl::Time day = absl::FromUnixSeconds(1'000'000'000);
  const absl::StatusOr<Retention> retention = Retention::Parse({"Example = Review=90", "*=365.5"});
  ASSERT_TRUE(retention.ok()) << retention.status();
  EXPECT_FALSE(retention->keeps_all());
  EXPECT_EQ(retention->EndOf(ArticleOf("Example = Review", day)), day + absl::Hours(24 * 90));
  EXPECT_EQ(retention->EndOf(ArticleOf("Another", day)), day + absl::Hours(24 * 365 + 12));
  Article undated;
  undated.create_time = day;
  EXPECT_EQ(retention->EndOf(undated), day + absl::Hours(24 * 365 + 12));
  EXPECT_TRUE(Retention().keeps_all());
  EXPECT_EQ(Retention::Parse({"Example=1"})->EndOf(ArticleOf("Another", day)), absl::InfiniteFuture());
}

TEST(RetentionTest, WhatIsNoRuleIsSaidToBeNone) {
  for (const std::string rule : {"Example", "Example=", "=90", "Example=-1", "Example=0", "Example=soon", "*=1e9"}) {
    EXPECT_THAT(std::string(Retention::Parse({rule}).status().message()), HasSubstr("is not SOURCE=DAYS")) << rule;
  }
  EXPECT_THAT(std::string(Retention::Parse({"A=1", "A=2"}).status().message()), HasSubstr("two rules"));
  EXPECT_THAT(std::string(Retention::Parse({"*=1", "*=2"}).status().message()), HasSubstr("two rules"));
}

TEST(RetentionTest, ArticlesGoWhenTheirTimeIsUpAndNoneComesThatIsTooOld) {
  TempDir dir;
  Engine::Options options;
  options.data_dir = dir.path() + "/data";
  options.label_grace = absl::ZeroDuration();
  options.min_commit_interval = absl::ZeroDuration();
  const absl::Time now = absl::Now();
  {
    auto engine = *Engine::Open(options, nullptr);
    for (int i = 0; i < 300; ++i) {
      Article article = MakeArticle(absl::StrCat("a", i), "Canal", absl::StrCat("Text ", i));
      article.source = i % 3 == 0 ? "Daily" : "Review";
      article.publish_time = now - absl::Hours(24 * i);
      IngestAndWait(*engine, std::move(article));
    }
  }
  options.retention = *Retention::Parse({"Daily=100"});
  options.retention_interval = absl::Milliseconds(20);
  auto engine = *Engine::Open(options, nullptr);
  const absl::Time limit = Soon();
  // Of the 100 of Daily, published every third day, those of 0 to 99 days are young enough.
  while (engine->GetIndexInfo()->deleted_count < 66 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(engine->GetIndexInfo()->deleted_count, 66);
  EXPECT_EQ(engine->GetIndexInfo()->article_count, 234);
  EXPECT_TRUE(engine->Get("a99").ok());
  EXPECT_EQ(engine->Get("a102").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(engine->Get("a299").ok());

  Article old = MakeArticle("old", "Canal", "Text");
  old.source = "Daily";
  old.publish_time = now - absl::Hours(24 * 200);
  const IngestResult refused = IngestAndWait(*engine, old);
  EXPECT_EQ(refused.outcome, IngestOutcome::kRejected);
  EXPECT_EQ(common::ReasonOf(refused.error), kReasonTooOld);
  EXPECT_THAT(std::string(refused.error.message()), HasSubstr("publish_time"));
  old.source = "Review";
  EXPECT_EQ(IngestAndWait(*engine, old).outcome, IngestOutcome::kCreated);
}

}  // namespace
}  // namespace dateline::search
