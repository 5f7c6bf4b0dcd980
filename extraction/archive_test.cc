// Archives, compressed files and PDFs.
#include <archive.h>
#include <archive_entry.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error.h"
#include "extraction/pdf_reader.h"
#include "extraction/source_reader.h"
#include "extraction/testing_sources.h"
#include "tests/support/status_matchers.h"

namespace dateline::extraction {
namespace {

using ::dateline::testing::IsOk;
using ::dateline::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kJsonLine[] = "{\"title\":\"one\",\"body\":\"Text.\"}\n";

using Files = std::vector<std::pair<std::string, std::string>>;
using PackStep = int (*)(archive*);

la_ssize_t Append(archive* /*writer*/, void* packed, const void* bytes, size_t size) {
  static_cast<std::string*>(packed)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

// An archive of `files`, or with the format "raw" one compressed file.
std::string Pack(const Files& files, PackStep format, PackStep filter) {
  std::string packed;
  archive* const writer = archive_write_new();
  EXPECT_EQ(format(writer), ARCHIVE_OK);
  EXPECT_EQ(filter(writer), ARCHIVE_OK);
  archive_write_set_filter_option(writer, "gzip", "compression-level", "1");  // Fast; other filters don't mind.
  EXPECT_EQ(archive_write_set_bytes_in_last_block(writer, 1), ARCHIVE_OK);    // No zeros after the end.
  EXPECT_EQ(archive_write_open(writer, &packed, nullptr, &Append, nullptr), ARCHIVE_OK);
  for (const auto& [name, content] : files) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    EXPECT_EQ(archive_write_header(writer, entry), ARCHIVE_OK);
    EXPECT_EQ(archive_write_data(writer, content.data(), content.size()), static_cast<la_ssize_t>(content.size()));
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_write_free(writer);
  return packed;
}

TEST(ArchiveTest, ReadsWhatIsCompressed) {
  for (const PackStep filter : {PackStep(archive_write_add_filter_gzip), PackStep(archive_write_add_filter_bzip2),
                                PackStep(archive_write_add_filter_xz), PackStep(archive_write_add_filter_zstd)}) {
    const std::string packed = Pack({{"data", kJsonLine}}, archive_write_set_format_raw, filter);
    const std::vector<SourceItem> items = ReadAll(packed, {.path = "x/export.jsonl.gz"}, 3);
    ASSERT_THAT(items, SizeIs(1));
    ASSERT_THAT(items[0].extraction, IsOk());
    EXPECT_EQ(items[0].extraction->article.title, "one");
    EXPECT_EQ(items[0].position, "line 1");
    EXPECT_EQ(items[0].format, Format::kJsonLines);
  }
}

TEST(ArchiveTest, ReadsTheFilesOfAnArchiveAndPassesOverOthers) {
  const Files files = {{"a/feed.xml", "<rss><channel><item><title>One</title></item><item/></channel></rss>"},
                       {"a/photo.jpg", std::string(100'000, 'x')},
                       {"__MACOSX/a/page.html", "<p>x"},
                       {"b.jsonl", kJsonLine},
                       {"c.html", "no article"}};
  for (const PackStep format :
       {PackStep(archive_write_set_format_zip), PackStep(archive_write_set_format_pax_restricted)}) {
    const std::string packed = Pack(files, format, archive_write_add_filter_none);
    auto reader = SourceReader::Open(Pieces(packed, 1000), {});
    ASSERT_THAT(reader, IsOk());
    std::vector<SourceItem> items;
    while (std::optional<SourceItem> item = (*reader)->Next()) {
      items.push_back(*std::move(item));
    }
    ASSERT_THAT(items, SizeIs(4));
    EXPECT_EQ(items[0].position, "a/feed.xml, entry 1");
    EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("neither")));
    EXPECT_EQ(items[2].position, "b.jsonl, line 1");
    EXPECT_EQ(items[3].position, "c.html");
    EXPECT_EQ((*reader)->skipped(), 2);
  }
}

TEST(ArchiveTest, ReadsArchivesWithinOthersToADepth) {
  std::string packed = kJsonLine;
  std::string name = "x.jsonl";
  for (int depth = 1; depth <= 4; ++depth) {
    packed = Pack({{name, packed}}, archive_write_set_format_zip, archive_write_add_filter_none);
    name = absl::StrCat(depth, ".zip");
    const std::vector<SourceItem> items = ReadAll(packed);
    ASSERT_THAT(items, SizeIs(1));
    if (depth <= kMaxArchiveDepth) {
      EXPECT_THAT(items[0].extraction, IsOk());
    } else {
      EXPECT_THAT(items[0].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("within 3 others")));
    }
  }
}

TEST(ArchiveTest, ABombEndsInTime) {
  // 120 MB of line ends, as a page that is read, and as a file that is passed over.
  const std::string zeros(120'000'000, '\n');
  for (const char* name : {"page.txt", "bomb.bin", "lines.jsonl"}) {
    const std::string packed = Pack({{name, zeros}, {"last.jsonl", kJsonLine}}, archive_write_set_format_pax_restricted,
                                    archive_write_add_filter_gzip);
    ASSERT_LT(packed.size(), 1'000'000);
    const std::vector<SourceItem> items = ReadAll(packed, {}, 65'536);
    ASSERT_FALSE(items.empty()) << name;
    EXPECT_EQ(common::ReasonOf(items.back().extraction.status()), kUnpacksTooLarge) << name;
  }
}

std::string Noise(size_t size) {
  std::string noise;
  for (uint32_t state = 1; noise.size() < size;) {
    state = state * 1'664'525 + 1'013'904'223;
    noise.push_back(static_cast<char>('a' + (state >> 24) % 26));
  }
  return noise;
}

// The positions of `items`, those of errors with a sign before them.
std::vector<std::string> Outcomes(const std::vector<SourceItem>& items) {
  std::vector<std::string> outcomes;
  for (const SourceItem& item : items) {
    outcomes.push_back(absl::StrCat(item.extraction.ok() ? "" : "!", item.position));
  }
  return outcomes;
}

TEST(ArchiveTest, AnArchiveThatEndsEarlyIsOneError) {
  for (const PackStep format : {PackStep(archive_write_set_format_zip), PackStep(archive_write_set_format_ustar)}) {
    for (const PackStep filter : {PackStep(archive_write_add_filter_none), PackStep(archive_write_add_filter_gzip)}) {
      const std::string packed = Pack({{"a.jsonl", kJsonLine}, {"b.html", Noise(200'000)}}, format, filter);
      const size_t half = filter == PackStep(archive_write_add_filter_gzip) ? packed.size() * 3 / 4 : packed.size() / 2;
      const std::vector<SourceItem> items = ReadAll(packed.substr(0, half));
      ASSERT_THAT(Outcomes(items), ElementsAre("a.jsonl, line 1", "!b.html"));
      EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kMalformedArchive);
      EXPECT_THAT(items[1].extraction.status().message(), HasSubstr("nothing after it in the archive can be read"));
      EXPECT_TRUE(items[1].cuts_off);
    }
  }
  const std::vector<SourceItem> garbage =
      ReadAll("\x1F\x8B\x08garbage that is no gzip at all, however long it goes on");
  ASSERT_THAT(garbage, SizeIs(1));
  EXPECT_EQ(common::ReasonOf(garbage[0].extraction.status()), kMalformedArchive);
}

// Writes nonsense over the packed data of a file.
void Damage(const std::string& name, size_t bytes, std::string* packed) {
  const size_t data = packed->find(name) + name.size() + 40;  // Behind what a header of a zip adds to the name.
  packed->replace(data, bytes, bytes, '\xFF');
}

TEST(ArchiveTest, OfASmallFileThatIsCutOffAllIsReadThatIsThere) {
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    absl::StrAppend(&lines, R"({"title":"No. )", i, R"(","body":"The harbour board met on day )", i * 7919 % 1000,
                    R"(."})", "\n");
  }
  const std::string packed = Pack({{"data", lines}}, archive_write_set_format_raw, archive_write_add_filter_gzip);
  for (const size_t missing : {size_t{4}, size_t{60}}) {  // A part of the checksum; of the text.
    for (const size_t piece : {size_t{5}, size_t{4096}}) {
      const std::vector<SourceItem> items =
          ReadAll(packed.substr(0, packed.size() - missing), {.path = "export.jsonl.gz"}, piece);
      ASSERT_GE(items.size(), 20) << missing;
      EXPECT_THAT(items[0].extraction, IsOk());
      EXPECT_EQ(items[19].extraction->article.title, "No. 19");
      EXPECT_THAT(items.back().extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unpacked")));
      EXPECT_TRUE(items.back().cuts_off);
    }
  }
  const std::vector<SourceItem> nothing = ReadAll(packed.substr(0, 12), {.path = "export.jsonl.gz"});
  ASSERT_THAT(nothing, SizeIs(1));
  EXPECT_TRUE(nothing[0].cuts_off);
}

TEST(ArchiveTest, ADamagedFileHarmsNoOther) {
  // Such a zip states how long a file is behind its data.
  const Files files = {{"a.jsonl", kJsonLine},
                       {"b.html", Noise(150'000)},
                       {"c.jsonl", kJsonLine},
                       {"d.jpg", Noise(2'000)},
                       {"e.jsonl", kJsonLine}};
  std::string packed = Pack(files, archive_write_set_format_zip, archive_write_add_filter_none);
  Damage("b.html", 50, &packed);
  Damage("d.jpg", 50, &packed);
  for (const size_t piece : {size_t{1'000}, size_t{1'000'000}}) {
    const std::vector<SourceItem> items = ReadAll(packed, {}, piece);
    ASSERT_THAT(Outcomes(items), ElementsAre("a.jsonl, line 1", "!b.html", "c.jsonl, line 1", "e.jsonl, line 1"));
    EXPECT_EQ(common::ReasonOf(items[1].extraction.status()), kMalformedArchive);
    EXPECT_THAT(items[1].extraction.status().message(), HasSubstr("is damaged and cannot be unpacked"));
    EXPECT_THAT(items[1].extraction.status().message(), Not(HasSubstr("nothing after it")));
  }
}

TEST(ArchiveTest, ADamagedFileThatIsTheLastTakesNothingWithIt) {
  std::string packed = Pack({{"a.jsonl", kJsonLine}, {"b.jsonl", Noise(2'000)}}, archive_write_set_format_zip,
                            archive_write_add_filter_none);
  Damage("b.jsonl", 50, &packed);
  const std::vector<SourceItem> items = ReadAll(packed);
  ASSERT_THAT(Outcomes(items), ElementsAre("a.jsonl, line 1", ::testing::StartsWith("!b.jsonl")));
  EXPECT_THAT(items[1].extraction.status().message(), Not(HasSubstr("nothing after it")));
}

// A file in a zip, whose header states its length; its checksum is that of nothing.
std::string FileInZip(const std::string& name, const std::string& data, char method) {
  std::string header("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
  header[8] = method;
  for (const size_t length : {data.size(), data.size(), name.size()}) {
    header.append({static_cast<char>(length), '\0', '\0', '\0'});
  }
  return absl::StrCat(header, name, data);
}

TEST(ArchiveTest, NamesMayBeInAnyScript) {
  std::string named = FileInZip("\u65e5\u672c.jsonl", kJsonLine, 0);
  named[7] = '\x08';  // The bit that says that the name is UTF-8.
  std::string nameless = FileInZip("", kJsonLine, 0);
  const std::vector<SourceItem> items =
      ReadAll(absl::StrCat(named, nameless, FileInZip("caf\xE9.jsonl", kJsonLine, 0), std::string("PK\x01\x02", 4)));
  // (The checksums of all are wrong.)
  ASSERT_THAT(Outcomes(items), ElementsAre("!\u65e5\u672c.jsonl", "!", "!caf\uFFFD.jsonl"));
  EXPECT_THAT(items[1].extraction.status().message(), HasSubstr("name cannot be read"));
  const std::string tar =
      Pack({{"\u65e5\u672c.jsonl", kJsonLine}}, archive_write_set_format_ustar, archive_write_add_filter_none);
  EXPECT_THAT(Outcomes(ReadAll(tar)), ElementsAre("\u65e5\u672c.jsonl, line 1"));
}

TEST(ArchiveTest, AnArchiveAfterTheEndOfAnotherIsReadOn) {
  for (const PackStep format : {PackStep(archive_write_set_format_zip), PackStep(archive_write_set_format_ustar)}) {
    const bool is_tar = format == PackStep(archive_write_set_format_ustar);
    for (const PackStep filter : {PackStep(archive_write_add_filter_none), PackStep(archive_write_add_filter_gzip),
                                  PackStep(archive_write_add_filter_bzip2), PackStep(archive_write_add_filter_xz)}) {
      if (!is_tar && filter != PackStep(archive_write_add_filter_none)) {
        continue;
      }
      const std::string packed =
          absl::StrCat(Pack({{"a.jsonl", kJsonLine}}, format, filter), Pack({{"b.jsonl", kJsonLine}}, format, filter),
                       Pack({{"c.jsonl", kJsonLine}}, format, filter));
      for (const size_t piece : {size_t{7}, size_t{1'000'000}}) {
        EXPECT_THAT(Outcomes(ReadAll(packed, {}, piece)),
                    ElementsAre("a.jsonl, line 1", "b.jsonl, line 1", "c.jsonl, line 1"))
            << is_tar << " " << piece;
      }
    }
  }
}

TEST(ArchiveTest, ATarThatEndsBetweenFilesSaysAfterWhich) {
  const std::string whole = Pack({{"a.jsonl", kJsonLine}, {"b.jsonl", kJsonLine}}, archive_write_set_format_ustar,
                                 archive_write_add_filter_none);
  const std::vector<SourceItem> items = ReadAll(whole.substr(0, 1024));
  ASSERT_THAT(Outcomes(items), ElementsAre("a.jsonl, line 1", "!"));
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cut off after a.jsonl")));
  EXPECT_TRUE(items[1].cuts_off);
  EXPECT_THAT(Outcomes(ReadAll(whole.substr(0, 2048 + 512))), ElementsAre("a.jsonl, line 1", "b.jsonl, line 1"))
      << "one block of zeros is enough";
}

TEST(ArchiveTest, AZipThatEndsBetweenFilesSaysAfterWhich) {
  const std::vector<SourceItem> items = ReadAll(absl::StrCat(FileInZip("a.html", "", 0), FileInZip("b.html", "", 0)));
  ASSERT_THAT(Outcomes(items), ElementsAre("!a.html", "!"));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kEmptyDocument);
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("early after a.html")));
}

TEST(ArchiveTest, AFileWhoseHeaderStatesItsLengthIsPassedOverByIt) {
  // The first holds a header of its own, which is data.
  const std::string packed = absl::StrCat(FileInZip("a.html", absl::StrCat("\xFF\xFF", FileInZip("x.html", "", 0)), 8),
                                          FileInZip("b.html", "<p>b", 0), std::string("PK\x01\x02", 4));
  EXPECT_THAT(Outcomes(ReadAll(packed)), ElementsAre("!a.html", "!b.html"));
}

TEST(ArchiveTest, ADamagedHeaderInATarIsNamedAndPassedOver) {
  std::string packed = Pack({{"a.jsonl", kJsonLine}, {"b.jsonl", kJsonLine}, {"c.jsonl", kJsonLine}},
                            archive_write_set_format_ustar, archive_write_add_filter_none);
  packed[packed.find("b.jsonl")] = 'x';  // Its checksum is wrong now.
  const std::vector<SourceItem> items = ReadAll(packed);
  ASSERT_THAT(Outcomes(items), ElementsAre("a.jsonl, line 1", "!", "c.jsonl, line 1"));
  EXPECT_THAT(items[1].extraction, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("after a.jsonl")));
}

TEST(ArchiveTest, HeadersWithoutFilesEndInTime) {
  std::string headers;
  for (int i = 0; i < 300'000; ++i) {
    headers += "PK\x03\x04????";
  }
  const std::string packed = absl::StrCat(
      Pack({{"a.jsonl", kJsonLine}}, archive_write_set_format_zip, archive_write_add_filter_none).substr(0, 60),
      headers);
  const absl::Time start = absl::Now();
  EXPECT_FALSE(ReadAll(packed, {}, 65'536).empty());
  EXPECT_LT(absl::Now() - start, absl::Seconds(60));
}

TEST(ArchiveTest, AFileWithAWrongChecksumHarmsNoOther) {
  std::string packed = Pack({{"a.jsonl", kJsonLine}, {"b.jsonl", kJsonLine}}, archive_write_set_format_zip,
                            archive_write_add_filter_none);
  packed[14] = static_cast<char>(packed[14] ^ 1);  // The checksum in the header of the first.
  const std::vector<SourceItem> items = ReadAll(packed);
  ASSERT_FALSE(items.empty());
  EXPECT_EQ(items.back().position, "b.jsonl, line 1");
  EXPECT_THAT(items.back().extraction, IsOk());
}

TEST(ArchiveTest, AnArchiveWithoutArticlesSaysSo) {
  const std::string packed = Pack({{"photo.jpg", "x"}}, archive_write_set_format_zip, archive_write_add_filter_none);
  const std::vector<SourceItem> items = ReadAll(packed);
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(common::ReasonOf(items[0].extraction.status()), kNotAnArticle);
}

// A PDF of `pages`, each a list of lines ("/F1 22 Tf" sets the type of those after it), without the table of objects
// that readers find again by themselves.
std::string MakePdf(const std::vector<std::vector<std::string>>& pages, const std::string& title) {
  std::string pdf = "%PDF-1.4\n";
  std::string kids;
  int object = 10;
  for (const std::vector<std::string>& lines : pages) {
    std::string content = "BT /F1 12 Tf 14 TL 72 720 Td\n";
    for (const std::string& line : lines) {
      const bool is_type = absl::StartsWith(line, "/F1 ");
      absl::StrAppend(&content, is_type ? line : absl::StrCat("(", line, ") Tj T*"), "\n");
    }
    content += "ET";
    absl::StrAppend(&pdf, object, " 0 obj\n<</Length ", content.size(), ">>\nstream\n", content,
                    "\nendstream\nendobj\n");
    absl::StrAppend(&pdf, object + 1, " 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents ", object,
                    " 0 R/Resources<</Font<</F1 3 0 R>>>>>>\nendobj\n");
    absl::StrAppend(&kids, object + 1, " 0 R ");
    object += 2;
  }
  absl::StrAppend(&pdf, "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count ", pages.size(),
                  "/Kids[", kids, "]>>\nendobj\n3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n",
                  "4 0 obj\n<</Title(", title, ")>>\nendobj\ntrailer\n<</Root 1 0 R/Info 4 0 R>>\n%%EOF\n");
  return pdf;
}

std::vector<std::vector<std::string>> ThreePages() {
  std::vector<std::vector<std::string>> pages;
  for (const char* day : {"Monday", "Tuesday", "Wednesday"}) {
    pages.push_back(
        {"The Strait Review, September 2023", "",
         absl::StrCat("On ", day, " the ferries that cross the strait each morning carried school-"),
         absl::StrCat("children and fishermen, as they had done on every ", day, " that anyone on the quay"),
         "could remember, and nobody spoke of the lease.", "",
         absl::StrCat("The lease was signed in the evening of ", day, ", and the harbour master explains how"),
         absl::StrCat("it came about & what it will cost the town from ", day, " on."), "",
         absl::StrCat("page ", pages.size() + 1)});
  }
  return pages;
}

TEST(PdfTest, APageThatASourceNamesMayBeOne) {
  const std::string pdf = MakePdf({{"The lease of the port was signed in March, and nobody on the quay knows why.",
                                    "The harbour master does not say, and the ministry answers no letters about it."}},
                                  "The Lease");
  Extraction item;
  item.article.url = "https://x.example/lease.pdf";
  const absl::StatusOr<Extraction> extraction =
      CompleteFromPage(item, {.content = pdf, .media_type = "application/pdf", .url = "https://x.example/lease.pdf"});
  ASSERT_THAT(extraction, IsOk());
  EXPECT_THAT(extraction->article.body, HasSubstr("nobody on the quay knows why"));
}

TEST(PdfTest, ReadsParagraphsWithoutHeadsAndFeet) {
  const std::vector<SourceItem> items = ReadAll(MakePdf(ThreePages(), "The Lease and the Fence"),
                                                {.path = "report.pdf", .url = "https://x.example/r.pdf"});
  ASSERT_THAT(items, SizeIs(1));
  ASSERT_THAT(items[0].extraction, IsOk());
  const Article& article = items[0].extraction->article;
  EXPECT_EQ(article.title, "The Lease and the Fence");
  EXPECT_EQ(article.url, "https://x.example/r.pdf");
  EXPECT_FALSE(article.publish_time.has_value()) << "when the file was made is not when the article was published";
  EXPECT_THAT(article.body,
              HasSubstr("On Tuesday the ferries that cross the strait each morning carried schoolchildren and "
                        "fishermen, as they had done on every Tuesday that anyone on the quay could remember, and "
                        "nobody spoke of the lease.\n\nThe lease was signed"));
  EXPECT_THAT(article.body, HasSubstr("how it came about & what"));
  EXPECT_THAT(article.body, Not(HasSubstr("Strait Review")));
  EXPECT_THAT(article.body, Not(HasSubstr("page 2")));
  EXPECT_EQ(items[0].position, "page");
}

TEST(PdfTest, ANameOfAFileIsNoTitle) {
  const absl::StatusOr<Extraction> extraction =
      ExtractPdf(MakePdf(ThreePages(), "Microsoft Word - lease final.doc"), "", absl::Now());
  ASSERT_THAT(extraction, IsOk());
  EXPECT_THAT(extraction->article.title, Not(HasSubstr("Word")));
}

TEST(PdfTest, WhatStandsInTheLargestTypeIsTheTitle) {
  std::vector<std::string> lines = {"/F1 9 Tf",
                                    "Policy Brief 12, September 2023",
                                    "/F1 30 Tf 36 TL",
                                    "QUAYS",
                                    "/F1 22 Tf 26 TL",
                                    "The Lease of the Port and",
                                    "What It Costs the Town",
                                    "/F1 12 Tf 14 TL",
                                    ""};
  const std::vector<std::string> text = ThreePages()[0];
  lines.insert(lines.end(), text.begin(), text.end());
  for (const char* stated : {"untitled", "Microsoft Word - lease.docx", ""}) {
    const absl::StatusOr<Extraction> extraction = ExtractPdf(MakePdf({lines}, stated), "", absl::Now());
    ASSERT_THAT(extraction, IsOk());
    EXPECT_EQ(extraction->article.title, "The Lease of the Port and What It Costs the Town");
    EXPECT_THAT(extraction->article.body, Not(HasSubstr("What It Costs the Town")));
    EXPECT_THAT(extraction->article.body, HasSubstr("The lease was signed in the evening"));
  }
  EXPECT_EQ(ExtractPdf(MakePdf({lines}, "A Title of Its Own"), "", absl::Now())->article.title, "A Title of Its Own");
}

TEST(PdfTest, PagesBeyondTheLimitAreLeftOut) {
  const absl::StatusOr<Extraction> extraction =
      ExtractPdf(MakePdf(ThreePages(), "A Long Report"), "", absl::Now(), {.max_pages = 2});
  ASSERT_THAT(extraction, IsOk());
  EXPECT_THAT(extraction->article.body, HasSubstr("On Tuesday"));
  EXPECT_THAT(extraction->article.body, Not(HasSubstr("On Wednesday")));
  EXPECT_THAT(extraction->warnings, ::testing::Contains(HasSubstr("after 2 pages")));
}

TEST(PdfTest, WhatTakesTooLongIsStopped) {
  // A page of fifty million operators, from a form that is drawn by a form that is drawn …
  std::string pdf =
      "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 1/Kids[5 0 R]>>\n"
      "endobj\n3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n";
  const auto stream = [&pdf](int object, const std::string& extra, const std::string& content) {
    absl::StrAppend(&pdf, object, " 0 obj\n<<", extra, "/Length ", content.size(), ">>\nstream\n", content,
                    "\nendstream\nendobj\n");
  };
  std::string calls;
  for (int i = 0; i < 100; ++i) {
    calls += "/X Do ";
  }
  for (int level = 0; level < 5; ++level) {
    stream(
        10 + level,
        absl::StrCat("/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</XObject<</X ", 11 + level, " 0 R>>>>"),
        calls);
  }
  stream(15, "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>", "BT /F1 9 Tf (x) Tj ET");
  absl::StrAppend(
      &pdf,
      "5 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 10 0 R/Resources<</XObject<</X 11 0 "
      "R>>>>>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n");
  const absl::Time start = absl::Now();
  const absl::StatusOr<Extraction> extraction = ExtractPdf(pdf, "", absl::Now(), {.timeout = absl::Seconds(1)});
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
  EXPECT_EQ(common::ReasonOf(extraction.status()), kMalformedPdf) << extraction.status();
}

TEST(PdfTest, WhatIsDamagedOrEmptyIsNamed) {
  EXPECT_EQ(common::ReasonOf(ExtractPdf("%PDF-1.7 and nothing", "", absl::Now()).status()), kMalformedPdf);
  EXPECT_EQ(common::ReasonOf(ExtractPdf(MakePdf({{}}, "Scan of a report"), "", absl::Now()).status()), kNotAnArticle);
}

}  // namespace
}  // namespace dateline::extraction
