#include "extraction/site_learner.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "extraction/extraction.h"
#include "extraction/site_rules.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kAppeal[] =
    "Our work is paid for by readers such as you, and a small gift each month keeps the harbour desk going.";

// A paragraph that no other number gives.
std::string Paragraph(int number) {
  return absl::StrCat("<p>Boat ", number, " came in at dawn with ", number * 7 + 3,
                      " crates of herring, and the harbour "
                      "master of pier ",
                      number + 11, " wrote down each of them before anybody had had breakfast.</p>");
}

std::string Page(int number, absl::string_view extra, absl::string_view host = "example.org") {
  return absl::StrCat("<html><head><title>Piece ", number, "</title><link rel=canonical href='https://www.", host, "/",
                      number, "'></head><body><div class=page><h1>Piece ", number, " of the year</h1><div class=story>",
                      Paragraph(number), Paragraph(number + 1000), extra, Paragraph(number + 2000),
                      "</div></div></body></html>");
}

absl::StatusOr<Extraction> Read(const std::string& html, const SiteRules* rules = nullptr) {
  Document document;
  document.content = html;
  Options options;
  options.explain = true;
  options.locate = true;
  options.site_rules = rules;
  return Extract(document, options);
}

void AddAll(const std::vector<std::string>& pages, SiteLearner* learner) {
  for (const std::string& page : pages) {
    const absl::StatusOr<Extraction> extraction = Read(page);
    ASSERT_THAT(extraction, IsOk());
    learner->Add(page, "", *extraction);
  }
}

std::string LearnFrom(const std::vector<std::string>& pages) {
  SiteLearner learner;
  AddAll(pages, &learner);
  return learner.Rules();
}

std::vector<std::string> Pages(int count, absl::string_view extra) {
  std::vector<std::string> pages;
  for (int i = 0; i < count; ++i) {
    pages.push_back(Page(i, extra));
  }
  return pages;
}

std::string Box(absl::string_view name) { return absl::StrCat("<div ", name, "><p>", kAppeal, "</p></div>"); }

TEST(SiteLearnerTest, DropsTheElementThatHoldsWhatRepeats) {
  const std::vector<std::string> pages = Pages(4, Box("class='well'"));
  const std::string text = LearnFrom(pages);
  EXPECT_THAT(text, AllOf(HasSubstr("# Learned from 4 pages.\n[example.org]\n"), HasSubstr("\ndrop = div.well\n"),
                          HasSubstr("# On 4 pages: \"Our work is paid for by readers")));
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(text);
  ASSERT_THAT(rules, IsOk());
  const absl::StatusOr<Extraction> unseen = Read(Page(77, Box("class='well'")), &*rules);
  ASSERT_THAT(unseen, IsOk());
  EXPECT_THAT(unseen->article.body, AllOf(HasSubstr("Boat 77 "), HasSubstr("Boat 2077 "), Not(HasSubstr("paid for"))));
}

TEST(SiteLearnerTest, NeedsThreePagesAndAQuarterOfThem) {
  EXPECT_THAT(LearnFrom(Pages(2, Box("class='well'"))), StartsWith("# Nothing to be learned: no host has 3"));
  std::vector<std::string> pages = Pages(3, Box("class='well'"));
  for (int i = 3; i < 12; ++i) {
    pages.push_back(Page(i, ""));
  }
  EXPECT_THAT(LearnFrom(pages), HasSubstr("drop = div.well"));
  pages.push_back(Page(12, ""));
  EXPECT_THAT(LearnFrom(pages), Not(HasSubstr("drop")));
}

TEST(SiteLearnerTest, LeavesElementsThatHoldAnArticlesOwnTextAnywhere) {
  std::vector<std::string> pages = Pages(5, Box("class='well'"));
  pages.push_back(Page(5, absl::StrCat("<div class='well'>", Paragraph(5000), "</div>")));
  EXPECT_THAT(LearnFrom(pages), Not(HasSubstr("drop")));
  EXPECT_THAT(LearnFrom(Pages(5, absl::StrCat("<p>", kAppeal, "</p>"))), Not(HasSubstr("drop")))
      << "it stands among the article's paragraphs, and nothing tells it from them";
}

