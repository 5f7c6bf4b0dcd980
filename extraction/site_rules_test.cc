#include "extraction/site_rules.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "extraction/extraction.h"
#include "extraction/html_document.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kLong[] =
    "The harbour board met on Tuesday to decide on the new pier, and after four hours its members had agreed on "
    "nothing "
    "but the date of the next meeting.";

std::string IdsOf(absl::string_view html, absl::string_view selector) {
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(absl::StrCat("[*]\nselect = ", selector));
  EXPECT_THAT(rules, IsOk());
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
  EXPECT_THAT(document, IsOk());
  std::string ids;
  for (const int32_t node : SelectNodes(*document, rules->Find("")->select)) {
    absl::StrAppend(&ids, document->Attribute(node, "id"));
  }
  return ids;
}

TEST(SelectNodesTest, FollowsCss) {
  constexpr char kHtml[] =
      "<article id=a class='story main'><div id=b><p id=c class=lead>x <a id=d href='/x'>y</a> <b id=e>z</b></p>"
      "<div id=f role=note><p id=g>w</p></div></div></article><p id=h class=leader>v</p>";
  EXPECT_EQ(IdsOf(kHtml, "p"), "cgh");
  EXPECT_EQ(IdsOf(kHtml, ".lead"), "c") << "not every class that begins so";
  EXPECT_EQ(IdsOf(kHtml, "article.story.main"), "a");
  EXPECT_EQ(IdsOf(kHtml, "article p"), "cg");
  EXPECT_EQ(IdsOf(kHtml, "article > p"), "");
  EXPECT_EQ(IdsOf(kHtml, "article > div > p"), "c");
  EXPECT_EQ(IdsOf(kHtml, ".story div p"), "cg");
  EXPECT_EQ(IdsOf(kHtml, "#f p, a, strong"), "deg");
  EXPECT_EQ(IdsOf(kHtml, "[role]"), "f");
  EXPECT_EQ(IdsOf(kHtml, "div[role='note'] > *"), "g");
}

TEST(SiteRulesTest, ErrorsNameTheLineAndTheRemedy) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {"drop = .x", "line 1: drop: stands before the first [host]"},
           {"[example.org]\n\nhide = .x", "line 3: hide: is no rule; there are select, drop, title"},
           {"[example.org]\ndrop .x", "line 2: is neither [host] nor a rule"},
           {"[example.org\ndrop = .x", "line 1: ']' is missing"},
           {"[exa mple.org]", "line 1: \"exa mple.org\" is no host name"},
           {"[a.org]\n[b.org, a.org]", "line 2: \"a.org\" has rules already"},
           {"[a.org]\ndrop = div..x", "line 2: drop: \"div..x\": a name must follow '.'"},
           {"[a.org]\ndrop = div >", "an element must follow '>'"},
           {"[a.org]\ndrop =", "names no element"},
           {"[a.org]\ndrop = div,", "names no element"},
           {"[a.org]\ndrop = em", "<em> can't be selected"},
           {"[a.org]\ndrop = [onclick]", "[onclick]: extraction keeps no such attribute; there are class, id"},
           {"[a.org]\ndrop = [role=x y]", "']' must follow"},
           {"[a.org]\ndrop = p:first-child", "':' is not understood"},
           {"[a.org]\npublished = time @when", "@when: extraction keeps no such attribute"},
           {"[a.org]\nsource = \"\"", "the value in quotes is empty"},
           {"[a.org]\ntitle = \xFF", "is not UTF-8"}}) {
    EXPECT_THAT(SiteRules::Parse(c.text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message))) << c.text;
  }
}

TEST(SiteRulesTest, TheLongestHostNameDecides) {
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(
      "# Rules.\n[*]\ndrop = .a\n[example.org, www.example.net]\ndrop = .b\n[blog.example.org]\ndrop = .c\n");
  ASSERT_THAT(rules, IsOk());
  EXPECT_EQ(rules->size(), 3);
  const auto drops = [&](absl::string_view url) { return rules->Find(url)->drop[0][0].classes[0]; };
  EXPECT_EQ(drops("https://example.org/x"), "b");
  EXPECT_EQ(drops("https://WWW.Example.org:8080/x?y=https://blog.example.org/"), "b");
  EXPECT_EQ(drops("http://example.net"), "b");
  EXPECT_EQ(drops("https://blog.example.org/x"), "c");
  EXPECT_EQ(drops("https://notexample.org/x"), "a");
  EXPECT_EQ(SiteRules::Parse("[example.org]")->Find("https://example.com"), nullptr);
}

