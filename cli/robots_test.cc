// RFC 9309, by its own examples and by what sites write.
#include "cli/robots.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace dateline::cli {
namespace {

TEST(RobotsTest, OfTheGroupsThatOfTheCrawlerCounts) {
  const RobotsRules rules = RobotsRules::Parse(
      "User-agent: *\nDisallow: /all/\nUser-Agent: foo\nuser-agent: DateLine/1.0 # ours\nDisallow: /own/\n\n"
      "User-agent: dateline\nDisallow: /more/\n",
      "dateline");
  EXPECT_TRUE(rules.Allows("/all/page"));
  EXPECT_FALSE(rules.Allows("/own/page"));
  EXPECT_FALSE(rules.Allows("/more/page")) << "groups of one name are one";
}

TEST(RobotsTest, WithoutOneThatForEverybodyCounts) {
  const RobotsRules rules = RobotsRules::Parse(
      "\xEF\xBB\xBFUser-agent: datelinebot\r\nDisallow: /\r\nUser-agent: *\r\nDisallow: /private\r\n", "dateline");
  EXPECT_TRUE(rules.Allows("/"));
  EXPECT_FALSE(rules.Allows("/private"));
  EXPECT_FALSE(rules.Allows("/private-things?x=1"));
  EXPECT_TRUE(rules.Allows("/Private")) << "paths have case";
}

TEST(RobotsTest, TheLongestRuleDecidesAndAmongEqualsTheOneThatAllows) {
  const RobotsRules rules = RobotsRules::Parse(
      "User-agent: *\nDisallow: /a\nAllow: /a/public\nDisallow: /a/public/not\nAllow: /same\nDisallow: "
      "/same\nDisallow:\n",
      "dateline");
  EXPECT_FALSE(rules.Allows("/a/x"));
  EXPECT_TRUE(rules.Allows("/a/public/x"));
  EXPECT_FALSE(rules.Allows("/a/public/not/x"));
  EXPECT_TRUE(rules.Allows("/same"));
  EXPECT_TRUE(rules.Allows("/b"));
}

TEST(RobotsTest, StarsAndTheEnd) {
  const RobotsRules rules =
      RobotsRules::Parse("User-agent: *\nDisallow: /*.gif$\nDisallow: /*/print*page\nDisallow: *?s=\n", "dateline");
  EXPECT_FALSE(rules.Allows("/a/b.gif"));
  EXPECT_FALSE(rules.Allows("/a.gif/b.gif"));
  EXPECT_TRUE(rules.Allows("/a.gif?x"));
  EXPECT_FALSE(rules.Allows("/a/print/this/page/2"));
  EXPECT_TRUE(rules.Allows("/a/print/this"));
  EXPECT_FALSE(rules.Allows("/?s=x"));
}

TEST(RobotsTest, SpellingsOfOneAddressAreOne) {
  const RobotsRules rules =
      RobotsRules::Parse("User-agent: *\nDisallow: /caf\xC3\xA9\nDisallow: /%61b%2fc\n", "dateline");
  EXPECT_FALSE(rules.Allows("/caf%c3%a9/x"));
  EXPECT_FALSE(rules.Allows("/ab%2Fc"));
  EXPECT_TRUE(rules.Allows("/ab/c"));
}

TEST(RobotsTest, KnowsTheDelay) {
  EXPECT_EQ(RobotsRules::Parse("User-agent: *\nCrawl-delay: 2.5\n", "dateline").crawl_delay(), absl::Seconds(2.5));
  EXPECT_EQ(RobotsRules::Parse("User-agent: *\nCrawl-delay: soon\n", "dateline").crawl_delay(), std::nullopt);
}

TEST(RobotsTest, WhatMeansNothingIsPassedOver) {
  for (const char* text : {"", "<html><body>404</body></html>", "Disallow: /\n", "User-agent\nDisallow /\n"}) {
    EXPECT_TRUE(RobotsRules::Parse(text, "dateline").Allows("/page")) << text;
  }
  EXPECT_TRUE(RobotsRules::AllowAll().Allows("/page"));
  EXPECT_TRUE(RobotsRules::Parse("User-agent: *\nDisallow: /\n", "dateline").Allows("/robots.txt"));
}

TEST(RobotsTest, HostileRulesTakeBoundedTime) {
  std::string text = "User-agent: *\n";
  while (text.size() < kMaxRobotsBytes) absl::StrAppend(&text, "Disallow: /", std::string(60, '*'), "a*b\n");
  const RobotsRules rules = RobotsRules::Parse(text, "dateline");
  const absl::Time start = absl::Now();
  EXPECT_TRUE(rules.Allows(absl::StrCat("/", std::string(8000, 'a'))));
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

}  // namespace
}  // namespace dateline::cli
