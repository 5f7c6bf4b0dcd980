// Files that hold one article or many, read one by one: feeds, JSON Lines, HTML pages, plain text.
#ifndef DATELINE_EXTRACTION_SOURCE_READER_H_
#define DATELINE_EXTRACTION_SOURCE_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "extraction/extraction.h"

namespace dateline::extraction {

enum class Format {
  kUnknown,    // Nothing that is read here: an image, an archive, …
  kHtml,       // One page, one article.
  kText,       // Plain text of one page or article.
  kFeed,       // RSS 0.9x, 1.0, 2.0 or Atom.
  kJsonLines,  // One JSON object a line: id, url, title, body, date, authors, source, language, countries, issues.
};

// "html", "text", "feed", "jsonl"; "unknown" for kUnknown.
absl::string_view FormatName(Format format);
// The reverse; nullopt for a name that is none of those four.
std::optional<Format> FormatFromName(absl::string_view name);

// What a file holds, by its first bytes (1 KB or more of them serve well) and, where these don't tell, by the name of
// `path`, which may be empty or "-".
Format DetectFormat(absl::string_view path, absl::string_view head);

// Fills up to `size` bytes of `buffer`; returns how many, 0 at the end. An error ends the reading.
using ReadFunction = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;

struct SourceOptions {
  Format format = Format::kUnknown;  // kUnknown: detected from the first bytes.
  std::string path = {};             // For detection; for messages when not empty.
  std::string media_type = {};       // As of Document; for HTML and text, and for detection.
  std::string charset = {};          // As of Document.
  std::string url = {};              // As of Document; of a feed: base of its relative links.
  std::optional<absl::Time> fetch_time = {};
  size_t max_item_bytes = kMaxDocumentBytes;  // A longer line, feed or page is an error of its own.
  Options extract = {};
};

// One article, or what went wrong with it.
struct SourceItem {
  int64_t number = 0;    // From 1: the line of a JSON Lines file, the place of an entry in a feed, else 1.
  std::string position;  // For messages: "line 12", "entry 3", "page".
  absl::StatusOr<Extraction> extraction = absl::UnknownError("not read");
};

// Reads a source from front to back. JSON Lines are held in memory one line at a time, pages and feeds whole (each at
// most max_item_bytes). Not thread-safe.
class SourceReader {
 public:
  // Reads enough to know the format. InvalidArgument with a reason of extraction.h if nothing can be read from it.
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

 protected:
  explicit SourceReader(Format format) : format_(format) {}

 private:
  Format format_;
};

}  // namespace dateline::extraction

#endif  // DATELINE_EXTRACTION_SOURCE_READER_H_
