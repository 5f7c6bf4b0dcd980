#include "web_gateway/static_site.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "web_gateway/gzip.h"

namespace dateline::web_gateway {
namespace {

using ::dateline::testing::StatusIs;
using ::testing::HasSubstr;

std::string HeaderOf(const HttpResponse& response, absl::string_view name) {
  return std::string(FindHeader(response.headers, name).value_or("(none)"));
}

TEST(StaticSiteTest, ServesIndexForFoldersWithTypeAndETag) {
  const StaticSite site({{"index.html", "<p>"}, {"assets/page.js", "1"}, {"help/index.html", "<h1>"}});
  ASSERT_TRUE(site.Get("/", {}).has_value());
  EXPECT_EQ(site.Get("/", {})->body, "<p>");
  EXPECT_EQ(site.Get("/help/", {})->body, "<h1>");
  EXPECT_EQ(HeaderOf(*site.Get("/", {}), "content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(HeaderOf(*site.Get("/assets/page.js", {}), "content-type"), "text/javascript; charset=utf-8");
  const std::string etag = HeaderOf(*site.Get("/", {}), "etag");
  const auto known = site.Get("/", {{"if-none-match", etag}});
  EXPECT_EQ(known->status, 304);
  EXPECT_EQ(known->body, "");
}

TEST(StaticSiteTest, CompressesForThoseWhoTakeIt) {
  const std::string script(5000, 'a');
  const StaticSite site({{"index.html", ""}, {"page.js", script}});
  EXPECT_EQ(site.Get("/page.js", {})->body, script);
  const auto packed = site.Get("/page.js", {{"accept-encoding", "gzip"}});
  EXPECT_EQ(HeaderOf(*packed, "content-encoding"), "gzip");
  EXPECT_EQ(*Gunzip(packed->body, 10000), script);
  EXPECT_EQ(HeaderOf(*site.Get("/", {{"accept-encoding", "gzip"}}), "content-encoding"), "(none)");
}

TEST(StaticSiteTest, KnowsOnlyItsOwnFiles) {
  const testing::TempDir dir;
  dir.Write("page/index.html", "<p>");
  dir.Write("page/.secret", "s");
  dir.Write("page/.git/config", "s");
  dir.Write("outside.txt", "o");
  ASSERT_OK_AND_ASSIGN(const StaticSite site, StaticSite::Load(dir.path() + "/page"));
  EXPECT_TRUE(site.Get("/index.html", {}).has_value());
  for (const char* path :
       {"/../outside.txt", "/%2e%2e/outside.txt", "/.secret", "/.git/config", "", "//", "/index.html/"}) {
    EXPECT_FALSE(site.Get(path, {}).has_value()) << path;
  }
}

TEST(StaticSiteTest, NeedsAFolderWithAnIndex) {
  const testing::TempDir dir;
  EXPECT_THAT(StaticSite::Load(dir.path()), StatusIs(absl::StatusCode::kNotFound, HasSubstr("index.html")));
  EXPECT_THAT(StaticSite::Load(dir.path() + "/none"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST(StaticSiteTest, HasThePageBuiltIn) {
  const StaticSite site(BuiltInPage());
  ASSERT_TRUE(site.Get("/", {}).has_value());
  EXPECT_THAT(site.Get("/", {})->body, HasSubstr("<title>Dateline</title>"));
  for (const char* path : {"/assets/page.js", "/assets/page.css", "/favicon.svg"}) {
    ASSERT_TRUE(site.Get(path, {}).has_value()) << path;
    EXPECT_GT(site.Get(path, {})->body.size(), 100) << path;
  }
}

}  // namespace
}  // namespace dateline::web_gateway
