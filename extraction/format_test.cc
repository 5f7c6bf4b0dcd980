// What bytes and names say about what a file holds.
#include "extraction/format.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace dateline::extraction {
namespace {

TEST(DetectFormatTest, GoesByContentFirstAndByNameThen) {
  EXPECT_EQ(DetectFormat("x.txt", "<!DOCTYPE html><html>"), Format::kHtml);
  EXPECT_EQ(DetectFormat("", "  <?xml version='1.0'?><!-- c --><rss version='2.0'>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<feed xmlns='http://www.w3.org/2005/Atom'>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'b'>]><rss>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<rdf:RDF xmlns:rdf='x'>"), Format::kFeed);
  EXPECT_EQ(DetectFormat("", "<?xml version='1.0'?><urlset xmlns='x'>"), Format::kSitemap);
  EXPECT_EQ(DetectFormat("feed.xml", "<sitemapindex>"), Format::kSitemap);
  EXPECT_EQ(DetectFormat("", "<html><body>a feed that is HTML"), Format::kHtml);
  EXPECT_EQ(DetectFormat("page.html", "words"), Format::kHtml);
  EXPECT_EQ(DetectFormat("page", "words <p>and</p> tags"), Format::kHtml);
  EXPECT_EQ(DetectFormat("page", "if a < b and c > d"), Format::kText);
  EXPECT_EQ(DetectFormat("picture.html", "\x89PNG\r\n"), Format::kUnknown);
  EXPECT_EQ(DetectFormat("table.csv", "title,body\n"), Format::kCsv);
  EXPECT_EQ(DetectFormat("", "title,body\n"), Format::kText) << "commas are no sign of a table";
  EXPECT_EQ(DetectFormat("-", "title;Body;url\nA;B;C\n"), Format::kCsv) << "three known names are";
  EXPECT_EQ(DetectFormat("-", "\"id\"\t\"title\"\t\"body\"\r\n1\tA\tB\n"), Format::kCsv);
  EXPECT_EQ(DetectFormat("-", "Title, body and soul, a date\n"), Format::kText);
  EXPECT_EQ(DetectFormat("page.txt", "title,body,url\n"), Format::kText);
  EXPECT_EQ(DetectFormat("page.html", "%PDF-1.7\n"), Format::kPdf);
}

TEST(DetectFormatTest, TellsJsonLinesFromOneDocument) {
  EXPECT_EQ(DetectFormat("articles.jsonl", "{\"title\": \"x\"}"), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("-", "{\"title\": \"x\"}\n{\"title\""), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("-", "{\"title\": \"} {\\\" \"}\n"), Format::kJsonLines)
      << "a first line, the next may follow";
  EXPECT_EQ(DetectFormat("broken.jsonl", "not json"), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("one.json", "{\"title\": \"x\"}\n"), Format::kJson);
  EXPECT_EQ(DetectFormat("many.json", "{\"title\": \"x\"}\n{\"title\": \"y\"}\n"), Format::kJsonLines);
  EXPECT_EQ(DetectFormat("-", "{\n  \"title\": \"x\"\n}\n"), Format::kJson);
  EXPECT_EQ(DetectFormat("-", "[\n  {\"title\": \"x\"}]"), Format::kJson);
  EXPECT_EQ(DetectFormat("-", "[1] A footnote, in plain text."), Format::kText);
  EXPECT_EQ(DetectFormat("-", "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[]}"), Format::kJson);
}

TEST(DetectFormatTest, KnowsMailByItsHeader) {
  const std::string header =
      "Received: from mx\n\tby mail; Tue\nFrom: Jane Roe <jane@example.org>\nTo: x@example.org\nSubject: The Lease\n";
  EXPECT_EQ(DetectFormat("", absl::StrCat(header, "\nText.")), Format::kMail);
  EXPECT_EQ(DetectFormat("", absl::StrCat("From jane@example.org Tue Sep 19 10:30:00 2023\n", header)), Format::kMail);
  EXPECT_EQ(DetectFormat("letter.eml", "Subject: The Lease\n\nText."), Format::kMail);
  EXPECT_EQ(DetectFormat("", "Subject: The Lease\n\nText."), Format::kText) << "a page may begin so";
  EXPECT_EQ(DetectFormat("", "From here the road goes on.\nFrom: nowhere"), Format::kText);
}

TEST(DetectFormatTest, KnowsWhatIsPacked) {
  EXPECT_EQ(DetectFormat("", "\x1F\x8B\x08"), Format::kArchive);
  EXPECT_EQ(DetectFormat("", "\x28\xB5\x2F\xFD"), Format::kArchive);
  EXPECT_EQ(DetectFormat("", "BZh91AY&SY"), Format::kArchive);
  EXPECT_EQ(DetectFormat("", "BZhirinovsky, the party's founder"), Format::kText);
  EXPECT_EQ(DetectFormat("", "PK\x03\x04"), Format::kArchive);
  EXPECT_EQ(DetectFormat("", absl::StrCat("name", std::string(253, '\0'), "ustar", std::string(250, '\0'))),
            Format::kArchive);
}

TEST(FormatNameTest, GoesBothWays) {
  for (const Format format : KnownFormats()) {
    EXPECT_EQ(FormatFromName(FormatName(format)), format);
  }
  EXPECT_EQ(FormatFromName("unknown"), std::nullopt);
}

TEST(MayHoldArticlesTest, LooksThroughWhatIsPacked) {
  for (const char* name : {"a/page.html", "FEED.XML", "x.jsonl.zst", "export.xml.gz", "all.zip", "all.tar.xz",
                           "all.tgz", "letters.mbox", "report.pdf", "table.csv.bz2", "saved.mht", "saved.mhtml"}) {
    EXPECT_TRUE(MayHoldArticles(name)) << name;
  }
  for (const char* name : {"a/page.css", "photo.jpg.gz", "data.gz", ".hidden.html", "a/._page.html", "", "a/"}) {
    EXPECT_FALSE(MayHoldArticles(name)) << name;
  }
}

}  // namespace
}  // namespace dateline::extraction
