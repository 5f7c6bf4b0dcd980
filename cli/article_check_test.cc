// A dry run refuses what the service would.
#include "cli/article_check.h"

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::cli {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

article::v1::Article Sound() {
  article::v1::Article article;
  article.set_id("a-1");
  article.set_url("https://x.example/1");
  article.set_title("One");
  return article;
}

TEST(ArticleCheckTest, ASoundArticlePasses) {
  const auto warnings = CheckArticle(Sound(), kNow);
  ASSERT_THAT(warnings, IsOk());
  EXPECT_THAT(*warnings, IsEmpty());
}

TEST(ArticleCheckTest, NamesTheFieldThatTheServiceWouldRefuse) {
  const auto error_of = [](auto change) {
    article::v1::Article article = Sound();
    change(article);
    return CheckArticle(article, kNow);
  };
  EXPECT_THAT(error_of([](auto& article) { article.set_id("a 1"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("id: may hold ASCII letters")));
  EXPECT_THAT(error_of([](auto& article) { article.set_url("ftp://x.example/1"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("url: ")));
  EXPECT_THAT(error_of([](auto& article) { article.add_alternate_urls("nowhere"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("alternate_urls[0]: ")));
  EXPECT_THAT(error_of([](auto& article) { article.set_title(std::string(2001, 'x')); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("title: is 2001 bytes long")));
  EXPECT_THAT(error_of([](auto& article) { article.add_source_labels()->set_kind("section"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("source_labels[0].name")));
  EXPECT_THAT(error_of([](auto& article) { (*article.mutable_attributes())["a b"].add_values("1"); }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("attributes: ")));
}

TEST(ArticleCheckTest, GivesTheWarningsOfTheService) {
  article::v1::Article article = Sound();
  article.mutable_update_time()->set_seconds(absl::ToUnixSeconds(kNow + absl::Hours(48)));
  const auto warnings = CheckArticle(article, kNow);
  ASSERT_THAT(warnings, IsOk());
  EXPECT_THAT(*warnings, ElementsAre(HasSubstr("more than a day ahead")));
}

}  // namespace
}  // namespace dateline::cli
