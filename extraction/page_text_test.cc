// Plain text of pages: articles written for these tests, set among the menus, teasers and boxes that pages have.
#include "extraction/page_text.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "extraction/extraction.h"
#include "tests/support/shared_data.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Article ArticleIn(const std::string& text) {
  const absl::StatusOr<Extraction> extraction = Extract({.content = text, .media_type = "text/plain"});
  EXPECT_THAT(extraction, IsOk());
  return extraction.ok() ? extraction->article : Article();
}

std::vector<std::string> HeadingsOf(const Article& article) {
  std::vector<std::string> headings;
  for (const Heading& heading : article.headings) {
    headings.push_back(
        article.body.substr(static_cast<size_t>(heading.start), static_cast<size_t>(heading.end - heading.start)));
  }
  return headings;
}

absl::Time Day(int year, int month, int day) {
  return absl::FromCivil(absl::CivilDay(year, month, day), absl::UTCTimeZone());
}

constexpr char kFerries[] =
    R"(The ferries that cross the strait each morning used to carry schoolchildren and fishermen. Since the port was leased to a consortium of foreign builders, they carry engineers, and the queue at the ticket office speaks four languages.

Officials in the capital call the lease a model for the region. It brings in rent, they say, and a deep-water quay that the state could never have paid for. Those who live beside the harbour point to the fence that now cuts the promenade in two.

Whether the bargain holds will depend on the clauses that nobody outside the ministry has read. Two members of the budget committee have asked for them since spring, and both have been told to wait.)";

TEST(PageTextTest, ReadsFrontMatter) {
  const Article article =
      ArticleIn(absl::StrCat("---\ntitle: \"The Port Lease\"\ndate: 2021-05-04\nauthor: Marta Lindqvist\n"
                             "tags: [ports, 'the coast']\n---\n\n# The Port Lease\n\n",
                             kFerries));
  EXPECT_EQ(article.title, "The Port Lease");
  EXPECT_EQ(article.publish_time, Day(2021, 5, 4));
  EXPECT_THAT(article.authors, ElementsAre("Marta Lindqvist"));
  EXPECT_THAT(article.source_labels, ElementsAre(SourceLabel{"tag", "ports"}, SourceLabel{"tag", "the coast"}));
  EXPECT_EQ(article.body, kFerries);
  EXPECT_THAT(ArticleIn(absl::StrCat("---\nNo field here\n---\n\n", kFerries)).body, EndsWith(kFerries));
}

TEST(PageTextTest, AnswersAreTextHoweverShort) {
  EXPECT_THAT(
      ArticleIn(absl::StrCat("The Port Lease\n\n", kFerries,
                             "\n\nQ: Will the fence ever be taken down again?\nA: No.\n\nQ: And who has decided that, "
                             "if nobody in the ministry has?\nA: The clauses that nobody outside it has read.\n"))
          .body,
      HasSubstr("A: No."));
}

TEST(PageTextTest, TakesTitleBylineAndDateFromTheLinesAboveTheText) {
  const Article article = ArticleIn(absl::StrCat(R"(Skip to content
Home
World
Economy
About us

A Quay of One's Own: the Port Lease Divides the Coast

By Marta Lindqvist

4 May 2021

)",
                                                 kFerries, R"(

Related articles

Fishermen Turn Back From the Northern Banks

The season opened with half the boats still tied up at the mole...

A Budget Written in Pencil

The finance minister has revised his figures for the third time...

© 2021 The Strait Review. All rights reserved.
)"));
  EXPECT_EQ(article.title, "A Quay of One's Own: the Port Lease Divides the Coast");
  EXPECT_THAT(article.authors, ElementsAre("Marta Lindqvist"));
  ASSERT_TRUE(article.publish_time.has_value());
  EXPECT_EQ(*article.publish_time, Day(2021, 5, 4));
  EXPECT_EQ(article.publish_time_precision, TimePrecision::kDay);
  EXPECT_EQ(article.body, kFerries);
}

TEST(PageTextTest, TheDateOfAChangeIsNoDateOfPublication) {
  const Article changed =
      ArticleIn(absl::StrCat("The Port Lease Divides the Coast\n\nLast updated: May 6, 2021\n\n", kFerries));
  EXPECT_FALSE(changed.publish_time.has_value());
  EXPECT_EQ(changed.update_time, Day(2021, 5, 6));
  EXPECT_EQ(changed.body, kFerries);
  const Article both = ArticleIn(
      absl::StrCat("The Port Lease Divides the Coast\n\nUpdated 6 May 2021\n\nPublished 4 May 2021\n\n", kFerries));
  EXPECT_EQ(both.publish_time, Day(2021, 5, 4));
  EXPECT_EQ(both.update_time, Day(2021, 5, 6));
}