TEST(SiteLearnerTest, TellsAnElementByWhatItLiesIn) {
  std::vector<std::string> pages;
  for (int i = 0; i < 4; ++i) {
    pages.push_back(Page(i, absl::StrCat("<div class=text>", Paragraph(i + 3000), "</div><div class=slot>",
                                         "<div class=text><p>", kAppeal, "</p></div></div>")));
  }
  EXPECT_THAT(LearnFrom(pages), AllOf(HasSubstr("drop = div.slot\n"), Not(HasSubstr("drop = div.text"))));
}

TEST(SiteLearnerTest, TakesNoNamesThatProgramsMakeUp) {
  EXPECT_THAT(LearnFrom(Pages(4, Box("class='css-1wa7u5r'"))), Not(HasSubstr("css")));
  EXPECT_THAT(LearnFrom(Pages(4, Box("id='box-4711'"))), Not(HasSubstr("4711")));
  EXPECT_THAT(LearnFrom(Pages(4, Box("class='bdVaJa'"))), Not(HasSubstr("bdVaJa")));
  EXPECT_THAT(LearnFrom(Pages(4, Box("class='css-1wa7u5r well'"))), HasSubstr("drop = div.well"));
}

TEST(SiteLearnerTest, CountsAnArticleThatWasSavedTwiceOnce) {
  std::vector<std::string> pages;
  for (int i = 0; i < 4; ++i) {
    pages.push_back(absl::StrCat(Page(1, Box("class='well'")), "<!-- saved again: ", i, " -->"));
  }
  EXPECT_THAT(LearnFrom(pages), StartsWith("# Nothing to be learned"));
}

TEST(SiteLearnerTest, KeepsHostsApart) {
  std::vector<std::string> pages = Pages(2, Box("class='well'"));
  for (int i = 0; i < 2; ++i) {
    pages.push_back(Page(i + 50, Box("class='well'"), "example.net"));
  }
  EXPECT_THAT(LearnFrom(pages), StartsWith("# Nothing to be learned"));
}

TEST(SiteLearnerTest, CountsPagesWithoutAnAddress) {
  const absl::StatusOr<Extraction> page = Read(absl::StrCat("<h1>Piece</h1>", Paragraph(1), Paragraph(2)));
  ASSERT_THAT(page, IsOk());
  SiteLearner learner;
  learner.Add("a", "", *page);
  EXPECT_EQ(learner.homeless(), 1U);
  learner.Add("b", "https://example.org/", *page);
  EXPECT_EQ(learner.homeless(), 1U);
}

TEST(SiteLearnerTest, WithdrawsRulesThatChangeMoreThanTheyShould) {
  const std::vector<std::string> pages = Pages(4, Box("class='well'"));
  SiteLearner learner;
  AddAll(pages, &learner);
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(learner.Rules());
  ASSERT_THAT(rules, IsOk());
  for (const std::string& page : pages) {
    EXPECT_FALSE(learner.Check(page, Read(page, &*rules)));
  }
  EXPECT_THAT(learner.Rules(), HasSubstr("drop = div.well"));
  // As if a paragraph of the article's own had gone with it.
  const absl::StatusOr<SiteRules> wrong = SiteRules::Parse("[example.org]\ndrop = p");
  ASSERT_THAT(wrong, IsOk());
  EXPECT_TRUE(learner.Check(pages[0], Read(pages[0], &*wrong)));
  EXPECT_THAT(learner.Rules(), StartsWith("# Nothing to be learned: no element"))
      << "no other selector for the same element takes its place";
}

}  // namespace
}  // namespace dateline::extraction
