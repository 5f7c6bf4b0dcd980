#include "common/url.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"

namespace dateline::common {
namespace {

using ::dateline::testing::IsOkAndHolds;
using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

TEST(CanonicalUrlTest, TakesAwayWhatDoesNotTellArticlesApart) {
  EXPECT_THAT(CanonicalUrl("https://WWW.Example.com:443/a/./b/?utm_source=x&id=7#top"),
              IsOkAndHolds("www.example.com/a/b?id=7"));
}

TEST(CanonicalUrlTest, SchemesAndTrailingSlashesMakeNoDifference) {
  for (const std::string url :
       {"http://example.com/a", "https://example.com/a/", "HTTPS://EXAMPLE.COM/a//", "http://example.com:80/a?",
        "https://user:secret@example.com./a#x", "  https://example.com/x/../a "}) {
    EXPECT_THAT(CanonicalUrl(url), IsOkAndHolds("example.com/a")) << url;
  }
  EXPECT_THAT(CanonicalUrl("https://example.com/"), IsOkAndHolds("example.com"));
}

TEST(CanonicalUrlTest, DropsTrackingParametersAndKeepsTheRestInOrder) {
  EXPECT_THAT(CanonicalUrl("https://example.com/?b=2&UTM_Campaign=x&fbclid=1&a=1&gclid=2&&utm_id"),
              IsOkAndHolds("example.com?b=2&a=1"));
  EXPECT_THAT(CanonicalUrl("https://example.com/?fbclid=1"), IsOkAndHolds("example.com"));
  EXPECT_THAT(CanonicalUrl("https://example.com/?utmost=1"), IsOkAndHolds("example.com?utmost=1"));
}

TEST(CanonicalUrlTest, KeepsPortsCaseOfPathsAndOddParts) {
  EXPECT_THAT(CanonicalUrl("http://example.com:443/A"), IsOkAndHolds("example.com:443/A"));
  EXPECT_THAT(CanonicalUrl("https://example.com/a//b"), IsOkAndHolds("example.com/a//b"));
  EXPECT_THAT(CanonicalUrl("https://[2001:DB8::1]:8443/x"), IsOkAndHolds("[2001:db8::1]:8443/x"));
}

TEST(CanonicalUrlTest, SpellsEachCharacterOneWay) {
  EXPECT_THAT(CanonicalUrl("https://example.com/%7euser/caf%c3%a9"), IsOkAndHolds("example.com/~user/caf%C3%A9"));
  EXPECT_THAT(CanonicalUrl("https://example.com/~user/café"), IsOkAndHolds("example.com/~user/caf%C3%A9"));
  EXPECT_THAT(CanonicalUrl("https://example.com/100%/a b"), IsOkAndHolds("example.com/100%25/a%20b"));
}

TEST(CanonicalUrlTest, WritesHostsAsPunycode) {
  EXPECT_THAT(CanonicalUrl("https://Bücher.example/x"), IsOkAndHolds("xn--bcher-kva.example/x"));
}

TEST(CanonicalUrlTest, IsItsOwnCanonicalForm) {
  for (const std::string url : {"https://example.com/%25zz/%e2%80%a6?q=a%20b&c=%2f", "http://example.com/..//../a/?x",
                                "https://bücher.example:8080/%", "https://example.com/%3F?%23"}) {
    ASSERT_OK_AND_ASSIGN(const std::string once, CanonicalUrl(url));
    EXPECT_THAT(CanonicalUrl(absl::StrCat("https://", once)), IsOkAndHolds(once)) << url;
  }
}

TEST(CanonicalUrlTest, SaysWhatIsWrong) {
  const struct {
    std::string url;
    std::string problem;
  } kCases[] = {
      {"", "must begin with http"},
      {"example.com/a", "must begin with http"},
      {"ftp://example.com/", "must begin with http"},
      {"javascript:alert(1)", "must begin with http"},
      {"https://", "no host"},
      {"https:///path", "no host"},
      {"https://./", "no host"},
      {"https://example.com:99999/", "port"},
      {"https://example.com:8o/", "port"},
      {"https://exa mple.com/", "host is not a valid"},
      {"https://a..b/", "host is not a valid"},
      {"https://[::1/", "host is not a valid"},
      {"https://[zz]/", "IPv6"},
      {"https://example.com/a\nb", "control characters"},
      {"https://example.com/\xff", "UTF-8"},
      {"https://example.com/" + std::string(kMaxUrlBytes, 'a'), "longer than 8192"},
  };
  for (const auto& test : kCases) {
    EXPECT_THAT(CanonicalUrl(test.url), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(test.problem)))
        << test.url.substr(0, 80);
  }
}

TEST(UrlHostTest, GivesTheHostWithoutThePort) {
  EXPECT_THAT(UrlHost("https://user@News.Example.com:8080/x?y"), IsOkAndHolds("news.example.com"));
  EXPECT_THAT(UrlHost("mailto:x@example.com"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LooksLikeUrlTest, AsksForTheSchemeOnly) {
  EXPECT_TRUE(LooksLikeUrl("HTTPS://x"));
  EXPECT_FALSE(LooksLikeUrl("httpx://x"));
  EXPECT_FALSE(LooksLikeUrl("an-article-id"));
}

TEST(WithoutUserInfoTest, TakesOutWhatIsNotForOthers) {
  EXPECT_EQ(WithoutUserInfo("https://jane:s3cret@x.example/a?b=c@d#e@f"), "https://x.example/a?b=c@d#e@f");
  EXPECT_EQ(WithoutUserInfo("HTTP://jane@x.example:81"), "HTTP://x.example:81");
  EXPECT_EQ(WithoutUserInfo("https://a:b@c@x.example"), "https://x.example");
  EXPECT_EQ(WithoutUserInfo("https://x.example/@jane"), "https://x.example/@jane");
  EXPECT_EQ(WithoutUserInfo("mailto:jane@x.example"), "mailto:jane@x.example");
}

}  // namespace
}  // namespace dateline::common