TEST(PageTextTest, TakesATitleThatStandsOnlyOnce) {
  const Article article = ArticleIn(absl::StrCat("Why the Harbour Town Wants Its Promenade Back\n\n", kFerries));
  EXPECT_EQ(article.title, "Why the Harbour Town Wants Its Promenade Back");
  EXPECT_EQ(article.body, kFerries);
  EXPECT_FALSE(article.publish_time.has_value());
}

TEST(PageTextTest, TakesNoPunctuationForATitleOrHeading) {
  for (const std::string line : {"```", "[", "* * *", "———", "#", "…", "}{"}) {
    const Article bare = ArticleIn(absl::StrCat(line, "\n\n", kFerries));
    EXPECT_EQ(bare.title, "") << line;
    EXPECT_EQ(bare.body, kFerries) << line;
    const Article titled = ArticleIn(absl::StrCat("The Lease and the Fence\n\n", line, "\n\n", kFerries));
    EXPECT_EQ(titled.title, "The Lease and the Fence") << line;
    const Article within = ArticleIn(absl::StrCat("The Lease and the Fence\n\n", kFerries, "\n\n", line, "\n\n",
                                                  "Nobody beside the harbour has seen the clauses either, and the "
                                                  "fence has been moved twice since the spring."));
    EXPECT_THAT(HeadingsOf(within), IsEmpty()) << line;
  }
}

TEST(PageTextTest, TakesNoLineThatRunsOnForATitle) {
  const Article article = ArticleIn(
      absl::StrCat("The harbour office, which has moved twice since the spring and may move again before the\n"
                   "lease is signed, keeps its own list of boats.\n\n",
                   kFerries));
  EXPECT_EQ(article.title, "");
}

TEST(PageTextTest, ReadsLabelsUnderOtherNamesOnEitherSideOfTheText) {
  const Article article = ArticleIn(absl::StrCat(R"(The Lease and the Fence

Region: Eastern Mediterranean

)",
                                                 kFerries, R"(

Topics: Ports, Foreign Investment
Tags: #harbours; #leases
)"));
  EXPECT_EQ(article.title, "The Lease and the Fence");
  EXPECT_EQ(article.body, kFerries);
  EXPECT_THAT(article.source_labels,
              ElementsAre(SourceLabel{"region", "Eastern Mediterranean"}, SourceLabel{"topic", "Ports"},
                          SourceLabel{"topic", "Foreign Investment"}, SourceLabel{"tag", "harbours"},
                          SourceLabel{"tag", "leases"}));
}

