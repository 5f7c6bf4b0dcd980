#include "extraction/site_rules.h"

#include <gumbo.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
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
using ::testing::IsEmpty;
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

TEST(HtmlDocumentTest, KeepsAttributesWithEntitiesAndWithout) {
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(
      "<div class='a b' id='x&amp;y' class='c' role=note><p CLASS=\"a b\" itemprop='&quot;é&quot;'><a href=/author/jo "
      "class=''>Jo</a> <b hidden>bold</b><x-y>own</x-y><table><td id=cell>1");
  ASSERT_THAT(document, IsOk());
  std::string seen;
  for (int32_t i = 0; i < document->size(); ++i) {
    for (const char* name : {"class", "id", "role", "itemprop", "data-a", "hidden"}) {
      if (document->HasAttribute(i, name)) {
        absl::StrAppend(&seen, name, "=", document->Attribute(i, name), document->node(i).link ? " link" : "",
                        document->node(i).bold ? " bold" : "", "\n");
      }
    }
  }
  EXPECT_EQ(seen,
            "class=a b\nid=x&y\nrole=note\nclass=a b\nitemprop=\"é\"\nclass= link\ndata-a=/author/jo link\n"
            "hidden= bold\nclass=x-y\nid=cell\n");
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
  EXPECT_EQ(IdsOf(kHtml, "*[id=f] *"), "g");
  EXPECT_EQ(IdsOf(kHtml, "div div"), "f") << "an element is not around itself";
  EXPECT_EQ(IdsOf(kHtml, "div div div"), "");
  EXPECT_EQ(IdsOf(kHtml, "div[role='note'] > *"), "g");
}

// Whether the steps of `selector` up to `step` match `node` and what is around it, told step by step from the node.
// Knows elements and classes alone.
bool Matches(const HtmlDocument& document, int32_t node, const Selector& selector, size_t step) {
  const SimpleSelector& simple = selector[step];
  const std::vector<std::string> classes = absl::StrSplit(document.Attribute(node, "class"), ' ');
  const bool here = (simple.element.empty() || simple.element == gumbo_normalized_tagname(document.node(node).tag)) &&
                    std::all_of(simple.classes.begin(), simple.classes.end(), [&](const std::string& name) {
                      return std::find(classes.begin(), classes.end(), name) != classes.end();
                    });
  if (!here || step == 0) {
    return here;
  }
  for (int32_t around = document.node(node).parent; around != kNoNode; around = document.node(around).parent) {
    if (Matches(document, around, selector, step - 1)) {
      return true;
    }
    if (simple.child) {
      return false;
    }
  }
  return false;
}

TEST(SelectNodesTest, MatchesWhatASlowReadingOfCssDoes) {
  std::mt19937 random(7);
  const auto pick = [&random](size_t count) { return random() % count; };
  for (int round = 0; round < 50; ++round) {
    std::string html;
    for (int i = 0; i < 60; ++i) {
      absl::StrAppend(&html, "<", pick(2) == 0 ? "div" : "section", " class='c", pick(4), " c", pick(4), "'>x");
      for (size_t closed = pick(3); closed > 0; --closed) {
        html += "</div></section>";
      }
    }
    std::string text;
    for (int i = 0; i < 6; ++i) {
      absl::StrAppend(&text, i > 0 ? ", " : "", pick(2) == 0 ? "div" : "*");
      for (size_t step = 1 + pick(3); step > 0; --step) {
        absl::StrAppend(&text, pick(3) == 0 ? " > " : " ", pick(4) == 0 ? "section" : "", ".c", pick(4));
      }
    }
    const absl::StatusOr<SiteRules> rules = SiteRules::Parse(absl::StrCat("[*]\ndrop = ", text));
    ASSERT_THAT(rules, IsOk()) << text;
    const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
    ASSERT_THAT(document, IsOk());
    const std::vector<Selector>& selectors = rules->Find("")->drop;
    std::vector<int32_t> expected;
    for (int32_t i = 0; i < document->size(); ++i) {
      if (!document->node(i).is_text && std::any_of(selectors.begin(), selectors.end(), [&](const Selector& selector) {
            return Matches(*document, i, selector, selector.size() - 1);
          })) {
        expected.push_back(i);
      }
    }
    EXPECT_EQ(MatchRule(*document, *rules->Find("")).drop, expected) << text << "\n" << html;
  }
}

TEST(MatchRuleTest, GivesUpAfterSoManyComparisons) {
  std::string html = "<html><body><article><h1>The Lease of the Port</h1>";
  for (int i = 0; i < 30'000; ++i) {
    html += "<div><p>x</div>";
  }
  std::string text = "[x.example]\n";
  for (size_t i = 0; i < kMaxSiteSelectors; ++i) {
    absl::StrAppend(&text, "drop = aside > p\n");
  }
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(text);
  ASSERT_THAT(rules, IsOk());
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
  ASSERT_THAT(document, IsOk());
  EXPECT_FALSE(MatchRule(*document, *rules->Find("https://x.example/1")).complete);
  Options options;
  options.site_rules = &*rules;
  const absl::StatusOr<Extraction> extraction =
      Extract({.content = html, .media_type = "text/html", .url = "https://x.example/1"}, options);
  EXPECT_THAT(extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("[x.example]")));
  EXPECT_EQ(common::ReasonOf(extraction.status()), kRulesTakeTooLong);
}

