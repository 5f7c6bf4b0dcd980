// How much memory a page takes. A program of its own, because all of it is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"

#include "extraction/extraction.h"
#include "tests/support/counted_memory.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using testing::IsOk;
using testing::MemoryPeak;

constexpr size_t kMaxTimes = 10;

constexpr char kArticle[] =
    "<h1>Harbour board meets</h1><p>The harbour board met on Tuesday to discuss the new quay, which the town has "
    "waited "
    "for since the storm of last winter took the old one.</p><p>Work begins in spring, and the fishing fleet moves to "
    "the inner basin until it is done, the chairman said after the meeting.</p>";

TEST(MemoryTest, PageOfManyCellsTakesLessThanTenTimesItsSize) {
  if (!testing::MemoryIsCounted()) GTEST_SKIP() << "a sanitizer has a malloc of its own";
  std::string page = absl::StrCat("<html><body>", kArticle, "<table>");
  for (int row = 0; row < 1500; ++row) {  // One node for every 17 bytes, as on pages of results.
    absl::StrAppend(&page, "<tr>");
    for (int cell = 0; cell < 6; ++cell) {
      absl::StrAppend(&page, "<td width=40 valign=\"top\">", row * 7 + cell, ",05</td>\n");
    }
    absl::StrAppend(&page, "</tr>\n");
  }
  absl::StrAppend(&page, "</table></body></html>");
  const Document document = {.content = page, .media_type = "text/html"};
  MemoryPeak peak;
  ASSERT_THAT(Extract(document), IsOk());
  EXPECT_LT(peak.bytes(), kMaxTimes * page.size());
}

TEST(MemoryTest, PageOfManyLinksTakesLessThanTenTimesItsSize) {
  if (!testing::MemoryIsCounted()) GTEST_SKIP() << "a sanitizer has a malloc of its own";
  std::string page = absl::StrCat("<html><body>", kArticle, "<ul>");
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&page, "<li class=\"entry\"><a class=\"name\" href=\"/a/", i, "\">No. ", i, "</a></li>\n");
  }
  absl::StrAppend(&page, "</ul></body></html>");
  const Document document = {.content = page, .media_type = "text/html"};
  MemoryPeak peak;
  (void)Extract(document);  // A list: that it is no article is found late.
  EXPECT_LT(peak.bytes(), kMaxTimes * page.size());
}

}  // namespace
}  // namespace dateline::extraction