TEST(PageTextTest, TakesTheAuthorFromABiographyAndLeavesItOut) {
  const Article article = ArticleIn(absl::StrCat("The Lease and the Fence\n\n", kFerries, R"(

Prof. Idris Okonjo-Bell is a senior fellow at the Centre for Coastal Studies and the author of two books on harbours.

Sign up for our newsletter and never miss an analysis.
)"));
  EXPECT_THAT(article.authors, ElementsAre("Idris Okonjo-Bell"));
  EXPECT_EQ(article.body, kFerries);
}

TEST(PageTextTest, LeavesOutANoteOnTheAuthorWhomTheBylineNames) {
  const Article article = ArticleIn(absl::StrCat(
      "The Lease and the Fence\n\nBy Idris Okonjo-Bell May 4, 2021\n\n", kFerries,
      "\n\nIdris Okonjo-Bell has crossed the strait on every ferry that he writes about, and on some that sank.\n"));
  EXPECT_THAT(article.authors, ElementsAre("Idris Okonjo-Bell"));
  EXPECT_EQ(article.publish_time, Day(2021, 5, 4));
  EXPECT_EQ(article.body, kFerries);
}

TEST(PageTextTest, EndsBeforeADisclaimer) {
  const Article article = ArticleIn(
      absl::StrCat("The Lease and the Fence\n\n", kFerries,
                   "\n\nThe views expressed here are the author’s alone and do not represent a position of the Quay "
                   "Institute, its staff or its board.\n"));
  EXPECT_EQ(article.body, kFerries);
}

TEST(PageTextTest, TakesEveryAuthorOfAJointBiography) {
  const Article article = ArticleIn(absl::StrCat("The Lease and the Fence\n\n", kFerries, R"(

About the authors

Dr. Leila Haddad and Tom Brandt are research fellows at the Institute for Trade Routes.
)"));
  EXPECT_THAT(article.authors, ElementsAre("Leila Haddad", "Tom Brandt"));
  EXPECT_EQ(article.body, kFerries);
}

TEST(PageTextTest, KeepsSubheadingsAndListsOfTheText) {
  const Article article = ArticleIn(R"(Three Questions for the Port Authority

The port authority will answer to the assembly next week for the first time since the lease was signed, and members have sent it their questions.

What the Members Ask

They want to know three things above all, according to a list that was seen by this correspondent:

• who guarantees the rent if the consortium fails
• which quays stay open to local boats
• when the fence will come down

What the Authority Says

The authority has said only that it will speak when it is heard, a formula that its critics on the committee have begun to quote back at it.

Most Read

Fishermen Turn Back
A Budget Written in Pencil
The Last Lighthouse
)");
  EXPECT_THAT(HeadingsOf(article), ElementsAre("What the Members Ask", "What the Authority Says"));
  EXPECT_THAT(article.body, HasSubstr("- who guarantees the rent if the consortium fails\n"
                                      "- which quays stay open to local boats\n"
                                      "- when the fence will come down"));
  EXPECT_THAT(article.body, EndsWith("begun to quote back at it."));
  EXPECT_THAT(article.body, Not(HasSubstr("Lighthouse")));
}

TEST(PageTextTest, LeavesOutTeasersWithWholeSentencesAndDates) {
  const Article article = ArticleIn(absl::StrCat(R"(Home
Analysis

The Lease and the Fence

)",
                                                 kFerries, R"(

The opinions expressed here are the author's own and do not reflect those of the Strait Review.

Latest analysis

The Last Lighthouse Keeper Goes Ashore

May 2, 2021

The lamp on the eastern cape has been lit by hand for a hundred and forty years, until now.

A Budget Written in Pencil

April 28, 2021

The finance minister has revised his figures for the third time since the turn of the year.
)"));
  EXPECT_EQ(article.body, kFerries);
  EXPECT_FALSE(article.publish_time.has_value()) << "the dates are the teasers'";
}

TEST(PageTextTest, TakesAStandfirstForTheSummary) {
  const Article article = ArticleIn(absl::StrCat(R"(The Lease and the Fence

A foreign consortium has brought money and engineers to the strait, and a fence along its promenade.

By Marta Lindqvist
Published on September 19, 2020

)",
                                                 kFerries));
  EXPECT_EQ(article.title, "The Lease and the Fence");
  EXPECT_EQ(article.summary,
            "A foreign consortium has brought money and engineers to the strait, and a fence along its promenade.");
  EXPECT_THAT(article.authors, ElementsAre("Marta Lindqvist"));
  EXPECT_EQ(article.publish_time, Day(2020, 9, 19));
  EXPECT_EQ(article.body, kFerries);
}

TEST(PageTextTest, JoinsLinesThatWereBrokenAtAMargin) {
  const Article article = ArticleIn(R"(The Lease and the Fence

The ferries that cross the strait each morning used to carry
schoolchildren and fishermen. Since the port was leased to a
consortium of foreign builders, they carry engineers.

Officials in the capital call the lease a model for the region. It
brings in rent, they say, and a quay that the state could never
have paid for.
)");
  EXPECT_EQ(
      article.body,
      "The ferries that cross the strait each morning used to carry schoolchildren and fishermen. Since the port was "
      "leased to a consortium of foreign builders, they carry engineers.\n\nOfficials in the capital call the lease a "
      "model for the region. It brings in rent, they say, and a quay that the state could never have paid for.");
}

TEST(PageTextTest, TitleBylineAndDateMayFollowEachOtherInWrappedText) {
  constexpr char kText[] = R"(The ferries that cross the strait each morning used to carry children
and fishermen. Since the port was leased to a consortium of foreign
builders, they carry engineers, and the queue speaks four languages. It
is written down in the book of the harbour that was kept for years
by Jane Roe.

Officials in the capital call the lease a model for the region. It
brings in rent, they say, and a deep-water quay that the state could
never have paid for.)";
  for (const char* head : {"A Quay of One's Own\nBy Marta Lindqvist, 4 May 2021\n\n",
                           "A Quay of One's Own\nBy Marta Lindqvist\n4 May 2021\n\n",
                           "A Quay of One's Own: the Lease Divides the Coast\n4 May 2021\nBy Marta Lindqvist\n\n"}) {
    const Article article = ArticleIn(absl::StrCat(head, kText));
    EXPECT_THAT(article.title, StartsWith("A Quay of One's Own")) << head;
    EXPECT_THAT(article.title, Not(HasSubstr("Lindqvist"))) << head;
    EXPECT_THAT(article.authors, ElementsAre("Marta Lindqvist")) << head;
    EXPECT_EQ(article.publish_time, Day(2021, 5, 4)) << head;
    EXPECT_THAT(article.body, StartsWith("The ferries that cross the strait each morning used to carry children and "))
        << head;
    EXPECT_THAT(article.body, HasSubstr("kept for years by Jane Roe.\n\nOfficials")) << head;
  }
}

