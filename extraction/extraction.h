// A page in, an article out: title, body, authors, dates and the publisher's own labels, without the menus, teasers,
// biographies and boxes around them.
//
// Pure functions of their arguments: no network, no files, no global state; safe to call from any number of threads.
// Time and memory are bounded by the size of the document (kMaxDocumentBytes), whatever its bytes are.
#ifndef DATELINE_EXTRACTION_EXTRACTION_H_
#define DATELINE_EXTRACTION_EXTRACTION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace dateline::extraction {

// The most bytes that a document may have as it comes in, before decoding (MB is 10^6).
inline constexpr size_t kMaxDocumentBytes = 16'000'000;

// Reasons that errors carry (common::ReasonOf); the code of all of them is InvalidArgument.
inline constexpr char kEmptyDocument[] = "EMPTY_DOCUMENT";                 // No bytes, or nothing but white space.
inline constexpr char kDocumentTooLarge[] = "DOCUMENT_TOO_LARGE";          // More than kMaxDocumentBytes.
inline constexpr char kUnsupportedMediaType[] = "UNSUPPORTED_MEDIA_TYPE";  // Not text: an image, a PDF, an archive.
inline constexpr char kNotAnArticle[] = "NOT_AN_ARTICLE";                  // Text, but no article found in it.

// Raw bytes as they came from a server, a file or a caller. Every field but `content` is a hint and may be empty.
struct Document {
  std::string content = {};
  std::string media_type = {};  // "text/html; charset=…", "text/plain", …; empty: found from the content.
  std::string charset = {};     // As the server declared it; a byte order mark in `content` wins over it.
  std::string url = {};         // Absolute. Base of relative links; the article's URL if the page names none.
  std::optional<absl::Time> fetch_time = {};  // When the bytes were taken; dates well after it are not believed.
};

// What the publisher filed the article under.
struct SourceLabel {
  std::string kind =
      {};  // As the page says, lower case: "issue", "country", "section", "keyword", …; empty if it doesn't.
  std::string name = {};  // Verbatim, but for white space.
  friend bool operator==(const SourceLabel&, const SourceLabel&) = default;
};

// A paragraph of the body that is a heading: half-open range of UTF-8 byte offsets into `Article::body`.
struct Heading {
  int32_t start = 0;
  int32_t end = 0;
  int32_t level = 2;  // 1 to 6 as in HTML; plain text has 2 only.
  friend bool operator==(const Heading&, const Heading&) = default;
};

enum class TimePrecision { kSecond, kDay };

// An article. All text is UTF-8, NFC, without control characters; unknown fields are empty or absent, never guessed.
struct Article {
  std::string id;                           // Only when the input gives one (JSON Lines `id`, a feed's guid).
  std::string url;                          // Canonical URL as the page names it, else the document's.
  std::vector<std::string> alternate_urls;  // Other URLs of the same article; never `url` itself.
  std::string title;                        // One line.
  std::string body;                         // Paragraphs divided by one blank line; headings are paragraphs too.
  std::vector<Heading> headings;            // In the order of the body.
  std::string summary;                      // The publisher's own description or standfirst.
  std::vector<std::string> authors;         // Names without honorifics and without "By".
  std::string source;                       // The name of the site or publication.
  std::optional<absl::Time> publish_time;   // Midnight UTC when the precision is a day.
  TimePrecision publish_time_precision = TimePrecision::kSecond;
  std::optional<absl::Time> update_time;  // When the publisher last changed it.
  std::string language_code;              // BCP 47, as the page declares it; empty otherwise.
  std::string image_url;                  // Absolute.
  std::string content_type;               // What kind of piece the page says it is: "NewsArticle", "Opinion", …
  std::map<std::string, std::vector<std::string>>
      attributes;                          // "series", "section", "access", "direction", … as the page says.
  std::vector<SourceLabel> source_labels;  // No two the same.
};

// One piece of the page as the extractor saw it, for people who ask why a paragraph is missing. In page order.
struct Block {
  std::string text;    // As it would stand in the body; cut off after 2,000 bytes.
  bool kept = false;   // Whether it is part of the body.
  std::string reason;  // Why it was kept or dropped: "main text", "title", "teaser", "biography", "link density", …
  // What the block added to the score of the text around it: its length in characters, often less, or something
  // negative. Nothing where a rule decided, such as the words of a line or the name of an element around it.
  std::optional<double> score;
  // Where it stands on an HTML page, as a selector of site rules: "div#main > aside.promo > p", the innermost elements
  // alone where there are many. Empty unless `Options::locate`.
  std::string place = {};
};

struct Extraction {
  Article article;
  std::vector<std::string> warnings;  // For people: what was doubtful, dropped or repaired.
  std::vector<Block> blocks;          // Empty unless `Options::explain`.
  // The body is perhaps no more than the beginning that a page shows before its paywall.
  bool is_stub = false;
};

class SiteRules;  // site_rules.h

struct Options {
  const SiteRules* site_rules = nullptr;  // What a person says about some sites' HTML pages; not owned, may be null.
  bool explain = false;                   // Fill `Extraction::blocks`.
  bool locate = false;                    // With `explain`: fill `Block::place`, too.
  // With `explain`: the blocks of an HTML page in which no article was found, else nothing. Not owned, may be null;
  // written by every call.
  std::vector<Block>* rejected = nullptr;
  absl::Time now = absl::InfiniteFuture();  // What counts as the future for dates; InfiniteFuture: the clock.
};

// One document, one article. HTML, the text of a page with its menus and teasers, or clean text; which of them is
// told by `media_type` and by the content. Feeds and exports hold many articles: see source_reader.h.
//
// Returns InvalidArgument with one of the reasons above if there is no article to be had.
absl::StatusOr<Extraction> Extract(const Document& document, const Options& options = {});

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_EXTRACTION_H_