TEST(SelectNodesTest, ManySelectorsCostLittleMoreThanOne) {
  std::string html;
  for (int i = 0; i < 20'000; ++i) {
    absl::StrAppend(&html, "<div class='c", i % 5000, " wide'><p class=text>x</div>");
  }
  const absl::StatusOr<HtmlDocument> document = HtmlDocument::Parse(html);
  ASSERT_THAT(document, IsOk());
  const auto seconds = [&](size_t count) {
    std::string text = "[*]\n";
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&text, "drop = .a", i, " .b", i, " > .c", i, "\n");
    }
    const absl::StatusOr<SiteRules> rules = SiteRules::Parse(text);
    EXPECT_THAT(rules, IsOk());
    const std::clock_t start = std::clock();
    EXPECT_THAT(MatchRule(*document, *rules->Find("")).drop, IsEmpty());
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  seconds(1);  // Warms up.
  EXPECT_LT(seconds(kMaxSiteSelectors), 100 * seconds(1) + 0.01) << "and not two thousand times that";
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
           {"[a.org]\n\npublished = \"yesterday\"",
            "line 3: published: \"yesterday\" is no date; write one as in \"2024-04-22\", or without quotes the "
            "selector"},
           {"[a.org]\nupdated = \".meta\"", "line 2: updated: \".meta\" is no date"},
           {"[a.org]\npublished = yesterday", "line 2: published: \"yesterday\": <yesterday> can't be selected"},
           {"[a.org]\nselect = \".x\"", "line 2: select: \"\".x\"\": '\"' is not understood"},
           {"[a.org]\ntitle = \xFF", "is not UTF-8"}}) {
    EXPECT_THAT(SiteRules::Parse(c.text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message))) << c.text;
  }
}

TEST(SiteRulesTest, ASectionHasALimitOfSelectors) {
  std::string lines = "[a.org, b.org]\nselect = article\n";
  for (size_t i = 1; i < kMaxSiteSelectors; ++i) {
    absl::StrAppend(&lines, i % 2 == 0 ? "drop" : "label.topic", " = .c", i, "\n");
  }
  EXPECT_THAT(SiteRules::Parse(lines), IsOk());
  EXPECT_THAT(SiteRules::Parse(absl::StrCat(lines, "[c.org]\ndrop = .x\n")), IsOk()) << "another section";
  EXPECT_THAT(SiteRules::Parse(absl::StrCat(lines, "title = h1\n")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 2002: title: is beyond the 2000 selectors that [a.org, b.org] may have")));
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

TEST(SiteRulesTest, ASelectThatMatchesNothingIsAWarning) {
  const std::string text = absl::StrCat("<div class=story><h1>The pier</h1><p>", kLong, "</p><p>", kLong, "</p></div>");
  const absl::StatusOr<SiteRules> rules =
      SiteRules::Parse("[example.org, example.net]\nselect = .body\nselect = .text\ndrop = .none\n");
  ASSERT_THAT(rules, IsOk());
  Document page{.content = text, .media_type = "text/html", .url = "https://example.org/pier"};
  const absl::StatusOr<Extraction> missed = Extract(page, {.site_rules = &*rules});
  ASSERT_THAT(missed, IsOk());
  EXPECT_THAT(missed->article.body, HasSubstr(kLong));
  EXPECT_THAT(missed->warnings,
              ElementsAre("site rules of example.org, example.net: select: \".body, .text\" matches nothing on this "
                          "page; the text was found without it"));
  page.content = absl::StrCat("<div class=text>", text, "</div>");
  const absl::StatusOr<Extraction> found = Extract(page, {.site_rules = &*rules});
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(found->warnings, ElementsAre());
  // Nobody has said then that there is a text.
  page.content = absl::StrCat("<html><head><title>Page not found</title></head><body><h1>Page not found</h1><p>", kLong,
                              "</p></body></html>");
  EXPECT_THAT(Extract(page, {.site_rules = &*rules}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("error message")));
  page.content = "<p>Sign in</p><p><a href=/>Home</a></p><p><a href=/x>More</a></p>";
  EXPECT_THAT(Extract(page, {.site_rules = &*rules}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\".body, .text\" matches nothing")));
}

TEST(SiteRulesTest, AFieldThatEveryPageHasAndThatFindsNothingIsAWarning) {
  const absl::StatusOr<SiteRules> rules = SiteRules::Parse(
      "[*]\ntitle = .old-headline\ntitle = .headline\nauthor = .who\npublished = .when @datetime\nsummary = .lead\n");
  ASSERT_THAT(rules, IsOk());
  const std::string html =
      absl::StrCat("<h1 class=headline>The pier</h1><time class=when></time><p>", kLong, "</p><p>", kLong, "</p>");
  const absl::StatusOr<Extraction> got = Extract({.content = html, .media_type = "text/html"}, {.site_rules = &*rules});
  ASSERT_THAT(got, IsOk());
  EXPECT_THAT(got->warnings, ElementsAre("site rules of *: author: \".who\" finds nothing on this page",
                                         "site rules of *: published: \".when @datetime\" finds nothing on this page"));
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