TEST(PageTextTest, LeavesOutTheNoteOfAFeed) {
  const std::string note = "The post A Quay of One's Own appeared first on The Strait Review.";
  EXPECT_EQ(ArticleIn(absl::StrCat("A Quay of One's Own\n\n", kFerries, "\n\n", note)).body, kFerries);
  EXPECT_THAT(
      ArticleIn(absl::StrCat("Notes\n\n", kFerries, "\n\n", note, "\n\nBut the port was never for sale, and nobody ",
                             "who lives beside it had been asked."))
          .body,
      HasSubstr(note));
}

TEST(PageTextTest, TakesLinesForParagraphsWhereNoLineIsBlank) {
  const Article article = ArticleIn(R"(The Lease and the Fence
By Marta Lindqvist
The ferries that cross the strait each morning used to carry schoolchildren and fishermen, and the ticket office spoke one language.
Officials in the capital call the lease a model for the region, and those who live beside the harbour point to the fence.
Whether the bargain holds will depend on the clauses that nobody outside the ministry has been allowed to read.)");
  EXPECT_EQ(article.title, "The Lease and the Fence");
  EXPECT_THAT(article.authors, ElementsAre("Marta Lindqvist"));
  EXPECT_THAT(article.body, StartsWith("The ferries"));
  EXPECT_THAT(article.body, HasSubstr("one language.\n\nOfficials"));
}

TEST(PageTextTest, ReadsArabic) {
  const Article article = ArticleIn(R"(مستقبل الموانئ في المنطقة

بقلم ليلى حداد

تواجه الموانئ في شرق المتوسط تحديات كبيرة بعد سنوات من الاستثمار الأجنبي، ويقول خبراء إن الحكومات لم تحسم بعد موقفها من عقود الإيجار الطويلة.

ويرى سكان المدن الساحلية أن السياج الجديد قسم الواجهة البحرية إلى نصفين، وأن الوعود التي قدمت لهم لم تتحقق حتى الآن رغم مرور عامين كاملين.
)");
  EXPECT_EQ(article.title, "مستقبل الموانئ في المنطقة");
  EXPECT_THAT(article.body, StartsWith("تواجه الموانئ"));
  EXPECT_THAT(article.body, EndsWith("عامين كاملين."));
}

TEST(PageTextTest, FindsNoArticleInAMenu) {
  EXPECT_THAT(ExtractPageText("Home\nNews\nSport\nWeather\nContact us\nSign in\n", false).parts, IsEmpty());
}

TEST(PageTextTest, ExplainsWhatItDropped) {
  const HtmlBody body =
      ExtractPageText(absl::StrCat("The Lease and the Fence\n\n", kFerries, "\n\nIssue: Ports\n"), true);
  ASSERT_EQ(body.blocks.size(), 5U);
  EXPECT_EQ(body.blocks.front().reason, "title");
  EXPECT_TRUE(body.blocks[1].kept);
  EXPECT_GT(body.blocks[1].score.value_or(0), 100);
  EXPECT_EQ(body.blocks.back().reason, "publisher's label");
  EXPECT_EQ(body.blocks.back().score, std::nullopt);
}

// The page the project started from.
class SeedPageTest : public ::testing::Test {
 protected:
  static std::optional<Article> Seed() {
    const std::optional<std::string> path = testing::SharedFile("data/seed/russo-iranian-alignment.txt");
    if (!path) {
      return std::nullopt;
    }
    std::ifstream file(*path, std::ios::binary);
    return ArticleIn(std::string(std::istreambuf_iterator<char>(file), {}));
  }
};

TEST_F(SeedPageTest, GivesTheArticleAndNothingElse) {
  const std::optional<Article> article = Seed();
  if (!article) {
    GTEST_SKIP() << testing::SharedFileMissing("data/seed/russo-iranian-alignment.txt");
  }
  EXPECT_EQ(article->title, "Russo-Iranian Alignment Will Continue Despite Differences");
  EXPECT_THAT(article->body, Not(HasSubstr(article->title)));
  EXPECT_THAT(article->body, StartsWith("On March 15, Iranian Foreign Minister Hossein Amir-Abdollahian arrived"));
  EXPECT_THAT(article->body, EndsWith("likely to weather the current storm clouds."));
  EXPECT_THAT(HeadingsOf(*article),
              ElementsAre("Iran’s Balancing Act on the Ukraine War", "Russia’s Position on the JCPOA Negotiations"));
  for (const char* other :
       {"views and opinions", "Abraham Accords", "Commentary", "Samuel", "Subscribe", "Brain Drain", "Issue:"}) {
    EXPECT_THAT(article->body, Not(HasSubstr(other)));
  }
  EXPECT_THAT(article->authors, ElementsAre("Samuel Ramani"));
  EXPECT_THAT(article->source_labels, ElementsAre(SourceLabel{"issue", "Geopolitics"}, SourceLabel{"country", "Iran"}));
  EXPECT_FALSE(article->publish_time.has_value()) << "the dates on the page are its teasers'";
}

}  // namespace
}  // namespace dateline::extraction