TEST(SiteRulesTest, SelectAndDropDecideWhatTheTextIs) {
  const std::string html =
      absl::StrCat("<h1>The pier</h1><div class=wall><p>", kLong, " Wall.</p><p>", kLong, " More wall.</p><p>", kLong,
                   " Yet more.</p></div><aside class='sidebar real'><p>", kLong, " Real.</p><p class=promo>", kLong,
                   " Promoted.</p></aside>");
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse("[example.org]\nselect = .real\ndrop = .promo\n");
  ASSERT_THAT(rules, IsOk());
  const Document page{.content = html, .media_type = "text/html", .url = "https://example.org/pier"};
  const absl::StatusOr<Extraction> with = Extract(page, {.site_rules = &*rules, .explain = true});
  ASSERT_THAT(with, IsOk());
  EXPECT_EQ(with->article.body, absl::StrCat(kLong, " Real."));
  EXPECT_THAT(with->blocks, Contains(::testing::Field(&Block::reason, "dropped by the site's rules")));
  const absl::StatusOr<Extraction> without = Extract(page);
  ASSERT_THAT(without, IsOk());
  EXPECT_THAT(without->article.body, AllOf(HasSubstr("Wall."), Not(HasSubstr("Real."))));
}

TEST(SiteRulesTest, FieldsStandAboveWhatWasFound) {
  const std::string html = absl::StrCat(
      "<title>Wrong</title><meta name=author content='Nobody Atall'><h1>Wrong</h1><h2 class=t>The pier</h2>"
      "<span class=who>By Jane Roe</span><time class=when datetime='2024-04-22'>yesterday</time><ul "
      "class=f><li>Ports</li>"
      "<li>Law</li></ul><p>",
      kLong, "</p><p>", kLong, " Again.</p>");
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(
      "[example.org]\ntitle = .t\nauthor = .who\npublished = .when @datetime\nlabel.issue = .f li\nsource = \"The "
      "Review\"\n"
      "summary = .not-there\nupdated = .t\n");
  ASSERT_THAT(rules, IsOk());
  const absl::StatusOr<Extraction> got =
      Extract({.content = html, .media_type = "text/html", .url = "https://example.org/pier"}, {.site_rules = &*rules});
  ASSERT_THAT(got, IsOk());
  EXPECT_EQ(got->article.title, "The pier");
  EXPECT_THAT(got->article.authors, ElementsAre("Jane Roe"));
  EXPECT_EQ(got->article.publish_time, absl::FromCivil(absl::CivilDay(2024, 4, 22), absl::UTCTimeZone()));
  EXPECT_EQ(got->article.publish_time_precision, TimePrecision::kDay);
  EXPECT_THAT(got->article.source_labels,
              AllOf(Contains(SourceLabel{"issue", "Ports"}), Contains(SourceLabel{"issue", "Law"})));
  EXPECT_EQ(got->article.source, "The Review");
  EXPECT_THAT(got->warnings, Contains(HasSubstr("updated: \"The pier\" is no date")));
}

TEST(SiteRulesTest, WhatIsDroppedMakesNoArticleOfAnErrorPage) {
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse("[*]\ndrop = .promo");
  ASSERT_THAT(rules, IsOk());
  Options options;
  options.site_rules = &*rules;
  Document document;
  document.content = absl::StrCat("<html><head><title>Page not found</title></head><body><h1>Page not found</h1><p>",
                                  kLong, "</p></body></html>");
  EXPECT_THAT(Extract(document, options), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("error message")));
}

TEST(PlaceOfTest, GivesASelectorThatMatchesTheElement) {
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(
      "<body><div id=a class='story  wide'><section class='md:w-1/2 part'><p id=7 class=lead>x</p></section></div>");
  ASSERT_THAT(document, IsOk());
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse("[*]\nselect = p.lead");
  ASSERT_THAT(rules, IsOk());
  const std::vector<int32_t> nodes = SelectNodes(*document, rules->Find("")->select);
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(PlaceOf(*document, nodes[0]), "div#a.story.wide > section.part > p.lead");
  const absl::StatusOr<SiteRules> same = SiteRules::Parse(absl::StrCat("[*]\nselect = ", PlaceOf(*document, nodes[0])));
  ASSERT_THAT(same, IsOk());
  EXPECT_EQ(SelectNodes(*document, same->Find("")->select), nodes);
}

}  // namespace
}  // namespace dateline::extraction
