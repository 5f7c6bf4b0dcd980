// Sources of articles, read one by one: pages, feeds, sitemaps, exports, tables, mail, PDFs, and archives of any of
// them.
#ifndef DATELINE_EXTRACTION_SOURCE_READER_H_
#define DATELINE_EXTRACTION_SOURCE_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "extraction/extraction.h"
#include "extraction/format.h"

namespace dateline::extraction {

// Fills up to `size` bytes of `buffer`; returns how many, 0 at the end. An error ends the reading.
using ReadFunction = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;

// The most bytes that an archive may unpack to, so that a small file can't keep anybody busy for hours: so many to
// begin with, and so many for each byte read. Text packs to a fifth or a tenth, repetitive exports to a thirtieth.
inline constexpr int64_t kFreeUnpackedBytes = 64'000'000;
inline constexpr int64_t kUnpackedBytesPerByte = 100;
// How many archives may lie within each other.
inline constexpr int kMaxArchiveDepth = 3;

// Reasons that errors of sources carry, beside those of extraction.h; the code of all of them is InvalidArgument.
inline constexpr char kMalformedFeed[] = "MALFORMED_FEED";        // XML or JSON that breaks off or isn't well-formed.
inline constexpr char kMalformedLine[] = "MALFORMED_LINE";        // A line, row or record that can't be used.
inline constexpr char kMalformedArchive[] = "MALFORMED_ARCHIVE";  // Damaged, encrypted, or of a kind that isn't read.
inline constexpr char kUnpacksTooLarge[] = "UNPACKS_TOO_LARGE";   // More than the limits above.
inline constexpr char kMalformedPdf[] = "MALFORMED_PDF";          // Damaged, encrypted, or too much work.

// Which field of an article a field of the source gives: "body_html=content".
struct FieldMapping {
  std::string field;  // One of MappableFields(), or "label.KIND" or "attribute.NAME".
  std::string path;   // A name in the source, or several divided by dots for what lies within objects and lists.
};

// Reads "FIELD=PATH". InvalidArgument, saying which fields there are, if it is nothing like that.
absl::StatusOr<FieldMapping> ParseFieldMapping(absl::string_view text);

// id, url, alternate_urls, title, body (plain text), body_html, summary, authors, source, date, update_time, language,
// image_url, content_type, countries, issues, keywords, categories, tags, source_labels.
const std::vector<std::string>& MappableFields();

struct SourceOptions {
  Format format = Format::kUnknown;  // kUnknown: detected from the first bytes.
  std::string path = {};             // For detection; for messages when not empty.
  std::string media_type = {};       // As of Document; for HTML and text, and for detection.
  std::string charset = {};          // As of Document.
  std::string url = {};              // As of Document; of a feed: base of its relative links.
  std::optional<absl::Time> fetch_time = {};
  size_t max_item_bytes = kMaxDocumentBytes;  // A longer line, entry, row, message or page is an error of its own.
  // Where the records of JSON, JSON Lines and CSV have the fields of an article. Those that aren't mapped are looked
  // for under their own names. Several mappings of one field: the first that has a value, or for lists all of them.
  std::vector<FieldMapping> field_map = {};
  // One for each mapping, set to true once it has led to a value, so that mistyped ones are told; of the size of
  // `field_map`, may be shared by sources that are read one after another, and may be null. A table that has none of
  // the columns that a field is mapped to is refused at once.
  std::shared_ptr<std::vector<bool>> mappings_used = nullptr;
  // Which of the posts in an export of WordPress are articles; the others are passed over and counted.
  std::vector<std::string> post_types = {"post"};
  std::vector<std::string> post_statuses = {"publish"};
  int archive_depth = 0;  // How many archives this source lies in.
  Options extract = {};
};

// Where to go on: the source has no text of an article, or a summary only, and says where the text is.
struct Link {
  enum class Kind {
    kPage,    // The page of the article: see CompleteFromPage.
    kSource,  // Another source: a sitemap named by an index.
  };
  Kind kind = Kind::kPage;
  std::string url;                     // Absolute, http or https.
  std::optional<absl::Time> modified;  // When it last changed, as the source says.
};

// One article, or what went wrong with it.
struct SourceItem {
  int64_t number = 0;                // From 1: the line of JSON Lines, the place of an entry, row or message, else 1.
  std::string position;              // For messages: "line 12", "entry 3", "page", in an archive "a/feed.xml, entry 3".
  Format format = Format::kUnknown;  // Of what it was read from; in an archive, of the file there.
  // With a link to a page: what the source says of the article, perhaps with a summary as its body, perhaps without any
  // text. With a link to a source: nothing.
  // The message of an error is to follow the position, and doesn't repeat it.
  absl::StatusOr<Extraction> extraction = absl::UnknownError("not read");
  std::optional<Link> link = {};
  // Beside an error: the source can't be read any further, and how many articles it would have had is not known.
  bool cuts_off = false;
  // The source is one that lists the latest articles only (a feed, a news sitemap): others may be there all the same.
  bool latest_only = false;
};

// The article of `item`, which has a link to a page, as that page gives it. What the source said is kept where the page
// says nothing or less: the longer text wins, so that a summary never stands in the place of an article. If there is no
// article in the page, the item's own text stands, with a warning; without any it is an error, that of Extract.
absl::StatusOr<Extraction> CompleteFromPage(Extraction item, const Document& page, const Options& options = {});

// Reads a source from front to back. Held in memory is one line, entry, row, message, page or PDF at a time (each at
// most max_item_bytes), whatever the length of the source. Not thread-safe.
class SourceReader {
 public:
  // Reads enough to know the format. InvalidArgument with a reason of extraction.h if nothing can be read from it.
  // (JSON Lines are UTF-8 or UTF-16.)
  static absl::StatusOr<std::unique_ptr<SourceReader>> Open(ReadFunction read, SourceOptions options);
  // The same for a file. NotFound or PermissionDenied if it can't be opened. `options.path` is set to `path`.
  static absl::StatusOr<std::unique_ptr<SourceReader>> OpenFile(const std::string& path, SourceOptions options = {});

  virtual ~SourceReader() = default;
  SourceReader(const SourceReader&) = delete;
  SourceReader& operator=(const SourceReader&) = delete;

  // The next article or error of one item; nullopt at the end. A malformed item harms no other. After an error of the
  // source itself (a failed read, a feed that breaks off) that error is the last item.
  virtual std::optional<SourceItem> Next() = 0;

  Format format() const { return format_; }
  // What was passed over on purpose so far: drafts and attachments of an export, files in an archive whose names say
  // that they hold no articles.
  int64_t skipped() const { return skipped_; }
  // What whoever named the source should know of it, apart from its items: part of a sentence of which the source is
  // the subject, each. Complete after the last item; at most kMaxNotes.
  const std::vector<std::string>& notes() const { return notes_; }
  static constexpr size_t kMaxNotes = 10;

 protected:
  explicit SourceReader(Format format) : format_(format) {}
  // An item of this source at, say, "entry 3", with its extraction still to be set unless it is given.
  SourceItem ItemAt(absl::string_view unit, int64_t number,
                    absl::StatusOr<Extraction> extraction = absl::UnknownError("not read")) const;
  void AddSkipped(int64_t count) { skipped_ += count; }
  void AddNote(std::string note);

 private:
  Format format_;
  int64_t skipped_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_SOURCE_READER_H_
